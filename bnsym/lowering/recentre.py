"""Sums with a centred factor, written so that an error in its centre does not reach them.

Where sum x_hat = 0, sum dy x_hat equals sum (dy - mean(dy)) x_hat. The first is wrong by as much as x_hat is off, times
the sum of dy: a mean that was rounded when it was saved is off by that. The second is not, and where dy - mean(dy) is
needed anyway it costs nothing.
"""

from __future__ import annotations

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.model import Equation, Quantity, Size, Term

Reductions = dict[Quantity, Equation]


def recentred(
    reductions: Reductions, rest: list[Equation], evaluation: Evaluation
) -> tuple[Reductions, list[Equation]]:
    """The sums, and the other equations with what they need before them, over centred factors where there are any."""
    for left, product in list(reductions.items()):
        term = product.terms[0]
        for u, centred in _pairs(term, evaluation):
            total = next((e for e in reductions.values() if e.terms == (Term(u, term.axes),)), None)
            if total is not None:
                mean = total.left / sympy.Mul(*(_size(a.name, evaluation) for a in term.axes))
                own = Quantity(f"{u.name}_centred", u.axes, "value")
                reductions = {**reductions, left: Equation(left, (Term(own * centred, term.axes),))}
                shifted = [
                    Equation(e.left, tuple(Term(t.body.xreplace({u: own + mean})) for t in e.terms)) for e in rest
                ]
                return reductions, [Equation(own, (Term(u - mean),)), *shifted]
    return reductions, rest


def _pairs(term: Term, evaluation: Evaluation) -> list[tuple[Quantity, Quantity]]:
    """Two arrays whose product is summed, the second of them one that sums to zero by itself."""
    factors = list(term.body.args) if term.body.is_Mul else []
    if len(factors) != 2 or not all(isinstance(q, Quantity) and q in evaluation.forms for q in factors):
        return []
    pairs = [(factors[0], factors[1]), (factors[1], factors[0])]
    return [(u, c) for u, c in pairs if not evaluation.term(Term(c, term.axes)) and u.axes == c.axes]


def _size(axis: str, evaluation: Evaluation) -> Size:
    return next(q for q in evaluation.forms if isinstance(q, Size) and q.axis.name == axis)
