"""Terms in the project's own spelling, as plain text: gamma inv_std x_hat mean(dy x_hat)."""

from __future__ import annotations

import sympy

from bnsym.checker.written import Written
from bnsym.model import Axis, Quantity, Size

ROLES = ("parameter", "fixed", "mask", "statistic", "count", "gradient", "value", "data", "sum", "constant")
"""The order in which the factors of a product are read out."""


def term_text(w: Written, term: Quantity) -> str:
    """A term of a gradient, without its sign."""
    return _product(w, w.of(w.program, term))


def count_text(w: Written, axes: tuple[Axis, ...]) -> str:
    """The number of positions along axes: m, or the sizes' names."""
    found = {q.axis: q.name for e in w.program.equations for t in e.terms for q in t.body.atoms(Size)}
    return " ".join(found.get(a, f"the size along {a.name}") for a in axes)


def sum_text(w: Written, name: Quantity, *, mean: bool) -> str:
    """What a sum is, as mean(...) or sum(...)."""
    equation = w.program.equation(name)
    assert equation is not None  # a name that the program gave
    return f"{'mean' if mean else 'sum'}({' + '.join(_product(w, t.body) for t in equation.terms)})"


def _product(w: Written, e: sympy.Expr) -> str:
    """A product: each factor by its name, sums last, a sum over its own number of terms as a mean."""
    powers = {b: p for b, p in sympy.Abs(e.as_coeff_Mul()[0]).as_powers_dict().items() if b != 1}
    factors: dict[sympy.Expr, sympy.Expr] = dict(e.as_coeff_Mul()[1].as_powers_dict())
    spoken = [_power(str(b), p) for b, p in powers.items()]
    sums = [q for q in factors if is_sum(w, q)]
    last = []
    for q in sums:
        counts = _counts(w, q, factors)
        for c in counts:
            factors[c] += 1
        last.append(_power(sum_text(w, q, mean=bool(counts)), factors.pop(q)))
    rest = sorted((q for q, p in factors.items() if p != 0), key=_order)
    return " ".join([*spoken, *(_power(str(q), factors[q]) for q in rest), *last]) or "1"


def is_sum(w: Written, q: sympy.Expr) -> bool:
    """Whether a quantity of the backward is a sum over the data."""
    equation = w.program.equation(q) if isinstance(q, Quantity) else None
    stated = w.definition.program.equation(q) if isinstance(q, Quantity) else None
    return equation is not None and stated is None and any(t.axes for t in equation.terms)


def _counts(w: Written, q: Quantity, factors: dict[sympy.Expr, sympy.Expr]) -> list[Quantity]:
    """The sizes, or the count, that a sum is divided by to make it a mean; none where it is not."""
    equation = w.program.equation(q)
    axes = {a for t in equation.terms for a in t.axes} if equation else set()
    sizes = [s for s, p in factors.items() if isinstance(s, Size) and s.axis in axes and p == -1]
    if {s.axis for s in sizes} == axes:
        return sizes
    return [s for s, p in factors.items() if isinstance(s, Quantity) and s.role == "count" and p == -1]


def _order(q: sympy.Expr) -> tuple[int, str]:
    return ROLES.index(q.role) if isinstance(q, Quantity) and q.role in ROLES else len(ROLES), str(q)


def _power(name: str, power: sympy.Expr) -> str:
    return name if power == 1 else f"{name}^{power}"
