"""Formulas with numbers in the place of symbols, every sum written out: what somebody with a pencil writes down."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from fractions import Fraction

import sympy

from bnsym.calculus.elements import Array
from bnsym.model import Axis, Equation, Largest, Quantity, Reduction, Size
from bnsym.report.latex import FACTOR, SUM, Latex, bracketed
from bnsym.report.notation import Notation, Scope

Place = dict[Axis, int]
NUMBER = re.compile(r"-?(?:\d+|\\frac\{\d+\}\{\d+\})")
INNERMOST = re.compile(rf"(^|\\left\()\\left\(({NUMBER.pattern})\\right\)(?!\^)")
"""A number in brackets where a bracket, or the whole, begins: there it needs none."""


class Valued(Latex):
    """Prints an equation at one place of its left side, with the values of an example."""

    def __init__(self, notation: Notation, values: Mapping[Quantity, Array]):
        super().__init__(notation)
        self.values = values
        self.sizes = {a: n for q, array in values.items() for a, n in zip(q.axes, array.shape, strict=True)}

    def places(self, q: Quantity) -> list[Place]:
        """Every place of a quantity."""
        every = itertools.product(*(range(self.sizes[a]) for a in q.axes))
        return [dict(zip(q.axes, place, strict=True)) for place in every]

    def at(self, q: Quantity, place: Place) -> str:
        """A quantity with numbers for indices."""
        return self.notation.quantity(q, _scope(place))

    def value(self, q: Quantity, place: Place) -> Fraction:
        """The number there."""
        return Fraction(self.values[q][tuple(place[a] for a in q.axes)])

    def worked(self, e: Equation, place: Place) -> str:
        """`left = right with numbers = value`; where the right side is a number already it is not repeated."""
        put_in = INNERMOST.sub(r"\1\2", _bare(self.terms(e.terms, _scope(place))))
        result = fraction(self.value(e.left, place))
        return " = ".join(dict.fromkeys([self.at(e.left, place), put_in, result]))

    def _expression(self, e: sympy.Expr, scope: Scope, place: int) -> str:
        if isinstance(e, Size):
            return str(self.sizes[e.axis])
        if isinstance(e, Quantity):
            found = self.value(e, {a: int(letter) - 1 for a, letter in scope.letters.items()})
            bare = place == SUM or (found >= 0 and (place == FACTOR or found.denominator == 1))
            return fraction(found) if bare else bracketed(fraction(found))
        return super()._expression(e, scope, place)

    def _reduction(self, e: Reduction, scope: Scope) -> str:
        parts = []
        for place in itertools.product(*(range(self.sizes[a]) for a in e.axes)):
            inside = scope
            for axis, n in zip(e.axes, place, strict=True):
                inside = inside.under(axis, str(n + 1))
            parts.append(self._expression(e.body, inside, SUM if isinstance(e, Largest) else FACTOR))
        if isinstance(e, Largest):
            return r"\max" + bracketed(", ".join(parts))
        return parts[0] if len(parts) == 1 else bracketed(" + ".join(parts))

    def _sums(self, sums: list[Reduction], scope: Scope) -> list[str]:
        return sorted(self._reduction(s, scope) for s in sums)

    def _fraction(self, top: str, bottom: str) -> str:
        """No fraction stands on top of another one, and no minus sign on top of a number."""
        if NUMBER.fullmatch(top) and r"\frac" in top:
            return rf"\frac{{1}}{{{bottom}}} " + (bracketed(top) if top.startswith("-") else rf"\cdot {top}")
        if NUMBER.fullmatch(top) and top.startswith("-") and bottom.isdigit():
            return bracketed(f"-{super()._fraction(top[1:], bottom)}")
        return super()._fraction(top, bottom)

    def _in_a_row(self, factors: list[str]) -> str:
        """Numbers side by side would be read as one."""
        text = ""
        for factor in factors:
            apart = bool(text) and not factor.startswith(r"\left(")
            text += (r" \cdot " if apart else " ") * bool(text) + factor
        return text


def fraction(n: Fraction) -> str:
    """A fraction in digits."""
    whole = str(abs(n.numerator))
    text = whole if n.denominator == 1 else rf"\frac{{{whole}}}{{{n.denominator}}}"
    return f"-{text}" if n < 0 else text


def _scope(place: Place) -> Scope:
    return Scope({a: str(n + 1) for a, n in place.items()}, frozenset())


def _bare(text: str) -> str:
    """A whole right side needs no brackets around it."""
    inside = text.removeprefix(r"\left(").removesuffix(r"\right)")
    return inside if text == bracketed(inside) and _balanced(inside) else text


def _balanced(text: str) -> bool:
    """Whether every bracket that opens in it closes in it, and none closes first."""
    depth = 0
    for part in text.split("\\"):
        depth += part.startswith("left") - part.startswith("right")
        if depth < 0:
            return False
    return depth == 0
