"""Exact fractions as numbers to evaluate programs on: what is no fraction is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from bnsym.calculus.elements import Numbers, each


class InexactError(ArithmeticError):
    """A value is no fraction; `function` names what gave it, where another argument would not help."""

    def __init__(self, what: str, function: str = ""):
        super().__init__(f"{what} is no fraction")
        self.function = function


def root(of: Fraction, degree: int) -> Fraction:
    """The exact root of a fraction. Raises InexactError."""
    parts = [_whole_root(n, degree) if n >= 0 else None for n in (of.numerator, of.denominator)]
    if parts[0] is None or parts[1] is None:
        raise InexactError(f"the root of {of}")
    return Fraction(parts[0], parts[1])


def _whole_root(n: int, degree: int) -> int | None:
    found = round(n ** (1 / degree))
    return next((k for k in (found - 1, found, found + 1) if k**degree == n), None)


def _power(base: Fraction, exponent: int | Fraction) -> Fraction:
    if base == 0 and exponent < 0:
        raise InexactError("1 over 0")
    exponent = Fraction(exponent)
    rooted = base if exponent.denominator == 1 else root(base, exponent.denominator)
    return Fraction(rooted**exponent.numerator)


def _constant(e: sympy.Expr) -> Fraction:
    if not e.is_Rational:
        raise InexactError(str(e), str(e))
    return Fraction(int(e.p), int(e.q))


def _refused(name: str) -> Any:
    def function(z: Fraction) -> Fraction:
        raise InexactError(f"{name} of {z}", name)

    return each(function)


FRACTIONS = Numbers(
    object,
    _constant,
    {name: _refused(name) for name in ("exp", "log", "tanh", "sinh", "atan", "erf")}
    | {
        "Abs": each(abs),
        "sign": each(lambda z: Fraction((z > 0) - (z < 0))),
        "step": each(lambda z: Fraction(z > 0)),
        "maximum": each(max, 2),
        "minimum": each(min, 2),
    },
    power=_power,
)
