"""Everything that is claimed of a derivation, proved or refused.

A proof is an exact zero in a normal form that decides equality, for symbolic sizes or for elements written out. A claim
that is false has a residual, and one that the normal form cannot decide is undecided; neither holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import sympy

from bnsym import claims
from bnsym.calculus.derive import Derivation
from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, subtract
from bnsym.calculus.judge import SYMBOLIC, judged
from bnsym.calculus.routes import total_derivative, written_out
from bnsym.calculus.routes.case import Case, size_names
from bnsym.model import Premise, Program, Proof, Quantity

ROUTES = (total_derivative.proofs, written_out.proofs)


def prove(derivation: Derivation) -> tuple[Proof, ...]:
    """The gradients by two independent routes, what holds for every normalization, and the definition's own claims."""
    gradients = (p for case in cases(derivation) for route in ROUTES for p in route(case))
    return (*gradients, *claims.of(derivation))


def cases(derivation: Derivation) -> Iterable[Case]:
    """The derivatives in a derivation, each with the program it was taken of."""
    definition = derivation.definition
    sizes = size_names(definition.program)
    yield Case("backward", definition.program, derivation.backward, definition.premises, sizes)
    if derivation.inference is not None and derivation.inference_backward is not None:
        yield Case(
            "inference_backward", derivation.inference, derivation.inference_backward, definition.premises, sizes
        )


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
    evaluation = Evaluation().assume(premises).run(reference)
    forms = {q: evaluation.expression(e) for q, e in (given or {}).items()}
    beside = evaluation.beside(forms)

    def difference(ours: Quantity, theirs: Quantity) -> Form:
        return subtract(beside.run(other).forms[theirs], evaluation.forms[ours])

    return tuple(
        judged(claim.format(output=theirs), method, evaluation.context, partial(difference, ours, theirs))
        for ours, theirs in zip(reference.outputs, other.outputs, strict=True)
    )
