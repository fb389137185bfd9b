"""Whether two programs compute the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, subtract
from bnsym.calculus.judge import SYMBOLIC, judged
from bnsym.model import Premise, Program, Proof, Quantity


def same_outputs(
    reference: Program,
    other: Program,
    given: Mapping[Quantity, sympy.Expr] | None = None,
    *,
    premises: Iterable[Premise] = (),
    claim: str = "{output} is what the chain rule's program computes",
    method: str = SYMBOLIC,
) -> tuple[Proof, ...]:
    """Two programs with outputs in one order compute the same, for all sizes: a proof an output.

    `given` says what inputs of `other` stand for that `reference` computes or does not have, as expressions in the
    reference's quantities: {mean: mean, inv_std: (var + eps)**Rational(-1, 2)}. Inputs of both are the same thing.
    """
    given = given or {}
    _check(reference, other, given)
    evaluation = Evaluation().assume(premises).run(reference)
    beside = evaluation.beside({q: evaluation.expression(e) for q, e in given.items()})

    def difference(ours: Quantity, theirs: Quantity) -> Form:
        return subtract(beside.run(other).forms[theirs], evaluation.forms[ours])

    return tuple(
        judged(claim.format(output=theirs), method, evaluation.context, partial(difference, ours, theirs))
        for ours, theirs in zip(reference.outputs, other.outputs, strict=True)
    )


def _check(reference: Program, other: Program, given: Mapping[Quantity, sympy.Expr]) -> None:
    """Every input of `other` has one meaning: a name alone is none."""
    for e in other.equations:
        if e.left in given:
            raise ValueError(f"{e.left} cannot be given: the program computes it")
    for q in other.inputs:
        if q not in given and q not in reference.inputs:
            raise ValueError(f"{q} is no input of the reference: say in `given` what it stands for")
