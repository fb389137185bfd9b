"""Every kernel of a derivation: closed forms where they are smaller, the chain rule's own program where not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import sympy

from bnsym.calculus.chain import Derivative
from bnsym.calculus.context import Context
from bnsym.calculus.derive import Derivation
from bnsym.calculus.evaluate import Evaluation
from bnsym.lowering.cuts import Cuts, cuts
from bnsym.lowering.direct import Centres, direct
from bnsym.lowering.gradient import smaller
from bnsym.lowering.kernel import Kernel
from bnsym.lowering.masks import masked
from bnsym.lowering.operations import operations
from bnsym.lowering.pivot import pivoted
from bnsym.lowering.recentre import recentred
from bnsym.lowering.scaling import degrees
from bnsym.lowering.sequence import Lowered
from bnsym.lowering.steady import steadied
from bnsym.model import Equation, Program, Quantity, quantities


def lower(derivation: Derivation) -> dict[str, Kernel]:
    """The kernels by name, in the order they stand in a generated module."""
    return {kernel.name: kernel for kernel in _lowered(derivation)}


@lru_cache(maxsize=2)
def _lowered(derivation: Derivation) -> tuple[Kernel, ...]:
    """Done once for each derivation: it is proved, printed and reported one after the other."""
    chain = derivation.backward.program
    centres = tuple(Evaluation().run(derivation.forward).centres.values())
    cut = cuts(derivation.definition).of(derivation.backward)
    backward = _backward(derivation, cut)
    kernels = [
        _forward(derivation, backward, centres),
        _kernel("backward", chain, backward, saved=backward.saved),
        _jvp(derivation, cuts(derivation.definition), backward.saved),
        *_second_order(derivation, cut, backward),
        *_without_saved("parameter_backward", derivation.parameter_backward, Evaluation()),
        *_as_it_stands("inference", derivation.inference, centres),
        *_without_saved("inference_backward", derivation.inference_backward, _centred(centres)),
        *_as_it_stands("fold", derivation.fold, ()),
        *_as_it_stands("population", derivation.population, ()),
        *_update_running(derivation),
        *_correction(derivation),
    ]
    return tuple(masked(derivation, steadied(kernel, kernels[0], derivation.forward)) for kernel in kernels)


@lru_cache(maxsize=2)
def textbook_backward(derivation: Derivation) -> Kernel:
    """The backward for people to read: as `lower` gives it, but for what only rounding asks for."""
    backward = _backward(derivation, cuts(derivation.definition).of(derivation.backward), recentre=False)
    return _kernel("backward", derivation.backward.program, backward, saved=backward.saved)


def _backward(derivation: Derivation, cut: Cuts, *, recentre: bool = True) -> Lowered:
    chain, evaluation = _for_printing(derivation, derivation.backward.program, cut, recentre=recentre)
    return smaller(chain, derivation.definition.saved, evaluation, extend=True)


def _for_printing(
    derivation: Derivation, program: Program, cut: Cuts, *, recentre: bool = True
) -> tuple[Program, Evaluation]:
    """A program and its normal form, in which what is centred anyway is centred from the start."""

    def evaluated(program: Program) -> Evaluation:
        evaluation = Evaluation(Context(for_printing=True), cut=cut.values)
        return evaluation.assume(derivation.definition.premises).run(program)

    evaluation = evaluated(program)
    centred = recentred(program, evaluation) if recentre else program
    return (program, evaluation) if centred is program else (centred, evaluated(centred))


def _again(
    derivation: Derivation, derivative: Derivative, cut: Cuts, saved: tuple[Quantity, ...]
) -> tuple[Program, Lowered, tuple[Quantity, ...]]:
    """A derivative that is given what forward saved."""
    program, evaluation = _for_printing(derivation, derivative.program, cut.of(derivative))
    return derivative.program, smaller(program, saved, evaluation), saved


def _jvp(derivation: Derivation, cut: Cuts, saved: tuple[Quantity, ...]) -> Kernel:
    """The tangents alone; the outputs, and the statistics, are forward's."""
    derivative = derivation.jvp
    tangents = tuple(derivative.gradients[y] for y in derivation.forward.outputs)
    program = replace(derivative.program, outputs=tangents)
    kernel = _kernel("jvp", *_again(derivation, replace(derivative, program=program), cut, saved))
    wanted = [
        q for q in (*derivation.forward.inputs, *derivative.seeds) if q in kernel.arguments or q in program.inputs
    ]
    return replace(kernel, arguments=tuple(wanted), after_forward=True, optional=derivative.seeds)


