"""Functions with a kink, with the derivatives this project means: 0 at the kink, and no Dirac deltas after it.

SymPy's own `Abs` differentiated twice gives `DiracDelta`, and its `Max` gives `Heaviside`; neither can be computed.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Function, Integer


class sign(Function):  # noqa: N801 - written as in mathematics
    """-1, 0 or 1. Its derivative is 0 everywhere."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """0."""
        return Integer(0)


class step(Function):  # noqa: N801
    """1 where the argument is positive, else 0. Its derivative is 0 everywhere."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """0."""
        return Integer(0)


class Abs(Function):
    """The absolute value; its derivative is `sign`, which is 0 at 0."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """`sign` of the argument."""
        return sign(self.args[0])


class maximum(Function):  # noqa: N801
    """The larger of two, element by element; at a tie the derivative goes to the second."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """1 for the larger argument, 0 for the other."""
        first = step(self.args[0] - self.args[1])
        return first if argindex == 1 else 1 - first


class minimum(Function):  # noqa: N801
    """The smaller of two, element by element; at a tie the derivative goes to the second."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """1 for the smaller argument, 0 for the other."""
        first = step(self.args[1] - self.args[0])
        return first if argindex == 1 else 1 - first


class StopGradient(Function):
    """Marks a right side that derivatives treat as a constant. Equations carry the mark; no body ever holds it."""

    nargs = 1


def elementwise_max(first: Any, *rest: Any) -> sympy.Expr:
    """The largest of its arguments: `relu(z)` is `Max(z, 0)`."""
    result = sympy.sympify(first)
    for other in rest:
        result = maximum(result, sympy.sympify(other))
    return result


def elementwise_min(first: Any, *rest: Any) -> sympy.Expr:
    """The smallest of its arguments."""
    result = sympy.sympify(first)
    for other in rest:
        result = minimum(result, sympy.sympify(other))
    return result


def own_functions(e: sympy.Expr) -> sympy.Expr:
    """An expression with the functions above for SymPy's Abs, sign and Max, and with exact numbers."""
    e = e.xreplace({f: sympy.Rational(str(f)) for f in e.atoms(sympy.Float)})  # 0.5 is meant as 1/2
    e = e.replace(sympy.Abs, Abs).replace(sympy.sign, sign)
    return e.replace(sympy.Max, elementwise_max).replace(sympy.Min, elementwise_min)
