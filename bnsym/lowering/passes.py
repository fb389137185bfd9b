"""One pass over the data being put together: which sums it takes, as totals and moments."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from bnsym.checks import DefinitionError
from bnsym.lowering.centring import Base, Centring
from bnsym.lowering.kernel import Operation
from bnsym.lowering.sweeps import Moment, Total
from bnsym.model import Axis, Equation, Quantity, Term, outside_and_inside, quantities

Shifted = tuple[sympy.Expr, Quantity | None]
"""A value, and the number it is summed over, if any."""


class Pass:
    """The totals and moments of one sweep over the axes `over`, for each position along `kept`.

    `taken` are the sums that they give, as scalars of them.
    """

    def __init__(self, over: tuple[Axis, ...], kept: tuple[Axis, ...], look: Centring, names: set[str]):
        self.over, self.kept, self.look, self.names = over, kept, look, names
        self.totals: list[Total] = []
        self.moments: list[Moment] = []
        self.taken: dict[Quantity, Equation] = {}

    def take(self, o: Operation) -> bool:
        """Take a sum in, if all of its terms can be summed in this pass."""
        totals, moments, terms = [*self.totals], [*self.moments], []
        for t in o.equation.terms:
            part = self._part(t) if t.axes else t.body
            if part is None:
                self.totals, self.moments = totals, moments
                return False
            terms.append(Term(part))
        self.taken[o.left] = Equation(o.left, tuple(terms), o.equation.held, o.equation.origin)
        return True

    def equations(self, count: sympy.Expr) -> list[Equation]:
        """What the pass adds up, as equations; `count` is the sum of its weights."""
        totals = tuple(self.totals)
        return [*(t.equation(self.over) for t in totals), *(m.equation(totals, count, self.over) for m in self.moments)]

    def count(self, size: Callable[[Axis], sympy.Expr]) -> sympy.Expr:
        """The sum of the weights: how many elements there are, or what the mask leaves."""
        weights = {self.totals[m.first].weight for m in self.moments} - {None}
        if len(weights) > 1:
            raise DefinitionError("two masks weigh the sums of one pass, and one was expected")
        if weights:
            return next(t.left for t in self.totals if t.value == 1 and t.weight in weights)
        return sympy.Mul(*(size(a) for a in self.over))

    def _part(self, t: Term) -> sympy.Expr | None:
        """A sum as a total or a moment with what stands before it; None where it is neither by now."""
        outside, inside = outside_and_inside(t)
        weight, factors = self.look.split(inside)
        if weight is not None and not self.look.available(weight):
            return None
        if all(self.look.available(f) for f in factors):
            return outside * self._total((sympy.Mul(*factors), None), weight, largest=t.largest)
        bases = [] if t.largest else [self.look.base(f, t.axes) for f in factors]
        found = [b for b in bases if b is not None]
        if not found or len(found) < len(bases):
            return None
        if len(found) == 1 and found[0].shift is not None and not found[0].mean:
            return outside * self._total((found[0].value, found[0].shift), weight)
        return outside * self._moment(found, weight) if _are_moment(found, weight) else None

    def _total(self, shifted: Shifted, weight: Quantity | None, *, largest: bool = False) -> Quantity:
        value, shift = shifted
        for t in self.totals:
            if (t.value, t.weight, t.largest, t.shift) == (value, weight, largest, shift):
                return t.left
        what = "_".join(q.name for q in quantities(value * (weight if weight is not None else 1))) or "ones"
        left = self._fresh(f"{'largest' if largest else 'total'}_{what}")
        self.totals.append(Total(left, value, weight, shift, largest))
        return left

    def _moment(self, bases: list[Base], weight: Quantity | None) -> Quantity:
        lefts = [self._total((b.value, b.shift), weight) for b in bases]
        first, second = sorted(n for left in lefts for n, t in enumerate(self.totals) if t.left == left)
        for m in self.moments:
            if (m.first, m.second) == (first, second):
                return m.left
        names = "_".join(q.name for k in dict.fromkeys((first, second)) for q in quantities(self.totals[k].value))
        made = Moment(self._fresh(f"moment_{names}"), first, second)
        self.moments.append(made)
        if weight is not None:
            self._total((sympy.Integer(1), None), weight)
        return made.left

    def _fresh(self, name: str) -> Quantity:
        taken = self.names | {t.left.name for t in self.totals} | {m.left.name for m in self.moments}
        return Quantity(
            next(n for n in (name, *(f"{name}_{k}" for k in range(2, 99))) if n not in taken), self.kept, "sum"
        )


def _are_moment(bases: list[Base], weight: Quantity | None) -> bool:
    """Two factors, of which one at least is without its mean: then it is of no matter whether the other is."""
    return len(bases) == 2 and any(b.mean for b in bases) and all(b.weight == weight for b in bases if b.mean)
