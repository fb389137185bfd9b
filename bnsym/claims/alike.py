"""Two definitions that compute the same once their axes are brought together: compared name by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy

from bnsym.calculus.chain import differentiable, reverse
from bnsym.calculus.equality import same_outputs
from bnsym.model import Definition, Program, Proof, Quantity


def backward_of(definition: Definition) -> Program:
    """A definition's backward, the forward with it."""
    return reverse(definition.program, differentiable(definition.program)).program


def alike(
    reference: Program,
    other: Program,
    names: Sequence[str],
    claim: str,
    given: Mapping[Quantity, sympy.Expr] | None = None,
) -> Iterator[Proof]:
    """What both programs compute under each name is the same.

    An input of the other one is the reference's of that name, along whatever axes, unless `given` says what it is.
    """
    ours = {q.name: q for q in reference.inputs}
    meant: dict[Quantity, sympy.Expr] = {q: ours[q.name] for q in other.inputs if q.name in ours} | dict(given or {})
    ours_needed, others_needed = (p.needed(tuple(_computed(p, n) for n in names)) for p in (reference, other))
    yield from same_outputs(ours_needed, others_needed, meant, claim=claim)


def _computed(program: Program, name: str) -> Quantity:
    return next(e.left for e in program.equations if e.left.name == name)
