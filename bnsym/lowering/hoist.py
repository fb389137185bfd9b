"""Arithmetic that is the same for a whole channel is done once, under a name: scale, shift, mean_dy."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy

from bnsym.lowering.names import product_name, unused
from bnsym.model import Equation, Quantity, Size, Term, quantities

IsElement = Callable[[Quantity], bool]


class Hoist:
    """Takes per-channel parts out of elementwise bodies; the equations it made are in `equations`."""

    def __init__(self, is_element: IsElement, reductions: dict[Quantity, Equation]):
        self.is_element, self.reductions = is_element, reductions
        self.equations: list[Equation] = []
        self._parts: dict[Quantity, sympy.Expr] = {}

    def equations_of(self, equations: Iterable[Equation]) -> list[Equation]:
        """Equations with the per-channel parts of elementwise ones before them, each part computed once."""
        done: list[Equation] = []
        for e in equations:
            if self.is_element(e.left) and not any(t.axes for t in e.terms):
                known = len(self.equations)
                e = Equation(e.left, (Term(self.body(e.right, e.left)),), e.held, e.origin)
                done += self.equations[known:]
            elif not any(t.axes for t in e.terms):
                e = Equation(e.left, (Term(self._with_known(e.right)),), e.held, e.origin)
                self._parts[e.left] = e.right
            done.append(e)
        return done

    def _with_known(self, e: sympy.Expr) -> sympy.Expr:
        """An expression in the names there are: beta - mean * scale, not beta - mean * gamma * inv_std."""
        for left, part in self._parts.items():
            if part.is_Mul and e != part and part.free_symbols <= e.free_symbols:
                e = e.subs(part, left)
        return e

    def body(self, e: sympy.Expr, left: Quantity) -> sympy.Expr:
        """An elementwise body in which every per-channel part is a single name."""
        return self._walk(e, left, top=True)

    def _walk(self, e: sympy.Expr, left: Quantity, top: bool = False) -> sympy.Expr:
        if all(isinstance(q, Size) for q in quantities(e)) or isinstance(e, sympy.Symbol):
            return e
        if not self._wide(e):
            return self._named(e, left, "scale" if top else "coef")
        if isinstance(e, (sympy.Mul, sympy.Add)):
            return self._split(e, left, top)
        return e.func(*(self._walk(a, left) for a in e.args))

    def _wide(self, e: sympy.Expr) -> bool:
        return any(self.is_element(q) for q in quantities(e))

    def _split(self, e: sympy.Expr, left: Quantity, top: bool) -> sympy.Expr:
        plain = [a for a in e.args if not self._wide(a)]
        arrays = [a for a in e.args if a not in plain]
        inner_top = top and isinstance(e, sympy.Add) and len(arrays) == 1
        wide = [self._walk(a, left, inner_top) for a in arrays]
        if isinstance(e, sympy.Add):
            narrow = [self._named(part, left, "shift") for part in self._apart(plain, sympy.Add)]
            return sympy.Add(*wide, *narrow)
        hint = "scale" if top else f"coef_{product_name([w.as_base_exp() for w in arrays])}"
        narrow = [self._named(part, left, hint) for part in self._apart(plain, sympy.Mul)]
        return sympy.Mul(*wide, *narrow)

    def _apart(self, parts: list[sympy.Expr], func: type[sympy.Expr]) -> list[sympy.Expr]:
        """Per-channel parts together, unless together they would have an entry for each element."""
        whole = func(*parts)
        axes = tuple({a for q in quantities(whole) for a in q.axes})
        if not parts or not self.is_element(Quantity("_", axes)):
            return [whole] if parts else []
        return sorted(parts, key=str)

    def _named(self, e: sympy.Expr, left: Quantity, hint: str) -> sympy.Expr:
        number, rest = e.as_coeff_Mul()
        if e.is_number or (isinstance(rest, sympy.Symbol) and number in (1, -1)):
            return e
        if number.is_negative:
            return -self._named(-e, left, hint)
        known = next((left for left, part in self._parts.items() if part == e), None)
        return known if known is not None else self._new_name(e, left, self._mean_name(e) or hint)

    def _new_name(self, e: sympy.Expr, left: Quantity, name: str) -> Quantity:
        axes = tuple(a for a in left.axes if any(a in q.axes for q in quantities(e)))
        taken = {q.name for q in self._parts}
        found = Quantity(unused(name, f"{left.name}_{name}", taken=taken), axes, "sum")
        self.equations.append(Equation(found, (Term(self._with_known(e)),)))
        self._parts[found] = e
        return found

    def _mean_name(self, e: sympy.Expr) -> str | None:
        """A sum over its own number of terms is a mean."""
        sums = [q for q in quantities(e) if q in self.reductions]
        if len(sums) != 1 or not all(isinstance(q, Size) for q in quantities(e) if q not in sums):
            return None
        term = self.reductions[sums[0]].terms[0]
        factors = sorted(term.body.as_powers_dict().items(), key=str)
        if not all(isinstance(base, Quantity) and power.is_positive for base, power in factors):
            return None
        counts = {q.axis for q in quantities(e) if isinstance(q, Size)}
        if sympy.diff(e, sums[0]).has(sums[0]) or counts != set(term.axes) or len(self.reductions[sums[0]].terms) > 1:
            return None
        ratio = e / sums[0] * sympy.Mul(*(q for q in quantities(e) if isinstance(q, Size)))
        return f"mean_{product_name(factors)}" if ratio == 1 else None
