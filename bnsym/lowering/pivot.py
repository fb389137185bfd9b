"""Mean and variance from data shifted by a pivot near the mean.

With centred = x - pivot, offset = mean of centred: mean = pivot + offset and var = mean of centred^2 - offset^2, for
*any* pivot, which is proved like every other program. With a pivot within rounding of the mean nothing cancels.
"""

from __future__ import annotations

import sympy

from bnsym.lowering.kernel import Pivot
from bnsym.model import Equation, Program, Quantity, Term


def pivoted(program: Program) -> tuple[Program, Pivot] | None:
    """The program with its first mean and variance over a pivot, or None where it has no such pair."""
    for first, second in zip(program.equations, program.equations[1:], strict=False):
        x = _mean_of(first)
        if x is not None and _is_variance(second, x, first):
            return _rewritten(program, x, first, second)
    return None


def _mean_of(e: Equation) -> Quantity | None:
    """The data whose plain mean an equation computes."""
    if len(e.terms) != 1 or not e.terms[0].axes or e.terms[0].largest:
        return None
    data = [q for q in e.inputs if q.role == "data" and set(q.axes) == set(e.left.axes) | set(e.terms[0].axes)]
    if len(data) != 1:
        return None
    weight = sympy.diff(e.terms[0].body, data[0])
    sizes = sympy.Mul(*(s for s in weight.free_symbols))
    plain = weight * sizes == 1 and {getattr(s, "axis", None) for s in weight.free_symbols} == set(e.terms[0].axes)
    return data[0] if plain else None


def _is_variance(e: Equation, x: Quantity, mean: Equation) -> bool:
    if len(e.terms) != 1 or set(e.terms[0].axes) != set(mean.terms[0].axes):
        return False
    weight = sympy.diff(mean.terms[0].body, x)
    return sympy.expand(e.terms[0].body - weight * (x - mean.left) ** 2) == 0


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
    shifted = {x: centred + mean - offset}
    rest = [e.replace(shifted) if e not in (first, second) else None for e in program.equations]
    at = program.equations.index(first)
    equations = (*(e for e in rest[:at] if e), *moments, *(e for e in rest[at:] if e))
    shifted_program = Program((*program.inputs, pivot), equations, program.outputs)
    return shifted_program, Pivot(pivot, x, axes, offset, mean, var)
