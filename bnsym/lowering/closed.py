"""Closed forms: what the normal form says a program computes, written with the quantities a reader knows.

Reductions are what of a monomial hangs together by summed indices; each becomes a quantity of its own. Centred data
are written as x_hat / inv_std where the program has an x_hat: batch norm's dx is then uniform in inv_std, and neither
overflows nor loses digits where the data are tiny or huge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from fractions import Fraction

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, factor, mul
from bnsym.calculus.monomials import Exponent, Factor, Label, Monomial, bound_labels, labels_of, merge, relabel
from bnsym.calculus.rules import Rule
from bnsym.lowering.compact import compact
from bnsym.lowering.names import Hoisted, reduction_name
from bnsym.lowering.operations import is_element
from bnsym.model import Axis, Equation, Program, Quantity, Size, Term, quantities

Powers = list[tuple[sympy.Expr, sympy.Rational]]


class NoClosedForm(Exception):
    """The normal form holds something that has no name here; the chain rule's own program is used instead."""


class ClosedForm:
    """Writes outputs of one program as equations over inputs, hoisted powers and reductions."""

    def __init__(self, program: Program, evaluation: Evaluation, hoisted: Hoisted):
        self.program, self.evaluation, self.hoisted = program, evaluation, hoisted
        self.is_element = lambda e: any(is_element(q, program.inputs) for q in quantities(e))
        self.reductions: dict[tuple[Monomial, tuple[Axis, ...]], Equation] = {}
        self.recomputed: dict[Quantity, None] = {}
        self._known = {q.name: q for q in (*program.inputs, *(e.left for e in program.equations))}
        self._axes = {a.name: a for a in program.axes}
        self._sizes = {q.axis.name: q for e in program.equations for t in e.terms
                       for q in t.body.atoms(Size)}  # fmt: skip
        self._rewrites: list[Rule] = []
        self._introduced: set[str] = set()
        self.centred: dict[Quantity, Equation] = {}

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
                self._introduced.add(q.name)

    def _replaceable(self, q: Quantity, monomial: Monomial) -> Factor | None:
        """The one factor with all of q's axes, if the others may be divided by: nothing here divides by gamma."""
        if bound_labels(monomial):
            return None
        wide = [f for f, e in monomial if len(f[1]) == len(q.axes) and e == 1]
        rest = [f for f, _ in monomial if f not in wide]
        centred = len(wide) == 1 and wide[0][0] != q.name and len(monomial) > (wide[0][0] in self._known)
        context, data = self.evaluation.context, {x.name for x in self.program.inputs if x.role == "data"}
        kept = {x.name for x in self.evaluation.cuts}
        names = context.positive | set(self.evaluation.centres) | set(context.functions) | data | kept
        found = centred and wide[0][0] in names
        return wide[0] if found and all(f[0] in context.positive for f in rest) else None

    def equations(self, outputs: tuple[Quantity, ...], known: Collection[Quantity]) -> list[Equation]:
        """The closed forms of outputs, and of the intermediates kept under their names that these need."""
        done: dict[Quantity, Equation] = {}
        # Sums that are outputs get their names first: dx is then written with dbeta and dgamma.
        todo = sorted(outputs, key=lambda q: (is_element(q, self.program.inputs), self._is_bare_sum(q)))
        while todo:
            done |= {q: self.equation(q) for q in todo}
            recomputed = (self.program.equation(q) for q in self.recomputed if q not in known)
            bodies = [*done.values(), *self.reductions.values(), *self.centred.values(), *(e for e in recomputed if e)]
            used = {q for e in bodies for q in e.inputs}
            todo = [q for q in self.evaluation.cuts if q in used and q not in done and q not in known]
        return list(done.values())

    def equation(self, output: Quantity) -> Equation:
        """The closed form of one output."""
        own = self.evaluation.cuts.get(output)
        kept = (
            q for q in self.evaluation.cuts if own is None and self.evaluation.forms[q] == self.evaluation.forms[output]
        )
        if (same := next(kept, None)) is not None:
            return Equation(output, (Term(same),))
        form = self._rewritten(own if own is not None else self.evaluation.forms[output])
        whole = self._as_reduction(output, form)
        if whole is not None:
            return whole
        split = [(c, self._split(m, output)) for m, c in sorted(form.items(), key=lambda item: str(item[0]))]
        body = _factored([(c, self._products(f)) for c, f in split], self.is_element)
        wide = is_element(output, self.program.inputs)
        return Equation(output, (Term(compact(body, self._is_wide, self.recomputed) if wide else body),))

    def _is_bare_sum(self, output: Quantity) -> bool:
        """Whether an output is one sum and nothing else, negated so that these come first."""
        form = self.evaluation.cuts.get(output, self.evaluation.forms[output])
        return not (len(form) == 1 and all(bound_labels(_components(m)[0]) if _components(m) else () for m in form))

    def _is_wide(self, q: Quantity) -> bool:
        return is_element(q, self.program.inputs)

    def _rewritten(self, form: Form) -> Form:
        context = self.evaluation.context
        kept = context.rules
        context.rules = [*kept, *self._rewrites]
        try:
            return context.reduce(form)
        finally:
            context.rules = kept

    def _as_reduction(self, output: Quantity, form: Form) -> Equation | None:
        """An output that is one sum and nothing else *is* that sum: dbeta is the sum of dy."""
        if len(form) != 1:
            return None
        ((monomial, coefficient),) = form.items()
        parts = _components(monomial)
        if coefficient != 1 or len(parts) != 1 or any(not bound_labels([x]) & bound_labels(parts[0]) for x in monomial):
            return None
        equation = self._reduction(parts[0], output.axes)
        if equation.left.role != "sum":
            return Equation(output, (Term(equation.left),))
        renamed = Equation(output, equation.terms)
        self.reductions = {k: renamed if e == equation else e for k, e in self.reductions.items()}
        return renamed

    def _split(self, monomial: Monomial, output: Quantity) -> Powers:
        """Sums out, each under its own name; what is left is elementwise."""
        factors: Powers = []
        rest = list(monomial)
        for part in _components(monomial):
            rest = [x for x in rest if x not in part]
            axes = tuple(a for a in output.axes if any(b == (a.name, 0) for (_, ls), _ in part for b in ls))
            factors.append((self._reduction(part, axes).left, sympy.Integer(1)))
        return factors + [self._power(f, e) for f, e in rest]

    def _reduction(self, part: Monomial, left_axes: tuple[Axis, ...]) -> Equation:
        summed, labels = bound_labels(part), labels_of(part)
        if len({axis for axis, _ in labels}) < len(labels):
            return self._nested(part, left_axes)
        body = merge([((name, tuple((a, 0) for a, _ in ls)), e) for (name, ls), e in part])
        axes = tuple(a for a in self.program.axes if a.name in {n for n, _ in summed})
        if (body, axes) not in self.reductions:
            product = self._products([self._power(f, e) for f, e in body])
            left = Quantity(reduction_name(product, axes, self.reductions.values()), left_axes, "sum")
            self.reductions[body, axes] = Equation(left, (Term(sympy.Mul(*(b**e for b, e in product)), axes),))
        return self.reductions[body, axes]

    def _nested(self, part: Monomial, left_axes: tuple[Axis, ...]) -> Equation:
        """A sum over products of sums: those inside first, each under its own name."""
        summed, several = bound_labels(part), [axis for axis, _ in labels_of(part)]
        outer = {b for b in summed if several.count(b[0]) == 1}
        freed = merge_free(part, outer)
        inner = _components(freed)
        if not outer or len(inner) < 2:
            raise NoClosedForm(f"two indices on one axis in {part}")
        rest = [x for x in freed if not any(x in p for p in inner)]
        over = tuple(a for a in self.program.axes if a.name in {n for n, _ in outer})
        factors = [self._power(f, e) for f, e in rest]
        for p in inner:
            axes = tuple(a for a in (*over, *left_axes) if any(b == (a.name, 0) for (_, ls), _ in p for b in ls))
            ordered_axes = tuple(a for a in self.program.axes if a in axes)
            factors.append((self._reduction(p, ordered_axes).left, sympy.Integer(1)))
        key = (part, over)
        if key not in self.reductions:
            product = self._products(factors)
            left = Quantity(reduction_name(product, over, self.reductions.values()), left_axes, "sum")
            self.reductions[key] = Equation(left, (Term(sympy.Mul(*(b**e for b, e in product)), over),))
        return self.reductions[key]

    def _power(self, f: Factor, e: int | Fraction) -> tuple[sympy.Expr, sympy.Rational]:
        name, exponent = f[0], sympy.Rational(Fraction(e).numerator, Fraction(e).denominator)
        if name.startswith("#"):
            return self._sizes.get(name[1:], Size(f"size_{name[1:]}", self._axes[name[1:]])), exponent
        if name in self.evaluation.context.generators:
            return self.hoisted.power(name, exponent)
        if name in self.evaluation.centres:
            return self._centred(*self.evaluation.centres[name]), exponent
        if name in self.evaluation.context.exponents:
            ((inner, c),) = self.evaluation.context.exponents[name].items()
            factors = [self._power((f[0], f[1]), k) for f, k in inner]
            return sympy.exp(
                sympy.Rational(c.numerator, c.denominator) * sympy.Mul(*(b**k for b, k in factors))
            ), exponent
        if name in self.evaluation.context.functions:
            return self._with_centred(self.evaluation.context.functions[name]), exponent
        if name not in self._known:
            raise NoClosedForm(f"{name} has no name in the program")
        if name in self._introduced:
            self.recomputed.setdefault(self._known[name])
        return self._known[name], exponent

    def _centred(self, x: Quantity, mean: Quantity) -> Quantity:
        left = Quantity(f"{x}_centred", x.axes, "value")
        self.centred[left] = Equation(left, (Term(x - mean),))
        return left

    def with_centred(self, e: Equation) -> Equation:
        """An equation with x - mean under its name."""
        terms = tuple(Term(self._with_centred(t.body), t.axes, t.largest) for t in e.terms)
        return Equation(e.left, terms, e.held, e.origin)

    def _with_centred(self, e: sympy.Expr) -> sympy.Expr:
        for x, mean in self.evaluation.centres.values():
            known = Quantity(f"{x}_centred", x.axes, "value") in self.centred
            if known and e.has(x) and not e.xreplace({x: mean}).has(mean):
                e = e.xreplace({x: self._centred(x, mean) + mean})
        return e

    @staticmethod
    def _products(factors: Powers) -> Powers:
        return sorted(factors, key=lambda item: str(item[0]))


