"""Functions of one quantity put out of sight: where a claim holds for any function there, its formula is in the way."""

from __future__ import annotations

import sympy

from bnsym.model import Equation, Program, Quantity, Term


class Hidden:
    """Each product or sum that holds a function and one quantity alone becomes a symbol, one for each formula.

    A claim that is proved of the symbols holds of whatever they stand for.
    """

    def __init__(self) -> None:
        self.known: dict[sympy.Expr, Quantity] = {}

    def program(self, program: Program) -> Program:
        """The program with symbols for functions."""
        equations = tuple(self._equation(e) for e in program.equations)
        return Program(program.inputs, equations, program.outputs)

    def _equation(self, e: Equation) -> Equation:
        return Equation(e.left, tuple(Term(self._of(t.body), t.axes, t.largest) for t in e.terms), e.held, e.origin)

    def _of(self, e: sympy.Expr) -> sympy.Expr:
        if not e.has(sympy.Function):
            return e
        if len(e.free_symbols) == 1:
            return self._symbol(e)
        if not e.is_Mul:
            return e.func(*(self._of(a) for a in e.args))
        result = sympy.Integer(1)
        for q in sorted({next(iter(a.free_symbols)) for a in e.args if len(a.free_symbols) == 1}, key=str):
            result *= self._of(sympy.Mul(*(a for a in e.args if a.free_symbols == {q})))
        return result * sympy.Mul(*(self._of(a) for a in e.args if len(a.free_symbols) != 1))

    def _symbol(self, e: sympy.Expr) -> sympy.Expr:
        number, formula = e.as_coeff_Mul()
        (of,) = formula.free_symbols
        return number * self.known.setdefault(formula, Quantity(f"(function {len(self.known) + 1})", of.axes))
