"""SymPy expressions as NumPy code: operators for per-channel arithmetic, in-place ufuncs for whole arrays.

The order of terms is this printer's own: it depends on names alone, never on SymPy's or a hash's.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from bnsym.checks import DefinitionError
from bnsym.functions import Abs, maximum, minimum, sign, step
from bnsym.model import Quantity, Reduction, Sum

FUNCTIONS: dict[type[sympy.Basic], str] = {
    sympy.exp: "np.exp",
    sympy.log: "np.log",
    sympy.tanh: "np.tanh",
    Abs: "np.absolute",
    sign: "np.sign",
    maximum: "np.maximum",
    minimum: "np.minimum",
    sympy.erf: "_erf",
}
Operand = Callable[[Quantity], str]


class Unprintable(DefinitionError):
    """The backend has no code for something in the expression."""


def magnitude(e: sympy.Expr) -> tuple[bool, sympy.Expr]:
    """Whether a term is negative, and the term without its sign."""
    number, rest = e.as_coeff_Mul()
    if not number.is_negative:
        return False, e
    return True, -number * rest


def folded(e: sympy.Expr) -> sympy.Expr:
    """A product with its numbers as one, where they are not all rational: sqrt(2) / sqrt(pi) is 0.79788..."""
    numbers = [f for f in sympy.Mul.make_args(e) if f.is_number]
    if all(f.is_Rational for f in numbers):
        return e
    rest = [f for f in sympy.Mul.make_args(e) if not f.is_number]
    return sympy.Mul(sympy.Float(repr(float(sympy.Mul(*numbers)))), *rest, evaluate=False)


def ordered(e: sympy.Expr) -> list[sympy.Expr]:
    """The arguments of a sum or product: positive ones first, then by what they hold."""
    return sorted(e.args, key=lambda a: (magnitude(a)[0], len(str(magnitude(a)[1])) > 40, str(magnitude(a)[1])))


def formula(e: sympy.Expr, operand: Operand = lambda q: q.name) -> str:
    """An expression with operators, `beta - offset * scale`."""
    return _Operators(operand).of(e, 0)


class _Operators:
    """Precedences: 0 a sum, 1 a product, 2 a power, 3 an atom."""

    def __init__(self, operand: Operand):
        self.operand = operand

    def of(self, e: sympy.Expr, outer: int) -> str:
        text, inner = self._printed(e)
        return f"({text})" if inner < outer else text

    def _printed(self, e: sympy.Expr) -> tuple[str, int]:
        if isinstance(e, Quantity):
            return self.operand(e), 3
        if isinstance(e, sympy.Integer):
            return str(e), 3 if e >= 0 else 0
        if isinstance(e, sympy.Rational):
            return f"{e.p} / {e.q}", 1 if e > 0 else 0
        if isinstance(e, sympy.Add):
            return self._sum(e), 0
        if isinstance(e, (sympy.Mul, sympy.Pow)):
            return self._product(e)
        if isinstance(e, step):
            return f"np.heaviside({self.of(e.args[0], 0)}, 0)", 3
        if type(e) in FUNCTIONS:
            return f"{FUNCTIONS[type(e)]}({', '.join(self.of(a, 0) for a in e.args)})", 3
        if e.is_number and e.is_real:
            return repr(float(e)), 3 if e >= 0 else 0
        raise Unprintable(f"the NumPy backend has no code for {type(e).__name__}")

    def _sum(self, e: sympy.Add) -> str:
        text = ""
        for a in ordered(e):
            negative, term = magnitude(a)
            glue = (" - " if negative else " + ") if text else ("-" if negative else "")
            text += glue + self.of(term, 1)
        return text

    def _product(self, e: sympy.Expr) -> tuple[str, int]:
        negative, e = magnitude(e)
        above, below = [], []
        for f in sympy.Mul.make_args(folded(e)):
            base, exponent = f.as_base_exp()
            if exponent.is_Rational and exponent < 0:
                below.append(base**-exponent)
            elif f.is_Rational and f.q != 1:
                above += [sympy.Integer(f.p)] * (f.p != 1)
                below.append(sympy.Integer(f.q))
            else:
                above.append(f)
        if not below and len(above) == 1 and not negative:
            return self._power(*above[0].as_base_exp())
        top = " * ".join(self._factor(f, 1) for f in sorted(above, key=_factor_order)) or "1"
        low = " * ".join(self._factor(f, 2 if len(below) == 1 else 1) for f in sorted(below, key=_factor_order))
        text = f"{top} / {low if len(below) == 1 else f'({low})'}" if below else top
        return ("-" + text, 0) if negative else (text, 1)

    def _factor(self, e: sympy.Expr, outer: int) -> str:
        return self.of(e, max(outer, 1))

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> tuple[str, int]:
        if exponent == 1:
            return self._printed(base)
        if exponent == sympy.Rational(1, 2):
            return f"np.sqrt({self.of(base, 0)})", 3
        if isinstance(exponent, sympy.Integer):
            return f"{self.of(base, 3)}**{exponent}", 2
        if exponent.is_Rational:
            return f"np.power({self.of(base, 0)}, {exponent.p} / {exponent.q})", 3
        raise Unprintable(f"the NumPy backend has no code for a power of {exponent}")


def _factor_order(e: sympy.Expr) -> tuple[bool, str]:
    return (not e.is_number, str(e))


def readable(e: sympy.Expr) -> str:
    """A right side for a comment: `Sum(dy * x_hat, i)`."""
    named = {}
    for r in e.atoms(Reduction):
        name = "Sum" if isinstance(r, Sum) else "Max"
        named[r] = Quantity(f"{name}({readable(r.body)}, {', '.join(a.name for a in r.axes)})")
    return formula(e.xreplace(named)).replace("np.", "").replace("_erf(", "erf(")
