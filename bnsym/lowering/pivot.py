"""Mean and variance from data shifted by a pivot near the mean.

With centred = x - pivot, offset = mean of centred: mean = pivot + offset and var = mean of centred^2 - offset^2, for
*any* pivot, which is proved like every other program. With a pivot within rounding of the mean nothing cancels. The
mean may be weighted, as by a mask over its count, and x may be computed, as a sum with a residual.
"""

from __future__ import annotations

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import number
from bnsym.lowering.kernel import Pivot
from bnsym.lowering.operations import is_element
from bnsym.model import Equation, Program, Quantity, Term, quantities


def pivoted(program: Program) -> tuple[Program, Pivot] | None:
    """The program with its first mean and variance over a pivot, or None where it has no such pair."""
    for first, second in zip(program.equations, program.equations[1:], strict=False):
        x = mean_of(first, program)
        if x is not None and _is_variance(second, x, first) and _is_whole(x, program):
            return _rewritten(program, x, first, second)
    return None


def mean_of(e: Equation, program: Program) -> Quantity | None:
    """The array whose mean an equation computes: a sum with weights that do not depend on it and add up to 1."""
    if len(e.terms) != 1 or not e.terms[0].axes or e.terms[0].largest or e.held:
        return None
    term = e.terms[0]
    whole = set(e.left.axes) | set(term.axes)
    arrays = [q for q in e.inputs if q.role in ("data", "value") and set(q.axes) == whole]
    if len(arrays) != 1 or not is_element(arrays[0], program.inputs):
        return None
    weight = sympy.diff(term.body, arrays[0])
    if weight.has(arrays[0]) or sympy.expand(term.body - weight * arrays[0]) != 0:
        return None
    known = Evaluation(centring=False).run(program)
    return arrays[0] if known.term(Term(weight, term.axes)) == number(1) else None


def _is_variance(e: Equation, x: Quantity, mean: Equation) -> bool:
    if e.held or len(e.terms) != 1 or set(e.terms[0].axes) != set(mean.terms[0].axes):
        return False
    weight = sympy.diff(mean.terms[0].body, x)
    return sympy.expand(e.terms[0].body - weight * (x - mean.left) ** 2) == 0


def _is_whole(x: Quantity, program: Program) -> bool:
    """Whether x is an input, or computed from arrays of its own shape alone: its first value is theirs."""
    source = program.equation(x)
    return source is None or all(q.axes == x.axes for q in quantities(source.right) if q.axes)


def _rewritten(program: Program, x: Quantity, first: Equation, second: Equation) -> tuple[Program, Pivot]:
    axes, mean, var = first.terms[0].axes, first.left, second.left
    weight = sympy.diff(first.terms[0].body, x)
    pivot = Quantity("pivot", mean.axes, "statistic")
    centred = Quantity("centred", x.axes, "value")
    offset = Quantity("offset", mean.axes, "statistic")
    moments = (
        Equation(centred, (Term(x - pivot),)),
        Equation(offset, (Term(weight * centred, axes),)),
        Equation(mean, (Term(pivot + offset),)),
        Equation(var, (Term(weight * centred**2, axes), Term(-(offset**2)))),
    )
    at = program.equations.index(first)
    before, after = program.equations[:at], program.equations[at + 2 :]
    shifted = {x: centred + mean - offset}
    equations = (*before, *moments, *(e.replace(shifted) for e in after))
    shifted_program = Program((*program.inputs, pivot), equations, program.outputs)
    source = program.equation(x)
    return shifted_program, Pivot(pivot, x, axes, offset, mean, var, source.right if source else x)