def merge_free(part: Monomial, outer: set[Label]) -> Monomial:
    """A monomial with some of its summed labels free."""
    return tuple(sorted(relabel(part, {b: (b[0], 0) for b in outer}), key=str))


def _components(monomial: Monomial) -> list[Monomial]:
    """What hangs together by summed labels, and touches at least one."""
    parts: list[list[tuple[Factor, Exponent]]] = []
    for entry in monomial:
        labels = bound_labels([entry])
        if labels:
            touching = [p for p in parts if bound_labels(p) & labels]
            parts = [p for p in parts if p not in touching] + [[entry, *(x for p in touching for x in p)]]
    return [tuple(p) for p in parts]


def _factored(terms: list[tuple[Fraction, Powers]], is_element: Callable[[sympy.Expr], bool]) -> sympy.Expr:
    """A sum of monomials: what all of them share taken out, the rest collected by the arrays in it."""
    if not terms:
        return sympy.Integer(0)
    tables = [_as_table(powers) for _, powers in terms]
    shared = {b: min((t[b] for t in tables), key=abs) for b, e in tables[0].items()
              if len(terms) > 1 and all(b in t and t[b] * e > 0 for t in tables)}  # fmt: skip
    collected: dict[sympy.Expr, list[sympy.Expr]] = {}
    for (c, _), table in zip(terms, tables, strict=True):
        rest = {b: e - shared.get(b, 0) for b, e in table.items()}
        arrays = _product({b: e for b, e in rest.items() if is_element(b)})
        coefficient = _product({b: e for b, e in rest.items() if not is_element(b)})
        collected.setdefault(arrays, []).append(sympy.Rational(c.numerator, c.denominator) * coefficient)
    inner = sympy.Add(*(sympy.Add(*coefficients) * arrays for arrays, coefficients in collected.items()))
    return _product(shared) * inner


def _as_table(powers: Powers) -> dict[sympy.Expr, sympy.Rational]:
    """Each base once: a sum may stand in a monomial several times."""
    table: dict[sympy.Expr, sympy.Rational] = {}
    for base, e in powers:
        table[base] = table.get(base, 0) + e
    return table


def _product(powers: dict[sympy.Expr, sympy.Rational]) -> sympy.Expr:
    return sympy.Mul(*(b**e for b, e in sorted(powers.items(), key=lambda item: str(item[0]))))
