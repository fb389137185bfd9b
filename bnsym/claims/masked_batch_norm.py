"""Masked batch normalization: what the mask leaves out takes no part, and a mask of ones is batch normalization."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Integer

from bnsym.calculus.derive import Derivation
from bnsym.claims.alike import alike, backward_of
from bnsym.claims.stating import Stated, substituted
from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.masked_batch_norm import c, count, i, masked_batch_norm, taken, x, y
from bnsym.language import Eq, data, values
from bnsym.model import Program, Proof, Quantity

DEFINITION = masked_batch_norm

other, dother, outside = data("other", i, c), data("dother", i, c), values("outside", i, c)
dy = Quantity("dy", y.axes, "gradient")


def claims(derivation: Derivation) -> Iterator[Proof]:
    """For any mask, then for one of ones."""
    yield from left_out(derivation)
    yield from of_ones(derivation.backward.program)


def left_out(derivation: Derivation) -> Iterator[Proof]:
    """Anything may stand in x and in dy where the mask is 0."""
    backward = derivation.backward
    plain = Stated(backward.program)
    anything = {x: taken * x + (1 - taken) * other, dy: taken * dy + (1 - taken) * dother}
    moved = Stated(substituted(backward.program, anything), beside=plain)
    for q, prefix in ((y, "forward"), *((backward.gradients[u], "backward") for u in backward.wrt)):
        what = "x" if q == y else "x and dy"
        claim = f"{prefix}: {q} does not depend on {what} where the mask is 0"
        yield plain.equal(claim, q, q, at=moved)
    yield plain.zero("forward: y is 0 where the mask is 0", Eq(outside, (1 - taken) * y))
    yield plain.zero("backward: dx is 0 where the mask is 0", Eq(outside, (1 - taken) * backward.gradients[x]))


def of_ones(backward: Program) -> Iterator[Proof]:
    """The count is then what the mask adds up to, the number of examples."""
    counted = backward.replace({count: Quantity("counted", count.axes)})
    whole = substituted(counted, {taken: Integer(1)})
    for prefix, names in (("forward", ("mean", "var", "y")), ("backward", ("dx", "dgamma", "dbeta"))):
        claim = f"{prefix}: {{output}} is batch norm's for a mask of ones"
        yield from alike(whole, backward_of(batch_norm), names, claim)
