"""Everything that is claimed of a derivation, proved or refused.

A proof is an exact zero in a normal form that decides equality, for symbolic sizes or for elements written out. A claim
that is false has a residual, and one that the normal form cannot decide is undecided; neither holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bnsym import claims
from bnsym.calculus.derive import Derivation
from bnsym.calculus.routes import composition, total_derivative, written_out
from bnsym.calculus.routes.case import Case, size_names
from bnsym.model import Proof

ROUTES = (total_derivative.proofs, written_out.proofs)


def prove(derivation: Derivation) -> tuple[Proof, ...]:
    """The gradients by two independent routes, what holds for every normalization, and the definition's own claims."""
    return (*by_routes(cases(derivation)), *stated(derivation))


def stated(derivation: Derivation) -> tuple[Proof, ...]:
    """What is claimed beside: of a composition, of every normalization, and by the definition."""
    return (*composition.proofs(derivation), *claims.of(derivation))


def by_routes(cases: Iterable[Case]) -> tuple[Proof, ...]:
    """Each derivative by each independent route."""
    return tuple(p for case in cases for route in ROUTES for p in route(case))


def cases(derivation: Derivation) -> Iterator[Case]:
    """The derivatives in a derivation, each with the program it was taken of."""
    program, premises = derivation.definition.program, derivation.definition.premises
    sizes = size_names(program)
    yield Case("backward", program, derivation.backward, premises, sizes)
    # Of a composition's tangent a few sizes are enough: it is the backward's transpose, which has them all.
    few = bool(derivation.definition.parts)
    yield Case("jvp", program, derivation.jvp, premises, sizes, forwards=True, few=few)
    if derivation.inference is not None and derivation.inference_backward is not None:
        yield Case("inference_backward", derivation.inference, derivation.inference_backward, premises, sizes)
