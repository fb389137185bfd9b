"""What is divided by a root of a statistic and a constant, and the factor that a scale of the data then leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy

from bnsym.calculus.homogeneity import Degrees
from bnsym.claims.stating import powered
from bnsym.model import Equation, Quantity

WRITTEN = {sympy.Rational(-1, 2): "s^2", sympy.Integer(-1): "s"}
"""How the factor is written, by the exponent of what is divided by."""


@dataclass(frozen=True)
class Quotient:
    """A division by (statistics + constants)^-exponent, the sum of the given degree."""

    statistics: tuple[Quantity, ...]
    constants: tuple[Quantity, ...]
    exponent: sympy.Rational
    degree: sympy.Rational

    def factor(self, a: Quantity) -> sympy.Expr:
        """What the quotient is multiplied by: 1 where the constants are 0."""
        scale = a**self.degree
        statistics, constants = sympy.Add(*self.statistics), sympy.Add(*self.constants)
        return (scale * (statistics + constants)) ** -self.exponent * (scale * statistics + constants) ** self.exponent

    @property
    def text(self) -> str:
        """The factor as it is stated."""
        scale = powered("a", self.degree)
        base = " + ".join(q.name for q in (*self.statistics, *self.constants))
        fixed = " + ".join([*(f"{scale} {q}" for q in self.statistics), *(q.name for q in self.constants)])
        return f"{WRITTEN[self.exponent]} = {scale} ({base}) / ({fixed})"


def quotients(e: Equation, degrees: Degrees, constants: Sequence[Quantity]) -> Iterator[Quotient]:
    """The divisions in an elementwise equation whose left side would have no degree if constants went along."""
    if len(e.terms) == 1 and not e.terms[0].axes and degrees[e.left] == 0:
        for power in sympy.Mul.make_args(e.terms[0].body):
            base, exponent = power.as_base_exp()
            parts = sorted(base.args, key=str) if base.is_Add and exponent in WRITTEN else []
            added = tuple(q for q in parts if q in constants)
            if added and all(isinstance(q, Quantity) for q in parts):
                rest = tuple(q for q in parts if q not in added)
                yield Quotient(rest, added, exponent, degrees[added[0]])
