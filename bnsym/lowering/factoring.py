"""Sums of monomials with what they share taken out; a monomial is a list of powers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import sympy

Powers = list[tuple[sympy.Expr, sympy.Rational]]


def in_order(powers: Powers) -> Powers:
    """Sorted by the base's text."""
    return sorted(powers, key=lambda item: str(item[0]))


def multiplied(powers: Powers) -> sympy.Expr:
    """The product of the powers, in their order."""
    return sympy.Mul(*(b**e for b, e in powers))


def factored(terms: list[tuple[Fraction, Powers]], is_element: Callable[[sympy.Expr], bool]) -> sympy.Expr:
    """A sum of monomials: what all of them share taken out, the rest collected by the arrays in it."""
    if not terms:
        return sympy.Integer(0)
    tables = [_as_table(powers) for _, powers in terms]
    shared = {b: min((t[b] for t in tables), key=abs) for b, e in tables[0].items()
              if len(terms) > 1 and all(b in t and t[b] * e > 0 for t in tables)}  # fmt: skip
    collected: dict[sympy.Expr, list[sympy.Expr]] = {}
    for (c, _), table in zip(terms, tables, strict=True):
        rest = {b: e - shared.get(b, 0) for b, e in table.items()}
        arrays = _product({b: e for b, e in rest.items() if is_element(b)})
        coefficient = _product({b: e for b, e in rest.items() if not is_element(b)})
        collected.setdefault(arrays, []).append(sympy.Rational(c.numerator, c.denominator) * coefficient)
    inner = sympy.Add(*(sympy.Add(*coefficients) * arrays for arrays, coefficients in collected.items()))
    return _product(shared) * inner


def _as_table(powers: Powers) -> dict[sympy.Expr, sympy.Rational]:
    """Each base once: a sum may stand in a monomial several times."""
    table: dict[sympy.Expr, sympy.Rational] = {}
    for base, e in powers:
        table[base] = table.get(base, 0) + e
    return table


def _product(powers: dict[sympy.Expr, sympy.Rational]) -> sympy.Expr:
    return multiplied(in_order(list(powers.items())))
