"""Every kernel of a derivation: closed forms where they are smaller, the chain rule's own program where not."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from bnsym.calculus.context import Context
from bnsym.calculus.derive import Derivation
from bnsym.calculus.evaluate import Evaluation
from bnsym.lowering.closed import ClosedForm, NoClosedForm
from bnsym.lowering.hoist import Hoist
from bnsym.lowering.kernel import Kernel, Operation
from bnsym.lowering.names import Hoisted
from bnsym.lowering.operations import is_element, operations, split_sums
from bnsym.lowering.pivot import pivoted
from bnsym.lowering.scaling import degrees
from bnsym.model import Equation, Program, Quantity, Term, quantities

Centres = tuple[tuple[Quantity, Quantity], ...]


def lower(derivation: Derivation) -> dict[str, Kernel]:
    """The kernels by name, in the order they stand in a generated module."""
    definition = derivation.definition
    centres = tuple(Evaluation().run(definition.program).centres.values())
    chain = derivation.backward.program
    evaluation = Evaluation(Context(orient_atoms=True)).assume(definition.premises).run(chain)
    backward = _smaller(chain, definition.saved, evaluation)
    kernels = {"forward": _forward(derivation, backward, centres)}
    kernels["backward"] = _kernel("backward", chain, backward, saved=backward.saved)
    if derivation.parameter_backward:
        partial = derivation.parameter_backward.program
        kernels["parameter_backward"] = _kernel("parameter_backward", partial, _smaller(partial, (), Evaluation().run(partial)))
    if derivation.inference:
        kernels["inference"] = _kernel("inference", derivation.inference, _direct(derivation.inference, centres))
    if derivation.inference_backward:
        frozen = derivation.inference_backward.program
        evaluation = Evaluation()
        for x, mean in centres:
            evaluation.centre_at(x, mean)
        kernels["inference_backward"] = _kernel("inference_backward", frozen, _smaller(frozen, (), evaluation.run(frozen)))
    for name in ("fold", "population"):
        program = getattr(derivation, name)
        if program:
            kernels[name] = _kernel(name, program, _direct(program, ()))
    if derivation.update_running:
        kernels["update_running"] = _update_running(derivation)
    return kernels


@dataclass(frozen=True)
class Lowered:
    """Equations in order, one operation each, and the saved quantities they read."""

    equations: tuple[Equation, ...]
    saved: tuple[Quantity, ...] = ()

    def cost(self, inputs: tuple[Quantity, ...]) -> int:
        """Arithmetic on whole arrays."""
        wide = [e for e in self.equations if any(is_element(q, inputs) for q in e.inputs)]
        return sum(1 + sum(int(t.body.count_ops()) for t in e.terms) for e in wide)


def _smaller(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation) -> Lowered:
    """The closed form, or the chain rule's program where there is no closed form or it costs more."""
    raw = _raw(chain, saved, evaluation)
    try:
        closed = _closed(chain, saved, evaluation)
    except NoClosedForm:
        return raw
    return closed if closed.cost(chain.inputs) <= raw.cost(chain.inputs) else raw


def _closed(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation) -> Lowered:
    hoisted = Hoisted(evaluation.context)
    closed = ClosedForm(chain, evaluation, hoisted)
    elementwise = [e.left for e in chain.equations if e.left.role == "value"]
    closed.express((*(q for q in saved if q.role == "value"), *elementwise))
    # Sums that are outputs get their names first: dx is then written with dbeta and dgamma.
    narrow_first = sorted(chain.outputs, key=lambda q: is_element(q, chain.inputs))
    outputs = [closed.equation(q) for q in narrow_first]
    reductions = {e.left: e for e in closed.reductions.values()}
    rest = [e for e in outputs if e.left not in reductions]
    recomputed = []
    for q in closed.recomputed:
        form_of = chain.equation(q)
        if q not in saved and form_of is not None:
            mapped = _mapped(form_of, hoisted)
            recomputed.append(closed.with_centred(mapped) if closed.centred else mapped)
    hoist = Hoist(lambda q: is_element(q, chain.inputs), reductions)
    kept = tuple(e for e in hoisted.equations.values() if not is_element(e.left, chain.inputs)) if saved else ()
    more = [e for e in hoisted.equations.values() if e not in kept]
    equations = [*more, *closed.centred.values(), *recomputed, *reductions.values(), *hoist.equations_of(rest)]
    available = {*chain.inputs, *saved, *(e.left for e in kept)}
    ordered = _ordered(_completed(equations, chain, available), available)
    return Lowered(_pruned(ordered, chain.outputs), (*saved, *(e.left for e in kept)))


