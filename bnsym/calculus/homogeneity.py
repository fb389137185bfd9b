"""How each quantity of a program scales when its data do: x by a, mean by a, var and eps by a^2, y not at all.

The degrees follow from the equations, as units do in physics: what is added is of one degree, what a function is
taken of has none. They are found, never trusted: what follows from them is proved.
"""

from __future__ import annotations

import sympy

from bnsym.functions import Abs, maximum, minimum, sign, step
from bnsym.model import Program, Quantity

Degrees = dict[Quantity, sympy.Rational]

FREE = ("constant", "statistic", "data")
"""Inputs whose degree is to be found, by role; where several would do, those of the last ones are 0."""


def degrees(program: Program) -> Degrees | None:
    """The degree of every quantity where the first input has degree 1 and the outputs have 0; None where none fit."""
    units = Units(program)
    equal = [e for e in dict.fromkeys(units.equal) if e != 0]
    if any(e.is_number for e in equal):
        return None
    solved = sympy.linsolve(equal, *units.free) if equal else sympy.FiniteSet(sympy.Tuple(*units.free))
    if solved is sympy.S.EmptySet:
        return None
    (values,) = solved
    found = dict(zip(units.free, values, strict=True))
    undetermined = dict.fromkeys(units.free, sympy.Integer(0))
    return {q: sympy.sympify(d).subs(found).subs(undetermined) for q, d in units.of.items()}


class Units:
    """Degrees of quantities, those of other data, of constants and of pivots as unknowns, and what must be zero.

    A quantity may be computed twice, in two ways: both are of its degree.
    """

    def __init__(self, program: Program):
        first, *others = program.inputs
        self.of: dict[Quantity, sympy.Expr] = {first: sympy.Integer(1)}
        for q in others:
            free = q.role in FREE
            self.of[q] = sympy.Dummy(q.name) if free else sympy.Integer(0)
        unknown = [q for role in FREE for q in others if q.role == role]
        self.free = [self.of[q] for q in unknown]
        self.equal: list[sympy.Expr] = []
        for e in program.equations:
            degree = self._alike([t.body for t in e.terms])
            self.equal.append(degree - self.of.setdefault(e.left, degree))
        self.equal += [self.of[y] for y in program.outputs]

    def _degree(self, e: sympy.Expr) -> sympy.Expr:
        if isinstance(e, Quantity):
            return self.of.get(e, sympy.Integer(0))  # a size has none
        if isinstance(e, sympy.Mul):
            return sympy.Add(*(self._degree(a) for a in e.args))
        if isinstance(e, sympy.Pow) and e.exp.is_Rational:
            return self._degree(e.base) * e.exp
        if isinstance(e, (sympy.Add, maximum, minimum, Abs)):
            return self._alike(e.args)
        if isinstance(e, (sign, step)):
            self._degree(e.args[0])  # of x - mean it does not change with the scale; of mean - 1 it does
        else:
            self.equal += [self._degree(a) for a in e.args]
        return sympy.Integer(0)

    def _alike(self, parts: list[sympy.Expr] | tuple[sympy.Basic, ...]) -> sympy.Expr:
        """What is added or compared is of one degree; 0 is of any."""
        found = [self._degree(p) for p in parts if p != 0]
        self.equal += [d - found[0] for d in found[1:]]
        return found[0] if found else sympy.Integer(0)