def _second_order(derivation: Derivation, cut: Cuts, backward: Lowered) -> Iterator[Kernel]:
    """What is derived of the backward takes the backward's arguments, whether it reads them or not."""
    taken = _kernel("backward", derivation.backward.program, backward, saved=backward.saved).arguments
    again, pushed = derivation.double_backward, derivation.backward_jvp
    kernel = _kernel("double_backward", *_again(derivation, again, cut, backward.saved))
    arguments = tuple(dict.fromkeys([*again.seeds, *taken, *kernel.arguments]))
    yield replace(kernel, arguments=arguments, optional=again.seeds)
    kernel = _kernel("backward_jvp", *_again(derivation, pushed, cut, backward.saved))
    # Each argument is followed by its tangent, as each result is.
    pairs = [(q, pushed.gradients.get(q)) for q in pushed.program.inputs]
    wanted = {*taken, *kernel.arguments, *(t for q, t in pairs if q in taken)}
    ordered = dict.fromkeys(a for pair in pairs for a in pair if a in wanted)
    yield replace(kernel, arguments=tuple(q for q in ordered if q is not None), optional=pushed.seeds)


def _centred(centres: Centres) -> Evaluation:
    """An evaluation that writes x as x - mean and mean, though the mean is given and no mean of x."""
    evaluation = Evaluation()
    for x, mean in centres:
        evaluation.centre_at(x, mean)
    return evaluation


def _without_saved(name: str, derivative: Derivative | None, evaluation: Evaluation) -> Iterator[Kernel]:
    if derivative is not None:
        program = derivative.program
        yield _kernel(name, program, smaller(program, (), evaluation.run(program)))


def _as_it_stands(name: str, program: Program | None, centres: Centres) -> Iterator[Kernel]:
    if program is not None:
        yield _kernel(name, program, direct(program, centres))


def _forward(derivation: Derivation, backward: Lowered, centres: Centres) -> Kernel:
    """Outputs, and what backward wants saved."""
    program, definition = derivation.forward, derivation.definition
    shifted = pivoted(program)
    if shifted and not {shifted[1].mean, shifted[1].var} <= set(backward.saved):
        shifted = None  # a pivot that is taken again, and units, are looked for among what is saved
    base = shifted[0] if shifted else program
    wanted = tuple(q for q in backward.saved if q not in definition.program.outputs)
    lowered = direct(Program(base.inputs, base.equations, (*program.outputs, *wanted)), centres)
    nonnegative = {e.left for e in program.equations if _is_mean_square(e)}
    return Kernel(
        "forward",
        program.inputs,
        operations(lowered.equations, base.inputs, nonnegative),
        program.outputs,
        gives_saved=tuple(sorted(backward.saved, key=lambda q: q.role == "count")),
        pivots=(shifted[1],) if shifted else (),
        degrees=degrees(program, lowered.equations) if backward.saved else None,
    )


def _is_mean_square(e: Equation) -> bool:
    """A sum of squares, times what is not negative: rounding may not make it negative."""
    if len(e.terms) != 1 or not e.terms[0].axes:
        return False
    factors = sympy.Mul.make_args(e.terms[0].body)
    counts = [f for f in factors if all(q.role == "size" for q in quantities(f)) and not f.could_extract_minus_sign()]
    return any(f.is_Pow and f.exp == 2 for f in factors) and all(f.is_nonnegative for f in factors if f not in counts)


def _kernel(name: str, program: Program, lowered: Lowered, saved: tuple[Quantity, ...] = ()) -> Kernel:
    reads = {q for e in lowered.equations for q in e.inputs}
    arguments = tuple(q for q in program.inputs if q in reads and q not in saved)
    takes = tuple((q.name, q) for q in saved if q in reads)
    return Kernel(name, arguments, operations(lowered.equations, program.inputs), program.outputs, takes)


def _correction(derivation: Derivation) -> Iterator[Kernel]:
    """What forward is given and derivatives hold fixed, from the statistics that forward saved."""
    program = derivation.correction
    if program is not None:
        yield _kernel("correction", program, direct(program, ()), saved=derivation.definition.saved)


def _update_running(derivation: Derivation) -> Iterator[Kernel]:
    """The mini-batch's own statistics come in `saved`, and so does its count."""
    program = derivation.update_running
    if program is None:
        return
    kernel = _kernel("update_running", program, direct(program, ()))
    fresh = {f"batch_{q.name}": q.name for q in derivation.definition.saved}
    takes = tuple((fresh[q.name], q) for q in kernel.arguments if q.name in fresh)
    arguments = tuple(q for q in kernel.arguments if q.name not in fresh and q.name != "count")
    counts = tuple(("count", q) for q in kernel.arguments if q.name == "count")
    yield Kernel("update_running", arguments, kernel.operations, kernel.outputs, (*takes, *counts))
