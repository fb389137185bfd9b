"""Products taken apart as a reader sees them: a number, and powers; what is inside a bracket tidied."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import sympy

from bnsym.model import Axis, Quantity, Reduction, Size, Sum

Power = tuple[sympy.Expr, sympy.Expr]
HALF = sympy.Rational(1, 2)
FINE, DIGITS = 100, 14
"""A fraction with a larger denominator is a decimal number, where that is exact and no longer than so many digits."""


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
    return _rooted(Product(number, tuple(powers)))


def _rooted(p: Product) -> Product:
    """Roots of numbers under one: 1 over the root of 2, not the root of 2 over 2."""
    roots = [(b, e) for b, e in p.powers if b.is_number and b.is_positive and e in (HALF, -HALF)]
    inside = sympy.Mul(*(b ** (2 * e) for b, e in roots))
    count, rest = inside.as_coeff_Mul()
    number = p.number
    if number.is_Rational and count.is_Rational and count.p > 1 and number.q <= FINE and number.q % count.p == 0:
        number, inside = number * count.p, rest / (count.p * count.q)
    top, bottom = inside.as_numer_denom()
    root = (bottom, -HALF) if top == 1 else (inside, HALF)
    return Product(number, (*(power for power in p.powers if power not in roots), *([root] if inside != 1 else [])))


def _tidied(e: sympy.Add) -> tuple[sympy.Number, sympy.Expr]:
    """A bracket without a common number, and a difference with what has more indices first: x - mean."""
    content = _common([abs(t.as_coeff_Mul()[0]) for t in e.args], e.primitive()[0])
    rest = sympy.Add(*(t / content for t in e.args))
    terms = sympy.Add.make_args(rest)
    minus = [t for t in terms if t.could_extract_minus_sign()]
    plus = [t for t in terms if t not in minus]
    if len(minus) == len(plus) == 1 and _is_plain(-minus[0], plus[0]) and len(free(minus[0])) > len(free(plus[0])):
        return -content, -rest
    return content, rest


def _is_plain(*terms: sympy.Expr) -> bool:
    return all(isinstance(t.as_coeff_Mul()[1], Quantity) for t in terms)


def _common(numbers: list[sympy.Number], content: sympy.Number) -> sympy.Number:
    """What to put before a bracket: nothing where a term has no number; no huge denominator."""
    if 1 in numbers or content.q <= FINE:
        return sympy.Integer(1) if 1 in numbers else content
    largest = max(numbers)
    return sympy.Integer(1) if largest.is_Integer else largest


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


def top_and_bottom(n: sympy.Number) -> tuple[sympy.Number, sympy.Number]:
    """A number as a fraction; 0.044715 stands on top as it is."""
    exact = n.is_Rational and n.q > FINE and set(sympy.primefactors(n.q)) <= {2, 5} and len(_decimal(n)) <= DIGITS
    return (n, sympy.Integer(1)) if exact else n.as_numer_denom()


def number(n: sympy.Number) -> str:
    """A number in digits."""
    return str(n) if n.is_Integer else _decimal(n) if n.is_Rational else f"{float(n):g}"


def _decimal(n: sympy.Rational) -> str:
    return f"{Decimal(n.p) / Decimal(n.q):f}"


def is_tall(e: sympy.Expr) -> bool:
    """A gradient, or a bracket with gradients or sums in it."""
    inside = (e, *e.args) if e.is_Add else (e,)
    return any(isinstance(b, Reduction) or getattr(b, "role", "") == "gradient" for a in inside for b in _bases(a))


def is_count(e: sympy.Expr) -> bool:
    """A number, or made of sizes alone."""
    return all(isinstance(s, Size) for s in e.free_symbols)


def is_below(exponent: sympy.Expr) -> bool:
    """Whether a power stands below the line of a fraction."""
    return bool(exponent.is_Rational and exponent < 0)


def _bases(e: sympy.Expr) -> list[sympy.Expr]:
    return [b for b, _ in product(e).powers] if e.is_Mul else [e]
