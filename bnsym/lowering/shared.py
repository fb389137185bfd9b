"""A function of an array that several equations need, computed once under a name: erf_z, step_z."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import sympy

from bnsym.lowering.names import product_name
from bnsym.model import Equation, Quantity, Term, quantities


def functions_shared(equations: list[Equation], is_element: Callable[[Quantity], bool]) -> list[Equation]:
    """The equations, with those before them that compute functions of whole arrays which occur more than once."""
    counted: Counter[sympy.Expr] = Counter()
    for e in equations:
        for t in e.terms:
            functions = t.body.atoms(sympy.Function)
            counted.update({f: t.body.count(f) for f in functions if any(is_element(q) for q in quantities(f))})
    known = {t.body: e.left for e in equations for t in e.terms if len(e.terms) == 1 and not t.axes and t.body in counted}
    made: dict[sympy.Expr, Quantity] = dict(known)
    new = []
    for f in sorted((f for f, n in counted.items() if n > 1 and f not in known), key=str):
        wide = next(q for q in quantities(f) if is_element(q))
        taken = {q.name for q in made.values()} | {e.left.name for e in equations}
        name = product_name([(f, sympy.Integer(1))])
        made[f] = Quantity(next(n for n in (name, *(f"{name}_{k}" for k in range(2, 99))) if n not in taken), wide.axes)
        new.append(Equation(made[f], (Term(f),)))
    replaced = [
        Equation(e.left, tuple(Term(_without(t, e, made), t.axes, t.largest) for t in e.terms), e.held, e.origin)
        for e in equations
    ]
    return [*new, *replaced]


def _without(term: Term, equation: Equation, made: dict[sympy.Expr, Quantity]) -> sympy.Expr:
    return term.body.xreplace({f: q for f, q in made.items() if q != equation.left})
