"""How the terms of a closed form come about: each is what came back along one way of the chain rule's last step."""

from __future__ import annotations

from itertools import chain, combinations

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, add, subtract
from bnsym.model import Contribution, Equation, Quantity, Reduction, Size, Step, Term, quantities
from bnsym.report.blocks import Block, Table, paragraph
from bnsym.report.products import free
from bnsym.report.sentences import Math, Sentence, sentence
from bnsym.report.writer import Writer

HEADER = ("through", "what comes back", "varies with")


def births(w: Writer, whole: Equation) -> list[Block]:
    """One row for each way back; nothing where the terms are not those of the ways."""
    step = next((s for s in w.derivation.steps if s.equation.left == whole.left), None)
    terms = sympy.Add.make_args(sympy.expand_mul(whole.right, deep=False))
    nested = any(r.body.has(Reduction) for r in whole.right.atoms(Reduction))
    if step is None or len(step.contributions) < 2 or nested:
        return []
    found = _ways(w, step, terms)
    if not found:
        return []
    rows = tuple(_row(w, whole.left, c, sum_) for c, sum_ in found)
    start = sentence("Each of its terms is what comes back along one way of ", w.references([step.equation]), ", with"
                     " all that was found before put in; the normal form decides that they are equal:")  # fmt: skip
    return [paragraph(start), Table(HEADER, rows)]


def _ways(w: Writer, step: Step, terms: tuple[sympy.Expr, ...]) -> list[tuple[Contribution, sympy.Expr]]:
    """For each way the terms that are equal to it: one or two. Empty where one way has none, or a term is left."""
    evaluation = Evaluation().assume(w.derivation.definition.premises).run(w.derivation.backward.program)
    forms = {t: _form(evaluation, t) for t in terms}
    left, found = list(terms), []
    for c in step.contributions:
        form = evaluation.term(c.term)
        choices = chain(combinations(left, 1), combinations(left, 2))
        same = next((ts for ts in choices if not subtract(form, add(*(forms[t] for t in ts)))), None)
        if same is None:
            return []
        left = [t for t in left if t not in same]
        found.append((c, sympy.Add(*same)))
    return found if not left else []


def _form(evaluation: Evaluation, e: sympy.Expr) -> Form:
    """The normal form of an expression with sums in it."""
    named: dict[sympy.Basic, sympy.Expr] = {}
    for n, reduction in enumerate(sorted(e.atoms(Reduction), key=str)):
        q = Quantity(f"(sum {n}) {reduction}", tuple(sorted(free(reduction), key=str)))
        evaluation.forms[q] = evaluation.term(Term(reduction.body, reduction.axes))
        named[reduction] = q
    return evaluation.context.reduce(evaluation.expression(e.xreplace(named)))


def _row(w: Writer, left: Quantity, c: Contribution, e: sympy.Expr) -> tuple[Sentence, ...]:
    scope = w.notation.scope(left.axes)
    through = sentence(w.references([c.consumer]), ", ", w.symbol(c.consumer.left))
    return through, (Math(w.latex.local(e, scope)),), _varies(w, left, e)


def _varies(w: Writer, left: Quantity, e: sympy.Expr) -> Sentence:
    """What of a term, outside of sums, varies along the axes that the sums run over."""
    summed = {a for r in w.closed[-1].right.atoms(Reduction) for a in r.axes}
    outside = e.xreplace({r: sympy.Integer(1) for r in e.atoms(Reduction)})
    moving = [q for q in quantities(outside) if not isinstance(q, Size) and set(q.axes) & summed]
    along = [a for a in left.axes if a in summed]
    return w.listed(moving) if moving else sentence("nothing: it is the same for every ", w.indices(along))
