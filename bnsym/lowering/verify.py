"""Proofs that what is printed is what was derived: each kernel against the chain rule's program, for all sizes."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from bnsym.calculus.chain import Derivative
from bnsym.calculus.derive import Derivation
from bnsym.calculus.equality import same_outputs
from bnsym.lowering.cuts import cuts
from bnsym.lowering.kernel import Kernel
from bnsym.model import Program, Proof, Quantity


def verify(derivation: Derivation, kernels: dict[str, Kernel], what: str = "the kernel's") -> tuple[Proof, ...]:
    """One proof for each result of each kernel."""
    return tuple(p for kernel in kernels.values() for p in _proofs(derivation, kernel, kernels["forward"], what))


def _proofs(derivation: Derivation, kernel: Kernel, forward: Kernel, what: str) -> Iterator[Proof]:
    source = getattr(derivation, kernel.name)
    program: Program = source.program if isinstance(source, Derivative) else source
    saved = {q: _meaning(q, forward) for _, q in kernel.takes_saved if q not in program.inputs}
    # Any value at all: the proof is for every pivot, and for every number in the place of a saved mean.
    free = {p.pivot: p.pivot for p in kernel.pivots}
    free |= {s.mean: Quantity(f"{s.mean} as saved", s.mean.axes, "statistic") for s in kernel.steadied}
    kept = tuple(q for q in kernel.gives_saved if program.equation(q) is not None and q not in program.outputs)
    named = _kept(derivation, source)
    yield from same_outputs(
        Program(program.inputs, program.equations, (*_results(program, kernel), *kept)),
        Program(kernel.program.inputs, kernel.program.equations, (*kernel.outputs, *kept)),
        saved | free,
        premises=derivation.definition.premises,
        at=[e.left for e in program.equations if e.left in named],
        claim=f"{kernel.name}: {what} {{output}} is the derived one",
    )


def _kept(derivation: Derivation, source: Derivative | Program) -> frozenset[Quantity]:
    """The intermediates that lowering keeps under their names."""
    cut = cuts(derivation.definition)
    backward = cut.of(derivation.backward)
    again = backward.of(source) if isinstance(source, Derivative) and source is not derivation.backward else backward
    return again.values | cut.of(derivation.jvp).values


def _results(program: Program, kernel: Kernel) -> tuple[Quantity, ...]:
    """What the kernel computes of the program's outputs: where it calls forward, all but forward's own."""
    return tuple(q for q in program.outputs if q in kernel.outputs) if kernel.after_forward else program.outputs


def _meaning(q: Quantity, forward: Kernel) -> sympy.Expr:
    """What a saved quantity stands for: forward's own equation where it hoisted one, else the statistic itself."""
    hoisted = {o.left: o.equation.right for o in forward.operations if o.left in forward.gives_saved}
    is_power = q in hoisted and hoisted[q].is_Pow
    return hoisted[q] if is_power else q
