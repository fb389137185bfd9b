"""SymPy expressions as CUDA C++: for elements in the data's arithmetic, `A`, for numbers of a channel in double.

The order of terms and factors depends on names alone. C++ computes a product from left to right: powers come last, so
that exp(-x) x^3 is 0 where x^3 alone would overflow.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from bnsym.backends.numpy_printer import Unprintable, folded, magnitude, ordered
from bnsym.functions import Abs, maximum, minimum, sign, step
from bnsym.model import Quantity

FUNCTIONS: dict[type[sympy.Basic], str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.erf: "erf",
    Abs: "fabs",
    sign: "sign",
    step: "step",
    maximum: "larger",
    minimum: "smaller",
}


class CudaPrinter:
    """Prints in one type. Precedences: 0 a sum, 1 a product, 2 an atom. Other languages differ in a few words."""

    functions, root, language = FUNCTIONS, "sqrt", "CUDA"

    def __init__(self, real: str, operand: Callable[[Quantity], str]):
        self.real, self.operand = real, operand

    def number(self, n: sympy.Integer | int) -> str:
        """A whole number within an expression."""
        return str(n)

    def power(self, base: str, exponent: int) -> str:
        """A whole power of what is more than a name."""
        return f"power<{exponent}>({base})"

    def varies(self, q: Quantity) -> bool:
        """Whether a quantity is computed for each element, and so is no member of a struct."""
        return "." not in self.operand(q)

    def formula(self, e: sympy.Expr) -> str:
        """An expression, `c.beta - offset * c.scale`."""
        return self._of(e, 0)

    def _of(self, e: sympy.Expr, outer: int) -> str:
        text, inner = self._printed(e)
        return f"({text})" if inner < outer else text

    def _printed(self, e: sympy.Expr) -> tuple[str, int]:
        if isinstance(e, Quantity):
            return self.operand(e), 2
        if isinstance(e, sympy.Integer):
            return self.number(e), 2 if e >= 0 else 0
        if isinstance(e, sympy.Rational):
            return f"{self.real}({e.p}) / {e.q}", 1
        if isinstance(e, sympy.Add):
            return self._sum(e), 0
        if isinstance(e, (sympy.Mul, sympy.Pow)):
            return self._product(e)
        if type(e) in self.functions:
            return f"{self.functions[type(e)]}({', '.join(self.assigned(a) for a in e.args)})", 2
        if e.is_number and e.is_real:
            return self.assigned(e), 2
        raise Unprintable(f"the {self.language} backend has no code for {type(e).__name__}")

    def assigned(self, e: sympy.Expr) -> str:
        """An expression that has the printer's type even if it is a number."""
        if not e.is_number:
            return self._of(e, 0)
        if e.is_Rational and not e.is_Integer:
            return f"{self.real}({e.p}) / {e.q}"
        return f"{self.real}({e if e.is_Integer else repr(float(e))})"

    def _sum(self, e: sympy.Add) -> str:
        text = ""
        for a in self._in_order(e):
            negative, term = magnitude(a)
            glue = (" - " if negative else " + ") if text else ("-" if negative else "")
            text += glue + self._of(term, 1)
        return text

    def _in_order(self, e: sympy.Add) -> list[sympy.Expr]:
        """Products of arrays, then arrays, then numbers: 1 + x - gate * x would lose the 1 where x is large."""
        terms = ordered(e)
        if self.real == "double":
            return terms
        terms = sorted(terms, key=self._rank)
        first = next((a for a in terms if not magnitude(a)[0] and self._rank(a) < 2), terms[0])
        return [first, *(a for a in terms if a is not first)]

    def _rank(self, e: sympy.Expr) -> int:
        arrays = [q for q in e.free_symbols if isinstance(q, Quantity) and self.varies(q)]
        return 2 if not arrays else 1 if isinstance(magnitude(e)[1], Quantity) else 0

    def _product(self, e: sympy.Expr) -> tuple[str, int]:
        negative, e = magnitude(e)
        above: list[sympy.Expr] = []
        below: list[sympy.Expr] = []
        for f in sympy.Mul.make_args(folded(e)):
            base, exponent = f.as_base_exp()
            if f.is_Rational:
                above += [sympy.Integer(f.p)] * (f.p != 1)
                below += [sympy.Integer(f.q)] * (f.q != 1)
            elif exponent.is_Rational and exponent < 0:
                below.append(base**-exponent)
            else:
                above.append(f)
        top = " * ".join(self._power(f) for f in sorted(above, key=_factor_order)) or self.number(1)
        low = " * ".join(self._power(f) for f in sorted(below, key=_factor_order))
        many = len(below) > 1 or (below and " * " in low)
        text = f"{top} / {f'({low})' if many else low}" if below else top
        if negative:
            return "-" + text, 0
        return text, 1 if below or " * " in top or len(above) > 1 else 2

    def _power(self, e: sympy.Expr) -> str:
        """A factor of a product; a whole power as factors of its own."""
        base, exponent = (e.base, e.exp) if e.is_Pow and not isinstance(e, sympy.exp) else (e, sympy.Integer(1))
        if exponent == 1:
            return self._of(e, 2) if isinstance(e, sympy.Add) else self._printed(e)[0]
        if exponent == sympy.Rational(1, 2):
            return f"{self.root}({self.assigned(base)})"
        if exponent.is_Integer and 1 < exponent <= 8:
            if isinstance(base, Quantity):
                return " * ".join([self.operand(base)] * int(exponent))
            return self.power(self.assigned(base), int(exponent))
        if exponent.is_Rational:
            return f"pow({self.assigned(base)}, {self.assigned(exponent)})"
        raise Unprintable(f"the {self.language} backend has no code for a power of {exponent}")


def _factor_order(e: sympy.Expr) -> tuple[bool, bool, str]:
    return not e.is_number, bool(e.is_Pow and e.exp.is_Integer), str(e)
