"""A kernel as sweeps over the data: what one pass adds up, what is computed of the sums, and what it writes.

A pass costs its memory traffic and little else, so a sweep computes again what an earlier one computed of the same
elements, and nothing that has the data's shape is kept between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from bnsym.lowering.kernel import Kernel, Operation
from bnsym.model import Axis, Equation, Quantity, Term


@dataclass(frozen=True)
class Total:
    """`left = Sum(weight (value - shift), over)`, or the largest value; a `shift` is any number near the mean."""

    left: Quantity
    value: sympy.Expr
    weight: Quantity | None = None
    shift: Quantity | None = None
    largest: bool = False

    def equation(self, over: tuple[Axis, ...]) -> Equation:
        """As an equation."""
        body = self.value - self.shift if self.shift is not None else self.value
        return Equation(self.left, (Term(body if self.weight is None else self.weight * body, over, self.largest),))


@dataclass(frozen=True)
class Moment:
    """`left = Sum(weight (a - mean(a)) (b - mean(b)), over)`, a and b the values of two totals of the sweep."""

    left: Quantity
    first: int
    second: int

    def equation(self, totals: tuple[Total, ...], count: sympy.Expr, over: tuple[Axis, ...]) -> Equation:
        """As an equation; `count` is the sum of the weights."""
        a, b = totals[self.first], totals[self.second]
        body = (a.value - _mean(a, count)) * (b.value - _mean(b, count))
        return Equation(self.left, (Term(body if a.weight is None else a.weight * body, over),))


def _mean(total: Total, count: sympy.Expr) -> sympy.Expr:
    return total.left / count + (total.shift if total.shift is not None else 0)


@dataclass(frozen=True)
class Sweep:
    """One pass over the data, for each position along `kept` over all along `over`.

    `count` is the sum of the weights, `scalars` are computed when the sums are there, and `outputs` are written in the
    pass itself. Where `where` does not hold the pass may be left out, and its sums be taken for 0.
    """

    over: tuple[Axis, ...]
    kept: tuple[Axis, ...]
    totals: tuple[Total, ...] = ()
    moments: tuple[Moment, ...] = ()
    count: sympy.Expr = sympy.S.One
    scalars: tuple[Operation, ...] = ()
    outputs: tuple[Quantity, ...] = ()
    where: sympy.Rel | None = None

    @property
    def sums(self) -> tuple[Quantity, ...]:
        """What is added up."""
        return (*(t.left for t in self.totals), *(m.left for m in self.moments))


@dataclass(frozen=True)
class Schedule:
    """A kernel whose sums are totals and moments, and its sweeps in order.

    `arrays` are given for each element, `maps` computed for each; `ready` are scalars that need no sum.
    """

    kernel: Kernel
    sweeps: tuple[Sweep, ...]
    arrays: tuple[Quantity, ...]
    maps: tuple[Operation, ...]
    ready: tuple[Operation, ...] = ()

    @property
    def maps_of(self) -> frozenset[Quantity]:
        """What is computed for each element."""
        return frozenset(o.left for o in self.maps)
