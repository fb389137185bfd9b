"""Names for what lowering invents, in the field's words: inv_std, mean_dy, scale, shift."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from itertools import chain, count

import sympy

from bnsym.calculus.context import Context
from bnsym.model import Axis, Equation, Quantity, Term, quantities

KNOWN_INVERSES = {("var", 2): "inv_std", ("mean_square", 2): "inv_rms"}
"""Names that the field has for 1/sqrt of a statistic plus eps."""


LONGEST = 40
"""Characters in a name; a sum with a longer one gets a number."""


class Hoisted:
    """Inverse powers of sums, computed once per channel: inv_std = 1 / sqrt(var + eps)."""

    def __init__(self, context: Context):
        self._context = context
        self.equations: dict[str, Equation] = {}

    def power(self, generator: str, exponent: sympy.Rational) -> tuple[sympy.Expr, sympy.Rational]:
        """A power of a generator (which stands for 1/base) as one of a named quantity, or of a number like m - 1."""
        root = 2 if generator in self._context.roots else 1
        base = self._context.written[generator]
        inner = [q for q in quantities(base) if q.role not in ("constant", "size")]
        if not inner:
            return base, -exponent
        if generator not in self.equations:
            axes = tuple(dict.fromkeys(a for q in inner for a in q.axes))
            left = Quantity(inverse_name(inner, root), axes, "statistic")
            self.equations[generator] = Equation(left, (Term(base ** sympy.Rational(-1, root)),))
        return self.equations[generator].left, exponent * root

    def rewrite(self, body: sympy.Expr) -> sympy.Expr:
        """A body with every hoisted power under its name."""
        for equation in self.equations.values():
            base, exponent = equation.terms[0].body.as_base_exp()
            body = body.replace(
                lambda e, base=base: e.is_Pow and e.base == base,
                lambda e, exponent=exponent, left=equation.left: left ** (e.exp / exponent),
            )
        return body


def unused(*names: str, taken: Container[str]) -> str:
    """The first of the names that is not taken; where all are, the first one with a number, from 2 on."""
    numbered = (f"{names[0]}_{k}" for k in count(2))
    return next(n for n in chain(names, numbered) if n not in taken)


def inverse_name(inner: list[Quantity], root: int) -> str:
    """`inv_std` for var, else inv_ or inv_root_ and the name."""
    name = "_".join(q.name for q in inner)
    return KNOWN_INVERSES.get((name, root), f"inv_{'root_' if root == 2 else ''}{name}")


def product_name(factors: Iterable[tuple[sympy.Expr, sympy.Rational]]) -> str:
    """`dy_x_hat` for dy * x_hat."""
    words = []
    for base, e in factors:
        word = _word(base)
        words.append(word if e == 1 else f"{word}_{e}".replace("-", "minus_"))
    return re.sub(r"\W+", "_", "_".join(words))


def _word(base: sympy.Expr) -> str:
    """A quantity's name; `x_centred` for x - mean; else the names in it."""
    if isinstance(base, Quantity):
        return base.name
    positive = [a for a in base.args if isinstance(a, Quantity)]
    if isinstance(base, sympy.Add) and len(base.args) == 2 and len(positive) == 1:
        return f"{positive[0].name}_centred"
    function = [f"{type(base).__name__.lower()}"] if isinstance(base, sympy.Function) else []
    return "_".join([*function, *(q.name for q in quantities(base))])


def reduction_name(
    factors: list[tuple[sympy.Expr, sympy.Rational]], axes: tuple[Axis, ...], others: Iterable[Equation]
) -> str:
    """`sum_dy_x_hat`; where two sums of one body run over different axes, the axes too."""
    taken = {e.left.name for e in others}
    name = f"sum_{product_name(factors)}"
    if len(name) > LONGEST:
        return unused("sum_products", taken=taken)
    return name if name not in taken else f"{name}_over_{'_'.join(a.name for a in axes)}"