def _mapped(equation: Equation, hoisted: Hoisted) -> Equation:
    return Equation(equation.left, tuple(Term(hoisted.rewrite(t.body), t.axes, t.largest) for t in equation.terms))


def _raw(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation) -> Lowered:
    """The program as it is: one sum an equation, per-channel arithmetic under names of its own."""
    hoisted = _hoisted(evaluation, chain.inputs)
    program = Program(chain.inputs, tuple(e for e in chain.equations if e.left not in saved), chain.outputs)
    program = program.needed(chain.outputs)
    mapped = [_mapped(e, hoisted) for e in program.equations]
    equations = [x for e in mapped for x in split_sums(e, lambda q: is_element(q, chain.inputs))]
    hoist = Hoist(lambda q: is_element(q, chain.inputs), {e.left: e for e in equations if e.terms[0].axes})
    kept = list(hoisted.equations.values())
    available = {*chain.inputs, *saved}
    ordered = _ordered([*(kept if not saved else ()), *hoist.equations_of(equations)], available)
    used = tuple(e.left for e in kept if saved and any(e.left in o.inputs for o in ordered))
    return Lowered(_pruned(ordered, chain.outputs), (*saved, *used))


def _hoisted(evaluation: Evaluation, inputs: tuple[Quantity, ...]) -> Hoisted:
    """Every inverse power of a per-channel sum under a name."""
    hoisted = Hoisted(evaluation.context)
    for name, base in evaluation.context.written.items():
        found = [q for q in quantities(base) if q.role not in ("constant", "size")]
        if found and not any(is_element(q, inputs) for q in found):
            hoisted.power(name, sympy.Integer(1))
    return hoisted


def _direct(program: Program, centres: Centres) -> Lowered:
    """A program evaluated as it stands: powers hoisted, what is affine in the data written as scale and shift."""
    evaluation = Evaluation().run(program)
    hoisted = _hoisted(evaluation, program.inputs)
    equations = [*hoisted.equations.values(), *(_mapped(e, hoisted) for e in program.equations)]
    affine = _affine(_ordered(equations, set(program.inputs)), program.inputs, centres)
    hoist = Hoist(lambda q: is_element(q, program.inputs), {})
    done = hoist.equations_of(_pruned(affine, program.outputs))
    return Lowered(tuple(_ordered(done, set(program.inputs))))


def _affine(equations: list[Equation], inputs: tuple[Quantity, ...], centres: Centres) -> list[Equation]:
    """Elementwise steps run together where the whole is affine in one array, with per-channel coefficients.

    An array that is summed over is left alone: centring it is what keeps digits.
    """
    summed = {q for e in equations for t in e.terms if t.axes for q in quantities(t.body)}
    inline: dict[Quantity, sympy.Expr] = {}
    done: list[Equation] = []
    for e in equations:
        body = None
        if is_element(e.left, inputs) and not any(t.axes for t in e.terms) and e.left not in summed:
            body = _as_affine(e.right.xreplace(inline), inputs, centres) or _as_affine(e.right, inputs, centres)
        if body is not None:
            inline[e.left] = body
        done.append(e if body is None else Equation(e.left, (Term(body),), e.held, e.origin))
    return done


