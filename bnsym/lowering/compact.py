"""Elementwise polynomials in fewer operations and with fewer digits lost: factors where there are any, else Horner.

1 - 3 y + 2 y^2 near y = 1 is what is left of numbers near 1; (1 - y)(1 - 2 y) is exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import sympy

from bnsym.model import Quantity, quantities

MOST_TERMS, MOST_SYMBOLS = 40, 8
"""The size of a polynomial beyond which looking for a shorter spelling takes too long."""

IsElement = Callable[[Quantity], bool]


def compact(e: sympy.Expr, is_element: IsElement) -> sympy.Expr:
    """The shortest spelling found of an elementwise body: as it is, factored, or by Horner's rule."""
    if isinstance(e, sympy.Mul):
        return sympy.Mul(*(compact(a, is_element) for a in e.args))
    functions = {f: sympy.Symbol(f"f{n}") for n, f in enumerate(sorted(e.atoms(sympy.Function), key=str))}
    named = e.xreplace(functions)
    arrays = [q for q in quantities(named) if is_element(q)]
    variables = [*arrays, *functions.values()]
    if not isinstance(e, sympy.Add) or len(e.args) > MOST_TERMS or not variables or not _is_bent(named, variables):
        return e
    coefficients: dict[sympy.Expr, sympy.Symbol] = {}
    poly = sympy.Poly(named, *variables)
    plain = sympy.Integer(0)
    for powers, c in poly.terms():
        factors = (v**k for v, k in zip(variables, powers, strict=True))
        plain += _coefficient(c, coefficients) * sympy.Mul(*factors)
    best = _shortest(plain, tuple(variables))
    back = {s: c for c, s in coefficients.items()} | {d: f for f, d in functions.items()}
    return best.xreplace(back) if best is not plain else e


@cache
def _shortest(plain: sympy.Expr, variables: tuple[sympy.Symbol, ...]) -> sympy.Expr:
    found = [sympy.horner(plain, *variables), sympy.horner(plain, *reversed(variables)), plain]
    if len(plain.free_symbols) <= MOST_SYMBOLS:
        found.insert(0, sympy.factor(plain))
    best = min(found, key=lambda c: int(c.count_ops()))
    return plain if best is plain else _spread(best)


def _spread(e: sympy.Expr) -> sympy.Expr:
    """A number before a product goes into its longest sum, where the others came from: (1 + t) (1/2 + z), not twice."""
    number, rest = e.as_coeff_Mul()
    sums = [a for a in sympy.Mul.make_args(rest) if a.is_Add]
    if number == 1 or not sums:
        return e
    longest = max(sums, key=lambda a: (len(a.args), str(a)))
    return rest / longest * sympy.Add(*(number * a for a in longest.args))


def _is_bent(e: sympy.Expr, variables: list[sympy.Symbol]) -> bool:
    """Whether e is a polynomial in which some variable occurs in two powers, so that there is something to gain."""
    if not e.is_polynomial(*variables):
        return False
    monomials = sympy.Poly(e, *variables).monoms()
    return any(len({m[n] for m in monomials} - {0}) > 1 for n in range(len(variables)))


def _coefficient(c: sympy.Expr, known: dict[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    """A rational number as it is; anything else as a symbol, which factoring need not understand."""
    number, rest = c.as_coeff_Mul()
    return c if c.is_Rational else number * known.setdefault(rest, sympy.Symbol(f"c{len(known)}", positive=True))
