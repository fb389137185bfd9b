"""What of a kernel's arrays can be computed by now, and what an array is centred from that cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy

from bnsym.lowering.kernel import Kernel, Kind
from bnsym.model import Axis, Equation, Quantity, Size, outside_and_inside, quantities


@dataclass(frozen=True)
class Base:
    """`value - shift`, or with `mean` the value without its mean, which is weighted by `weight`."""

    value: sympy.Expr
    shift: Quantity | None = None
    mean: bool = False
    weight: Quantity | None = None


class Centring:
    """The operations of one kernel, and the per-channel numbers that are known so far."""

    def __init__(self, kernel: Kernel, wide: Callable[[Quantity], bool]):
        self.made = {o.left: o for o in kernel.operations}
        self.wide = wide
        self.pivots = {p.pivot for p in kernel.pivots}
        self.known = {*kernel.arguments, *(q for _, q in kernel.takes_saved)}

    def available(self, e: sympy.Expr) -> bool:
        """Whether an expression can be computed for an element, from arrays and what is known."""
        return all(self._is_available(q) for q in quantities(e))

    def _is_available(self, q: Quantity) -> bool:
        if isinstance(q, Size) or q in self.known:
            return True
        o = self.made.get(q)
        return o is not None and o.kind is not Kind.REDUCE and self.wide(q) and self.available(o.equation.right)

    def needs(self, e: Equation, q: Quantity) -> bool:
        """Whether an equation needs a quantity, directly or through others; one that is known needs nothing."""
        return any(self.leads_to(i, q) for i in e.inputs)

    def leads_to(self, start: Quantity, q: Quantity) -> bool:
        """Whether a quantity is another, or needs it."""
        if start == q:
            return True
        o = self.made.get(start)
        return o is not None and start not in self.known and self.needs(o.equation, q)

    def split(self, inside: sympy.Expr) -> tuple[Quantity | None, list[sympy.Expr]]:
        """A mask that a product is weighted with, and its other factors, powers one by one."""
        factors: list[sympy.Expr] = []
        for f in sympy.Mul.make_args(inside):
            base, n = f.as_base_exp()
            factors += [base] * int(n) if n.is_Integer and 0 < n <= 4 else [f]
        masks = [f for f in factors if isinstance(f, Quantity) and f.role == "mask" and self.wide(f)]
        if len(masks) != 1:
            return None, factors
        return masks[0], [f for f in factors if f is not masks[0]]

    def base(self, e: sympy.Expr, over: tuple[Axis, ...]) -> Base | None:
        """What an expression is centred from, or, if it can be computed by now, itself."""
        if isinstance(e, Quantity) and self.wide(e) and not self._is_available(e):
            return self.base(self.made[e].equation.right, over) if e in self.made else None
        if self.available(e):
            return Base(e)
        if e.is_Mul:
            return self._scaled(e, over)
        return self._centred(e, over) if e.is_Add else None

    def _scaled(self, e: sympy.Mul, over: tuple[Axis, ...]) -> Base | None:
        """A multiple by what is one number along the axes: it brings large data down before they are multiplied."""
        outside = [f for f in e.args if self.available(f) and not any(set(q.axes) & set(over) for q in quantities(f))]
        rest = [f for f in e.args if f not in outside]
        base = self.base(rest[0], over) if len(rest) == 1 else None
        if base is None or (outside and base.shift is not None):
            return None
        return replace(base, value=sympy.Mul(*outside) * base.value)

    def _centred(self, e: sympy.Add, over: tuple[Axis, ...]) -> Base | None:
        """`v - u`, u a pivot or the mean of v."""
        for u in [q for q in quantities(e) if not self.wide(q) and not self._is_available(q)]:
            v = e + u
            if v.has(u):
                continue
            if u in self.pivots:
                return Base(v, shift=u) if self.available(v) else None
            weight = self._mean_of(u, v, over)
            if weight is not None:
                inner = self.base(v, over)
                if inner is not None and not inner.mean:
                    return Base(inner.value, inner.shift, True, weight[0])
        return None

    def _mean_of(self, u: Quantity, v: sympy.Expr, over: tuple[Axis, ...]) -> tuple[Quantity | None] | None:
        """The weight with which u averages v, in a tuple; None where it does not. The proof has the last word."""
        o = self.made.get(u)
        if o is None or len(o.equation.terms) != 1 or set(o.equation.terms[0].axes) != set(over):
            return None
        _, inside = outside_and_inside(o.equation.terms[0])
        weight, factors = self.split(inside)
        return (weight,) if sympy.Mul(*factors) == v else None