def _as_affine(body: sympy.Expr, inputs: tuple[Quantity, ...], centres: Centres) -> sympy.Expr | None:
    """`coefficient * array + rest`, both per channel; x - mean counts as one array, so that no digits are lost."""
    for x, mean in centres:
        centred = Quantity(f"{x}_centred", x.axes, "data")
        form = _as_affine(body.xreplace({x: centred + mean}), inputs, ()) if body.has(x) else None
        if form is not None and not form.has(mean):
            return form.xreplace({centred: x - mean})
    arrays = [q for q in quantities(body) if is_element(q, inputs)]
    if len(arrays) != 1:
        return None
    poly = sympy.Poly(sympy.expand(body), arrays[0]) if sympy.expand(body).is_polynomial(arrays[0]) else None
    if poly is None or poly.degree() != 1:
        return None
    slope, rest = poly.all_coeffs()
    if any(is_element(Quantity("_", tuple({a for q in quantities(e) for a in q.axes})), inputs) for e in (slope, rest)):
        return None
    return sympy.Add(sympy.Mul(slope, arrays[0], evaluate=True), rest)


def _forward(derivation: Derivation, backward: Lowered, centres: Centres) -> Kernel:
    """Outputs, and what backward wants saved."""
    program, definition = derivation.forward, derivation.definition
    shifted = pivoted(program)
    base = shifted[0] if shifted else program
    wanted = tuple(q for q in backward.saved if q not in definition.program.outputs)
    lowered = _direct(Program(base.inputs, base.equations, (*program.outputs, *wanted)), centres)
    nonnegative = {e.left for e in program.equations if _is_mean_square(e)}
    return Kernel(
        "forward",
        program.inputs,
        operations(lowered.equations, base.inputs, nonnegative),
        program.outputs,
        gives_saved=backward.saved,
        pivots=(shifted[1],) if shifted else (),
        degrees=degrees(program, lowered.equations),
    )


def _is_mean_square(e: Equation) -> bool:
    """A sum of squares: rounding may not make it negative."""
    return len(e.terms) == 1 and bool(e.terms[0].axes) and any(
        f.is_Pow and f.exp == 2 for f in sympy.Mul.make_args(e.terms[0].body)
    )  # fmt: skip


def _kernel(name: str, program: Program, lowered: Lowered, saved: tuple[Quantity, ...] = ()) -> Kernel:
    reads = {q for e in lowered.equations for q in e.inputs}
    arguments = tuple(q for q in program.inputs if q in reads and q not in saved)
    takes = tuple((q.name, q) for q in saved if q in reads)
    return Kernel(name, arguments, operations(lowered.equations, program.inputs), program.outputs, takes)


def _update_running(derivation: Derivation) -> Kernel:
    program = derivation.update_running
    assert program is not None
    kernel = _kernel("update_running", program, _direct(program, ()))
    fresh = {f"batch_{q.name}": q.name for q in derivation.definition.saved}
    takes = tuple((fresh[q.name], q) for q in kernel.arguments if q.name in fresh)
    arguments = tuple(q for q in kernel.arguments if q.name not in fresh and q.name != "count")
    counts = tuple(("count", q) for q in kernel.arguments if q.name == "count")
    return Kernel("update_running", arguments, kernel.operations, kernel.outputs, (*takes, *counts))


def _completed(equations: list[Equation], chain: Program, available: set[Quantity]) -> list[Equation]:
    """Forward equations that the closed form still needs are taken in."""
    computed = {e.left for e in equations}
    while True:
        missing = {q for e in equations for q in e.inputs} - computed - available
        found = [e for q in sorted(missing, key=lambda q: q.name) if (e := chain.equation(q)) is not None]
        if not found:
            return equations
        equations = [*found, *equations]
        computed |= {e.left for e in found}


def _ordered(equations: list[Equation], available: set[Quantity]) -> list[Equation]:
    """Each after what it uses, otherwise in the order given."""
    done, todo, known = [], list(equations), set(available)
    while todo:
        ready = next((e for e in todo if all(q in known or all(o.left != q for o in todo) for q in e.inputs)), None)
        if ready is None:
            raise ValueError(f"equations depend on each other: {', '.join(str(e.left) for e in todo)}")
        done.append(ready)
        todo.remove(ready)
        known.add(ready.left)
    return done


def _pruned(equations: list[Equation], outputs: tuple[Quantity, ...]) -> tuple[Equation, ...]:
    return Program((), tuple(equations), outputs).needed(outputs).equations
