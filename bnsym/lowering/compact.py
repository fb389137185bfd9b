"""Elementwise polynomials in fewer operations and with fewer digits lost: factors where there are any, else Horner.

1 - 3 y + 2 y^2 near y = 1 is what is left of numbers near 1; (1 - y)(1 - 2 y) is exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

import sympy

from bnsym.model import Quantity, quantities

MOST_TERMS, MOST_SYMBOLS = 40, 8
"""The size of a polynomial beyond which looking for a shorter spelling takes too long."""

IsElement = Callable[[Quantity], bool]


def compact(e: sympy.Expr, is_element: IsElement, functions_of: Collection[Quantity] = ()) -> sympy.Expr:
    """The shortest spelling found of an elementwise body: as it is, factored, or by Horner's rule.

    `functions_of` are arrays that are functions of others, as t = tanh(z) is: what is added up is then powers of z.
    """
    if isinstance(e, sympy.Mul):
        return sympy.Mul(*(compact(a, is_element, functions_of) for a in _with_decay(e, is_element, functions_of)))
    functions = {f: sympy.Symbol(f"f{n}") for n, f in enumerate(sorted(e.atoms(sympy.Function), key=str))}
    named = e.xreplace(functions)
    arrays = [q for q in quantities(named) if is_element(q)]
    variables = [*arrays, *functions.values()]
    if not isinstance(e, sympy.Add) or len(e.args) > MOST_TERMS or not variables or not _is_bent(named, variables):
        return e
    parts = _by_seed(e)
    if len(parts) > 1:
        return sympy.Add(*(seed * compact(c, is_element, functions_of) for seed, c in parts.items()))
    coefficients: dict[sympy.Expr, sympy.Symbol] = {}
    poly = sympy.Poly(named, *variables)
    plain = sympy.Integer(0)
    for powers, c in poly.terms():
        factors = (v**k for v, k in zip(variables, powers, strict=True))
        plain += _coefficient(c, coefficients) * sympy.Mul(*factors)
    best = _shortest(plain, tuple(variables), tuple(q for q in arrays if q not in functions_of))
    back = {s: c for c, s in coefficients.items()} | {d: f for f, d in functions.items()}
    return best.xreplace(back) if best is not plain else e


def _with_decay(e: sympy.Mul, is_element: IsElement, functions_of: Collection[Quantity]) -> list[sympy.Expr]:
    """The factors, functions of arrays put into a sum that holds a square: where it overflows they may be 0."""
    arrays = [q for q in quantities(e) if is_element(q) and q not in functions_of]
    sums = [a for a in e.args if a.is_Add and any(sympy.degree(a, q) > 1 for q in arrays if a.is_polynomial(q))]
    functions = [a for a in e.args if a in functions_of or isinstance(a, sympy.Function)]
    if len(sums) != 1 or not functions:
        return list(e.args)
    rest = [a for a in e.args if a not in (*sums, *functions)]
    return [*rest, sympy.Add(*(sympy.Mul(*functions, a) for a in sums[0].args))]


def _by_seed(e: sympy.Expr) -> dict[sympy.Expr, sympy.Expr]:
    """What each product of gradients or tangents is multiplied with: a derivative is linear in them."""
    seeds = [q for q in quantities(e) if q.role == "gradient"]
    parts: dict[sympy.Expr, sympy.Expr] = {}
    for term in sympy.Add.make_args(e):
        rest, seed = term.as_independent(*seeds, as_Add=False) if seeds else (term, sympy.Integer(1))
        parts[seed] = parts.get(seed, sympy.Integer(0)) + rest
    return parts


@cache
def _shortest(plain: sympy.Expr, variables: tuple[sympy.Symbol, ...], outer: tuple[sympy.Symbol, ...]) -> sympy.Expr:
    small = len(plain.free_symbols) <= MOST_SYMBOLS
    functions = tuple(v for v in variables if v not in outer)
    collected = [c for v in outer if (c := _collected(plain, v, variables, functions)) is not None] if small else []
    if collected:
        return min(collected, key=_looseness)
    found = [sympy.horner(plain, *variables), sympy.horner(plain, *reversed(variables)), plain]
    best = min([sympy.factor(plain), *found] if small else found, key=lambda c: int(c.count_ops()))
    return plain if best is plain else _spread(best)


def _collected(
    e: sympy.Expr, v: sympy.Symbol, variables: tuple[sympy.Symbol, ...], functions: tuple[sympy.Symbol, ...]
) -> sympy.Expr | None:
    """By powers of one variable, each coefficient factored: c (1 - t^2) z, and not c z - c t^2 z, where t is near 1.

    And exp(-z) - exp(-z) z^2, not exp(-z) (1 - z^2), which is 0 times infinity where z^2 overflows. None where no
    coefficient has several terms, and no function is multiplied with a square.
    """
    others = [w for w in variables if w != v]
    coefficients = sympy.Poly(e, v).all_coeffs()[::-1]
    several = any(len(sympy.Poly(c, *others).terms()) > 1 for c in coefficients) if others else False
    if not several and not any(c.has(*functions) for c in coefficients[2:] if functions):
        return None
    return sympy.Add(*(sympy.factor(c) * v**n for n, c in enumerate(coefficients)))


def _looseness(e: sympy.Expr) -> tuple[int, int]:
    """How many terms are added up that might cancel, and how many operations there are."""
    return len(sympy.Add.make_args(e)), int(e.count_ops())


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
