"""How the quantities of a forward kernel scale when the data do, where the kernel can make use of it.

With it a kernel can work in units in which squares neither overflow nor vanish, and give its results back in the
user's. A constant such as eps, and data such as a residual, then go along with what they are added to.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from bnsym.calculus import homogeneity
from bnsym.lowering.operations import is_element
from bnsym.model import Equation, Program, Quantity, quantities


def degrees(program: Program, lowered: Iterable[Equation]) -> dict[Quantity, int] | None:
    """The degree of every quantity of a program and of its lowered equations; None where units are of no use."""
    equations = (*program.equations, *lowered)
    computed = {*program.inputs, *(e.left for e in equations)}
    pivots = tuple(dict.fromkeys(q for e in equations for q in e.inputs if q not in computed))
    found = homogeneity.degrees(Program((*program.inputs, *pivots), equations, program.outputs))
    if found is None or any(d.q != 1 for d in found.values()) or any(found[q] != 1 for q in pivots):
        return None
    sums = [s for e in program.equations for t in e.terms for s in t.body.atoms(sympy.Add)]
    whole = all(_goes_along(q, found[q], [s for s in sums if q in s.args], program) for q in program.inputs[1:])
    return {q: int(d) for q, d in found.items()} if whole else None


def _goes_along(q: Quantity, degree: sympy.Rational, sums: list[sympy.Expr], program: Program) -> bool:
    """Whether a constant, or other data, may be in units: in a product a unit might have any power.

    A constant is then one number for each channel, and cannot be added to what has one for each element.
    """
    if q.role == "constant":
        wide = any(is_element(o, program.inputs) for s in sums for o in quantities(s))
        return bool(sums) and not (degree != 0 and wide)
    return q.role != "data" or degree == 0 or (degree == 1 and bool(sums))
