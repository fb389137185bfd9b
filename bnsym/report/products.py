"""Products taken apart as a reader sees them: a number, and powers; what is inside a bracket tidied."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from bnsym.model import Axis, Quantity, Reduction, Sum

Power = tuple[sympy.Expr, sympy.Expr]


@dataclass(frozen=True)
class Product:
    """`number` times every base to its exponent. Bases are in no order: the printer has its own."""

    number: sympy.Number
    powers: tuple[Power, ...]

    @property
    def negative(self) -> bool:
        """Whether a minus sign stands before it."""
        return bool(self.number.is_negative)

    @property
    def magnitude(self) -> Product:
        """Without the sign."""
        return Product(abs(self.number), self.powers)


def product(e: sympy.Expr) -> Product:
    """`2*mean - 2*x` over m is -2 times (x - mean) over m."""
    number, powers = sympy.Integer(1), []
    for f in sympy.Mul.make_args(e):
        # exp(z) is a power of e to SymPy, but not to a reader who has a quantity named e.
        base, exponent = (f.base, f.exp) if f.is_Pow else (f, sympy.Integer(1))
        if f.is_Number:
            number *= f
            continue
        if (base.is_Add or isinstance(base, Sum)) and exponent.is_Integer:
            content, base = _tidied(base) if base.is_Add else _tidied_sum(base)
            number *= content**exponent
        powers.append((base, exponent))
    return Product(number, tuple(powers))


def _tidied(e: sympy.Add) -> tuple[sympy.Number, sympy.Expr]:
    """A bracket without a common number, and a difference with what has more indices first: x - mean."""
    content, rest = e.primitive()
    terms = sympy.Add.make_args(rest)
    minus = [t for t in terms if t.could_extract_minus_sign()]
    plus = [t for t in terms if t not in minus]
    if len(minus) == len(plus) == 1 and not plus[0].is_Number and len(free(minus[0])) > len(free(plus[0])):
        return -content, -rest
    return content, rest


def _tidied_sum(e: Sum) -> tuple[sympy.Number, sympy.Expr]:
    """A sum with its number before it, and what is summed tidied likewise."""
    if e.body.is_Add:
        number, body = _tidied(e.body)
    else:
        inner = product(e.body)
        number, body = inner.number, sympy.Mul(*(b**x for b, x in inner.powers))
    return number, Sum(body, *e.axes)


def free(e: sympy.Basic) -> frozenset[Axis]:
    """The axes that an expression varies along: those that it sums over are used up."""
    if isinstance(e, Quantity):
        return frozenset(e.axes)
    if isinstance(e, Reduction):
        return free(e.body) - set(e.axes)
    return frozenset(a for part in e.args for a in free(part))
