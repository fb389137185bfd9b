"""Closed forms: what the normal form says a program computes, written with the quantities a reader knows.

Reductions are what of a monomial hangs together by summed indices; each becomes a quantity of its own. Centred data
are written as x_hat / inv_std where the program has an x_hat: batch norm's dx is then uniform in inv_std, and neither
overflows nor loses digits where the data are tiny or huge.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, factor, mul
from bnsym.calculus.monomials import Factor, Monomial, bound_labels, merge
from bnsym.calculus.rules import Rule
from bnsym.lowering.compact import compact
from bnsym.lowering.factoring import factored, in_order
from bnsym.lowering.names import Hoisted
from bnsym.lowering.operations import is_element
from bnsym.lowering.reductions import Reductions, components
from bnsym.lowering.spelling import Spelling
from bnsym.model import Equation, Program, Quantity, Term, quantities


class ClosedForm:
    """Writes outputs of one program as equations over inputs, hoisted powers and reductions."""

    def __init__(self, program: Program, evaluation: Evaluation, hoisted: Hoisted):
        self.program, self.evaluation = program, evaluation
        self.spelling = Spelling(program, evaluation, hoisted)
        self.reductions = Reductions(program, self.spelling)
        self.recomputed, self.centred = self.spelling.recomputed, self.spelling.centred
        self.with_centred = self.spelling.with_centred
        self._rewrites: list[Rule] = []

    def express(self, candidates: tuple[Quantity, ...]) -> None:
        """Write an element factor f as q / rest where a candidate q is f * rest, rest a positive power per channel."""
        for q in candidates:
            form = self.evaluation.forms[q]
            if len(form) != 1:
                continue
            ((monomial, coefficient),) = form.items()
            f = self._replaceable(q, monomial)
            if coefficient == 1 and f is not None and not any(r.pattern[0][0] == f for r in self._rewrites):
                rest = merge([(g, -e) for g, e in monomial if g != f])
                own = factor(q.name, f[1])
                value = tuple(mul(own, {rest: Fraction(1)}).items())
                self._rewrites.append(Rule(f"{q} for {f[0]}", ((f, 1),), value))
                self.spelling.introduced.add(q.name)

    def _replaceable(self, q: Quantity, monomial: Monomial) -> Factor | None:
        """The one factor with all of q's axes, if the others may be divided by: nothing here divides by gamma."""
        if bound_labels(monomial):
            return None
        wide = [f for f, e in monomial if len(f[1]) == len(q.axes) and e == 1]
        rest = [f for f, _ in monomial if f not in wide]
        centred = len(wide) == 1 and wide[0][0] != q.name and len(monomial) > (wide[0][0] in self.spelling.known)
        context, data = self.evaluation.context, {x.name for x in self.program.inputs if x.role == "data"}
        kept = {x.name for x in self.evaluation.cuts}
        names = context.positive | set(self.evaluation.centres) | set(context.functions) | data | kept
        found = centred and wide[0][0] in names
        return wide[0] if found and all(f[0] in context.positive for f in rest) else None

    def equations(self, outputs: tuple[Quantity, ...], known: Collection[Quantity]) -> list[Equation]:
        """The closed forms of outputs, and of the intermediates kept under their names that these need."""
        done: dict[Quantity, Equation] = {}
        todo = sorted(outputs, key=self._order)
        while todo:
            done |= {q: self.equation(q) for q in todo}
            recomputed = (self.program.equation(q) for q in self.recomputed if q not in known)
            bodies = [*done.values(), *self.reductions.values(), *self.centred.values(), *(e for e in recomputed if e)]
            used = {q for e in bodies for q in e.inputs}
            todo = [q for q in self.evaluation.cuts if q in used and q not in done and q not in known]
        return list(done.values())

    def equation(self, output: Quantity) -> Equation:
        """The closed form of one output."""
        own, forms = self.evaluation.cuts.get(output), self.evaluation.forms
        same = next((q for q in self.evaluation.cuts if own is None and forms[q] == forms[output]), None)
        if same is not None:
            return Equation(output, (Term(same),))
        form = self.evaluation.context.reduce_with(self._rewrites, self._form(output))
        whole = self.reductions.whole(output, form)
        return Equation(output, (Term(self._body(output, form)),)) if whole is None else whole

    def _body(self, output: Quantity, form: Form) -> sympy.Expr:
        """What a form says, factored; of an array, in few operations."""
        monomials = sorted(form.items(), key=lambda item: str(item[0]))
        split = [(c, in_order(self.reductions.split(m, output))) for m, c in monomials]
        body = factored(split, lambda e: any(self._is_wide(q) for q in quantities(e)))
        return compact(body, self._is_wide, self.recomputed) if self._is_wide(output) else body

    def _form(self, output: Quantity) -> Form:
        return self.evaluation.cuts.get(output, self.evaluation.forms[output])

    def _order(self, output: Quantity) -> tuple[bool, bool]:
        """Sums that are outputs get their names first: dx is then written with dbeta and dgamma."""
        form = self._form(output)
        is_sum = len(form) == 1 and all(components(m) for m in form)
        return self._is_wide(output), not is_sum

    def _is_wide(self, q: Quantity) -> bool:
        return is_element(q, self.program.inputs)
