"""What several equations need is computed once: a function of an array, erf_z, and a sum inside another sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import sympy

from bnsym.lowering.names import product_name, unused
from bnsym.model import Equation, Quantity, Term, quantities


def functions_shared(equations: list[Equation], is_element: Callable[[Quantity], bool]) -> list[Equation]:
    """The equations, with those before them that compute functions of whole arrays which occur more than once."""
    counted: Counter[sympy.Expr] = Counter()
    for e in equations:
        for t in e.terms:
            functions = t.body.atoms(sympy.Function)
            counted.update({f: t.body.count(f) for f in functions if any(is_element(q) for q in quantities(f))})
    known = {
        t.body: e.left for e in equations for t in e.terms if len(e.terms) == 1 and not t.axes and t.body in counted
    }
    made: dict[sympy.Expr, Quantity] = dict(known)
    new = []
    for f in sorted((f for f, n in counted.items() if n > 1 and f not in known), key=str):
        wide = next(q for q in quantities(f) if is_element(q))
        taken = {q.name for q in made.values()} | {e.left.name for e in equations}
        made[f] = Quantity(unused(product_name([(f, sympy.Integer(1))]), taken=taken), wide.axes)
        new.append(Equation(made[f], (Term(f),)))
    replaced = [
        Equation(e.left, tuple(Term(_without(t, e, made), t.axes, t.largest) for t in e.terms), e.held, e.origin)
        for e in equations
    ]
    return [*new, *replaced]


def in_two_stages(reductions: list[Equation]) -> list[Equation]:
    """Sums over several axes as sums of the sums over some of them that are taken anyway."""
    return [_staged(e, [o for o in reductions if o is not e]) for e in reductions]


def _staged(e: Equation, others: list[Equation]) -> Equation:
    term = e.terms[0]
    for other in others:
        inner = other.terms[0]
        rest = tuple(a for a in term.axes if a not in inner.axes)
        if rest and set(inner.axes) < set(term.axes) and set(rest) <= set(other.left.axes):
            ratio = term.body / inner.body
            if not any(set(q.axes) - set(other.left.axes) for q in quantities(ratio)):
                return Equation(e.left, (Term(ratio * other.left, rest),))
    return e


def _without(term: Term, equation: Equation, made: dict[sympy.Expr, Quantity]) -> sympy.Expr:
    return term.body.xreplace({f: q for f, q in made.items() if q != equation.left})
