"""How the quantities of a forward kernel scale when the data do, where the kernel can make use of it.

With it a kernel can work in units in which squares neither overflow nor vanish, and give its results back in the
user's. A constant such as eps, and data such as a residual, then go along with what they are added to.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from bnsym.calculus import homogeneity
from bnsym.model import Equation, Program, Quantity


def degrees(program: Program, lowered: Iterable[Equation]) -> dict[Quantity, int] | None:
    """The degree of every quantity of a program and of its lowered equations; None where units are of no use."""
    equations = (*program.equations, *lowered)
    computed = {e.left for e in equations}
    chosen = [q for e in equations for q in e.inputs if q not in computed]  # a pivot is no input of the program
    inputs = tuple(dict.fromkeys([*program.inputs, *chosen]))
    found = homogeneity.degrees(Program(inputs, equations, program.outputs))
    if found is None or any(d.q != 1 for d in found.values()) or not _is_of_use(program, found):
        return None
    return {q: int(d) for q, d in found.items()}


def _is_of_use(program: Program, found: homogeneity.Degrees) -> bool:
    """Whether constants, and other data in units, are added to something: in a product a unit may have any power."""
    sums = [s for e in program.equations for t in e.terms for s in t.body.atoms(sympy.Add)]
    added = {a for s in sums for a in s.args}
    apart = [q for q in program.inputs[1:] if q.role == "constant" or (q.role == "data" and found[q] != 0)]
    return all(q in added and (q.role == "constant" or found[q] == 1) for q in apart)
