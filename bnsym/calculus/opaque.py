"""SymPy's functions, powers and sums without their automatic evaluation, and differentiated by SymPy's own rules.

SymPy looks for signs, periods and special values whenever an expression is made; for thousands of elements that takes
most of the time, and everything is to stay as it stands. Only the assumptions that are told here are asked for.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy


@cache
def opaque(function: Any) -> Any:
    """A function that stays as it stands; its derivative is the one that SymPy has for the original."""
    return _made(f"Opaque_{function.__name__}", lambda *args: function(*args, evaluate=False), function)


@cache
def opaque_power(exponent: sympy.Rational) -> Any:
    """The power with one exponent as a function that stays as it stands."""
    return _made(f"Opaque_power_{exponent}", lambda base: base**exponent, lambda base: base**exponent)


def _made(name: str, original: Any, differentiated: Any) -> Any:
    """`original` gives an argument list SymPy's own expression back."""

    def fdiff(self: Any, argindex: int = 1) -> sympy.Expr:
        derivative, arguments = _derivative(differentiated, len(self.args), argindex)
        return derivative.xreplace(dict(zip(arguments, self.args, strict=True)))

    members = {"original": staticmethod(original), "fdiff": fdiff, "is_real": True, "is_zero": False}
    return type(name, (sympy.Function,), members)


@cache
def _derivative(function: Any, count: int, argindex: int) -> tuple[sympy.Expr, tuple[sympy.Dummy, ...]]:
    arguments = tuple(sympy.Dummy(real=True) for _ in range(count))
    return made_opaque(sympy.diff(function(*arguments), arguments[argindex - 1])), arguments


def made_opaque(e: sympy.Expr) -> sympy.Expr:
    """An expression with every function, and every power that is no product, opaque."""
    if not e.args:
        return e
    if e.is_Pow and e.exp.is_Rational and not (e.exp.is_Integer and e.exp > 0) and not e.is_number:
        return opaque_power(e.exp)(made_opaque(e.base))
    arguments = [made_opaque(a) for a in e.args]
    if isinstance(e, sympy.Function) and not hasattr(e, "original"):
        function: Any = type(e)
        return opaque(function)(*arguments)
    return e.func(*arguments)


class Whole(sympy.Expr):
    """An expression in the place of one symbol; its derivative is that of its content, again as a whole.

    At every step of a derivative SymPy walks the expression, and asks whether it is real, or zero, part by part. A tree
    of wholes it walks one level at a time. Like any indeterminate, a whole is real and is not the number zero.
    """

    __slots__ = ("_free_symbols", "content")
    is_real = True
    is_zero = False

    content: sympy.Expr
    _free_symbols: set[sympy.Basic]

    def __new__(cls, content: sympy.Expr) -> Whole:
        """One symbol's worth of an expression."""
        made = super().__new__(cls)
        made.content, made._free_symbols = content, content.free_symbols
        return made

    def _hashable_content(self) -> tuple[sympy.Expr]:
        return (self.content,)

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        """Those of the content, looked up once."""
        return self._free_symbols

    def diff(self, *symbols: Any, **assumptions: bool) -> sympy.Expr:
        """The derivative, without what SymPy asks before it comes to a rule; products ask for none, or one, of each."""
        s, times = symbols[0] if isinstance(symbols[0], tuple) else (symbols[0], 1)
        if len(symbols) > 1 or not isinstance(s, sympy.Symbol) or times not in (0, 1):
            return super().diff(*symbols, **assumptions)
        if times == 0:
            return self
        return self._eval_derivative(s) if s in self._free_symbols else sympy.Integer(0)

    def _eval_derivative(self, s: sympy.Expr) -> sympy.Expr:
        return whole(self.content._eval_derivative(s))


def whole(e: sympy.Expr) -> sympy.Expr:
    """An expression as a whole; symbols and numbers stay as they are."""
    return e if e.is_Atom or isinstance(e, Whole) else Whole(e)
