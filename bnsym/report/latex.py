"""Expressions and equations as LaTeX. The order of terms is this printer's own: it depends on names alone.

Only letters follow a backslash, so that no Markdown reader takes one for an escape; `_` and `^` are all the marks.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from bnsym.functions import Abs, maximum, minimum
from bnsym.model import Equation, Largest, Quantity, Reduction, Term
from bnsym.report.notation import NOWHERE, Notation, Scope
from bnsym.report.products import Power, Product, free, is_below, is_count, is_tall, number, product, top_and_bottom
from bnsym.report.symbols import word

FUNCTIONS: dict[type[sympy.Basic], str] = {
    sympy.exp: r"\exp",
    sympy.log: r"\log",
    sympy.tanh: r"\tanh",
    maximum: r"\max",
    minimum: r"\min",
}
ABSOLUTE = (Abs, sympy.Abs)
ROLES = ("size", "data", "mask", "fixed", "parameter", "constant", "statistic", "count", "value", "sum", "gradient")
Signed = tuple[bool, str]
"""Whether a minus sign stands before a term, and the term without it."""

SUM, FACTOR, ATOM = range(3)
"""How tightly a place binds: anything may stand in a sum, a factor may be no sum, an atom takes a power."""


class Latex:
    """Prints by one notation. A scope says which axes have a value where an expression stands."""

    def __init__(self, notation: Notation):
        self.notation = notation

    def equation(self, e: Equation) -> str:
        """`left = right`, the terms in the order the equation has them."""
        scope = self.notation.scope(e.left.axes)
        return f"{self.quantity(e.left)} = {self.terms(e.terms, scope)}"

    def quantity(self, q: Quantity) -> str:
        """A quantity under its own indices."""
        return self.notation.quantity(q)

    def terms(self, terms: tuple[Term, ...], scope: Scope) -> str:
        """Terms one after the other, each with its sign."""
        return _added([a for t in terms for a in self._signed(sympy.Add.make_args(t.expression), scope)])

    def local(self, e: sympy.Expr, scope: Scope = NOWHERE) -> str:
        """An expression where the axes of the scope have a value."""
        return self._expression(e, scope, SUM)

    def _expression(self, e: sympy.Expr, scope: Scope, place: int) -> str:
        if isinstance(e, Quantity):
            simple = place < ATOM or not self.notation.is_compound(e)
            return self.notation.quantity(e, scope) if simple else bracketed(self.notation.quantity(e, scope))
        if e.is_Add:
            text = _added(self._signed(e.args, scope))
            return text if place == SUM else bracketed(text)
        if isinstance(e, sympy.Symbol):
            return word(e.name).base
        if e.is_Integer and not e.is_negative:
            return str(e)
        if isinstance(e, (sympy.Function, sympy.NumberSymbol)):
            text = self._function(e, scope)
            return text if place < ATOM else bracketed(text)
        if not (e.is_Number or e.is_Mul or e.is_Pow or isinstance(e, Reduction)):
            raise TypeError(f"a report has no sign for {type(e).__name__}, which {e} holds")
        split = product(e)
        text = ("-" if split.negative else "") + self._product(split.magnitude, scope)
        return text if place == SUM or (place == FACTOR and not split.negative) else bracketed(text)

    def _signed(self, parts: Iterable[sympy.Expr], scope: Scope) -> list[Signed]:
        """Positive terms first, of those numbers, then what has most indices: x - mean, var + eps, 1 - y."""
        found = []
        for e in parts:
            split = product(e)
            text = self._product(split.magnitude, scope)
            found.append((split.negative, not e.is_Number, -len(free(e)), text))
        return [(negative, text) for negative, _, _, text in sorted(found)]

    def _product(self, p: Product, scope: Scope) -> str:
        """Gradients, a fraction, brackets and sums: nothing tall stands in a fraction, no sum swallows a factor."""
        below = [(b, -e) for b, e in p.powers if is_below(e)]
        single = [b for b, e in p.powers if e == 1]
        sums = [b for b in single if isinstance(b, Reduction)]
        tall = [b for b in single if b not in sums and is_tall(b)]
        above = [(b, e) for b, e in p.powers if not is_below(e) and not (e == 1 and b in [*sums, *tall])]
        top, bottom = top_and_bottom(p.number)
        counts = [power for power in above if is_count(power[0])]
        beside = [power for power in above if power not in counts]
        if not (counts and all(is_count(b) for b, _ in below)):
            counts, beside = above, []  # m / (m - 1) stands apart from what it weighs; (x - mean) / m does not
        first = self._factors([(b, sympy.Integer(1)) for b in tall if not b.is_Add], scope)
        brackets = self._factors([(b, sympy.Integer(1)) for b in tall if b.is_Add], scope)
        last = [*brackets, *self._sums(sums, scope)]
        if below or bottom != 1:
            middle = [self._fraction(self._row(top, counts, scope), self._row(bottom, below, scope))]
            return self._in_a_row([*first, *middle, *self._factors(beside, scope), *last])
        plain = [number(top)] if top != 1 or not (first or above or last) else []
        return self._in_a_row([*plain, *first, *self._factors(above, scope), *last])

    def _sums(self, sums: list[Reduction], scope: Scope) -> list[str]:
        texts = sorted(self._reduction(s, scope) for s in sums)
        return texts if len(texts) == 1 else [bracketed(s) for s in texts]

    def _fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def _row(self, factor: sympy.Number, powers: list[Power], scope: Scope) -> str:
        """One side of a fraction, where a sum that stands alone needs no brackets."""
        if factor == 1 and len(powers) == 1 and powers[0][1] == 1:
            return self._expression(powers[0][0], scope, SUM)
        plain = [number(factor)] if factor != 1 or not powers else []
        return self._in_a_row([*plain, *self._factors(powers, scope)])

    def _in_a_row(self, factors: list[str]) -> str:
        """Factors side by side; a word and its neighbour with a dot between."""
        text = ""
        for before, factor in zip(["", *factors], factors, strict=False):
            dotted = any(f.startswith((r"\mathrm{", r"\text{")) for f in (before, factor)) or factor[0].isdigit()
            text += (r" \cdot " if dotted else " ") * bool(before) + factor
        return text

    def _factors(self, powers: list[Power], scope: Scope) -> list[str]:
        """Short names first: gamma before x_hat before (x - mean)."""
        found = []
        for base, exponent in powers:
            kind = 0 if isinstance(base, Quantity) else 2 if base.is_Add else 1
            text = self._power(base, exponent, scope)
            found.append((not base.is_number, len(free(base)), kind, self._rank(base), text))
        return [text for *_, text in sorted(found)]

    def _rank(self, base: sympy.Expr) -> int:
        """By its role; a gradient or tangent that is only centred comes first, as it would if it were not."""
        if isinstance(base, Quantity) and self.notation.mark(base) == "tilde":
            return -1
        return ROLES.index(base.role) if isinstance(base, Quantity) and base.role in ROLES else len(ROLES)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr, scope: Scope) -> str:
        if exponent == 1:
            return self._expression(base, scope, ATOM if isinstance(base, Reduction) else FACTOR)
        if exponent == sympy.Rational(1, 2):
            return rf"\sqrt{{{self._expression(base, scope, SUM)}}}"
        above = str(exponent) if exponent.is_Rational else self._expression(exponent, scope, SUM)
        if isinstance(base, sympy.Function) and not isinstance(base, ABSOLUTE):
            return self._function(base, scope, f"^{{{above}}}")
        return f"{self._expression(base, scope, ATOM)}^{{{above}}}"

    def _reduction(self, e: Reduction, scope: Scope) -> str:
        """A sum, each index under a letter of its own: the free one keeps its letter."""
        signs = []
        for axis in e.axes:
            letter, size = self.notation.inner(axis, scope), self.notation.size(axis)
            scope = scope.under(axis, letter)
            if isinstance(e, Largest):
                signs.append(rf"\max_{{{letter}}}")
            else:
                signs.append(rf"\sum_{{{letter}=1}}^{{{size}}}" if size else rf"\sum_{{{letter}}}")
        return " ".join([*signs, self._expression(e.body, scope, FACTOR)])

    def _function(self, e: sympy.Function | sympy.NumberSymbol, scope: Scope, power: str = "") -> str:
        if isinstance(e, sympy.NumberSymbol):
            return r"\pi" if e is sympy.pi else rf"\mathrm{{{'e' if e is sympy.E else e}}}"
        inside = ", ".join(self._expression(a, scope, SUM) for a in e.args)
        if isinstance(e, ABSOLUTE):
            return rf"\left\lvert {inside} \right\rvert"
        return FUNCTIONS.get(type(e), rf"\mathrm{{{type(e).__name__}}}") + power + bracketed(inside)


def _added(parts: list[Signed]) -> str:
    text = ""
    for negative, part in parts:
        glue = (" - " if negative else " + ") if text else ("-" if negative else "")
        text += glue + part
    return text


def bracketed(text: str) -> str:
    """Text in brackets that grow with it."""
    return rf"\left({text}\right)"
