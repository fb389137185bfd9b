"""How each quantity of a forward program scales when the data do: x by a, mean by a, var by a^2, y not at all.

With it a kernel can work in units in which squares neither overflow nor vanish, and give its results back in the
user's. The degrees follow from the equations, as units do in physics; a program that has none gets None.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from bnsym.functions import Abs, sign, step
from bnsym.model import Equation, Program, Quantity, quantities


class _Mixed(Exception):
    """Terms of different degrees are added."""


def degrees(program: Program, lowered: Iterable[Equation]) -> dict[Quantity, int] | None:
    """The degree in the data of every statistic and constant; None where the output itself would scale."""
    known: dict[Quantity, sympy.Rational] = {
        q: sympy.Integer(0) for q in program.inputs if q.role in ("parameter", "mask")
    }
    known |= {q: sympy.Integer(0) for q in program.inputs if q.role == "fixed"}
    known |= {q: sympy.Integer(1) for q in program.inputs[:1]}
    try:
        for e in (*program.equations, *lowered):
            found = [_degree(t.body, known) for t in e.terms]
            known.setdefault(e.left, found[0])
            if any(f != known[e.left] for f in found):
                return None
    except _Mixed:
        return None
    if any(known[y] != 0 for y in program.outputs) or any(d.q != 1 for d in known.values()):
        return None
    return {q: int(d) for q, d in known.items()}


def _degree(e: sympy.Expr, known: dict[Quantity, sympy.Rational]) -> sympy.Rational:
    if isinstance(e, Quantity):
        return (
            known.setdefault(e, sympy.Integer(1 if e.name == "pivot" else 0))
            if e.role != "constant"
            else _constant(e, known)
        )
    if isinstance(e, sympy.Mul):
        return sum((_degree(a, known) for a in e.args), sympy.Integer(0))
    if isinstance(e, sympy.Pow) and e.exp.is_Rational:
        return _degree(e.base, known) * e.exp
    if isinstance(e, sympy.Add):
        return _common(e, known)
    if isinstance(e, Abs):
        return _degree(e.args[0], known)
    if isinstance(e, (sign, step)):
        _degree(e.args[0], known)  # of x - mean it does not change with the scale; of mean - 1 it does
        return sympy.Integer(0)
    if not quantities(e):
        return sympy.Integer(0)
    if all(_degree(a, known) == 0 for a in e.args):
        return sympy.Integer(0)
    raise _Mixed


def _constant(e: Quantity, known: dict[Quantity, sympy.Rational]) -> sympy.Rational:
    if e not in known:
        raise _Mixed
    return known[e]


def _common(e: sympy.Add, known: dict[Quantity, sympy.Rational]) -> sympy.Rational:
    """What is added must scale alike; a constant such as eps, or a residual, has the degree of what it is added to."""
    loose = [a for a in e.args if isinstance(a, Quantity) and a.role in ("constant", "data") and a not in known]
    found = {_degree(a, known) for a in e.args if a not in loose}
    if len(found) != 1:
        raise _Mixed
    for a in loose:
        known[a] = next(iter(found))
    return next(iter(found))
