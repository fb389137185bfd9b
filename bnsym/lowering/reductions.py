"""The sums of a normal form, each a quantity of its own: what of a monomial hangs together by summed indices."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from bnsym.calculus.forms import Form
from bnsym.calculus.monomials import Exponent, Factor, Label, Monomial, bound_labels, labels_of, merge, relabel
from bnsym.lowering.factoring import Powers, in_order, multiplied
from bnsym.lowering.names import reduction_name
from bnsym.lowering.spelling import NoClosedForm, Spelling
from bnsym.model import Axis, Equation, Program, Quantity, Term


class Reductions:
    """The sums that closed forms of one program are written with, each computed once."""

    def __init__(self, program: Program, spelling: Spelling):
        self.axes, self.spelling = program.axes, spelling
        self._found: dict[tuple[Monomial, tuple[Axis, ...]], Equation] = {}

    def values(self) -> list[Equation]:
        """The equations, in the order in which they were met."""
        return list(self._found.values())

    def split(self, monomial: Monomial, output: Quantity) -> Powers:
        """Sums out, each under its own name; what is left is elementwise."""
        parts = components(monomial)
        rest = [x for x in monomial if not any(x in part for part in parts)]
        sums = [self._sum(part, _own(part, output.axes)) for part in parts]
        return sums + [self.spelling.power(f, e) for f, e in rest]

    def whole(self, output: Quantity, form: Form) -> Equation | None:
        """An output that is one sum and nothing else *is* that sum: dbeta is the sum of dy."""
        if len(form) != 1:
            return None
        ((monomial, coefficient),) = form.items()
        parts = components(monomial)
        if coefficient != 1 or len(parts) != 1 or any(not bound_labels([x]) & bound_labels(parts[0]) for x in monomial):
            return None
        equation = self._equation(parts[0], output.axes)
        if equation.left.role != "sum":
            return Equation(output, (Term(equation.left),))
        renamed = Equation(output, equation.terms)
        self._found = {k: renamed if e == equation else e for k, e in self._found.items()}
        return renamed

    def _sum(self, part: Monomial, left_axes: tuple[Axis, ...]) -> tuple[sympy.Expr, sympy.Rational]:
        return self._equation(part, left_axes).left, sympy.Integer(1)

    def _equation(self, part: Monomial, left_axes: tuple[Axis, ...]) -> Equation:
        summed, labels = bound_labels(part), labels_of(part)
        if len({axis for axis, _ in labels}) < len(labels):
            return self._nested(part, left_axes)
        body = merge([((name, tuple((a, 0) for a, _ in ls)), e) for (name, ls), e in part])
        over = self._over(summed)
        if (body, over) not in self._found:
            self._add((body, over), [self.spelling.power(f, e) for f, e in body], left_axes)
        return self._found[body, over]

    def _nested(self, part: Monomial, left_axes: tuple[Axis, ...]) -> Equation:
        """A sum over products of sums: those inside first, each under its own name."""
        several = [axis for axis, _ in labels_of(part)]
        outer = {b for b in bound_labels(part) if several.count(b[0]) == 1}
        freed = merge_free(part, outer)
        inner = components(freed)
        if not outer or len(inner) < 2:
            raise NoClosedForm(f"two indices on one axis in {part}")
        rest = [x for x in freed if not any(x in p for p in inner)]
        over = self._over(outer)
        factors = [self.spelling.power(f, e) for f, e in rest]
        for p in inner:
            own = _own(p, (*over, *left_axes))
            factors.append(self._sum(p, tuple(a for a in self.axes if a in own)))
        if (part, over) not in self._found:
            self._add((part, over), factors, left_axes)
        return self._found[part, over]

    def _over(self, summed: set[Label]) -> tuple[Axis, ...]:
        return tuple(a for a in self.axes if a.name in {n for n, _ in summed})

    def _add(self, key: tuple[Monomial, tuple[Axis, ...]], factors: Powers, left_axes: tuple[Axis, ...]) -> None:
        product = in_order(factors)
        left = Quantity(reduction_name(product, key[1], self._found.values()), left_axes, "sum")
        self._found[key] = Equation(left, (Term(multiplied(product), key[1]),))


def _own(part: Monomial, axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes that a part of a monomial varies along."""
    return tuple(a for a in axes if any(b == (a.name, 0) for (_, ls), _ in part for b in ls))


def merge_free(part: Monomial, outer: set[Label]) -> Monomial:
    """A monomial with some of its summed labels free."""
    return tuple(sorted(relabel(part, {b: (b[0], 0) for b in outer}), key=str))


def components(monomial: Monomial) -> list[Monomial]:
    """What hangs together by summed labels, and touches at least one."""
    parts: list[list[tuple[Factor, Exponent]]] = []
    for entry in monomial:
        labels = bound_labels([entry])
        if labels:
            touching = [p for p in parts if bound_labels(p) & labels]
            parts = [p for p in parts if p not in touching] + [[entry, *(x for p in touching for x in p)]]
    return [tuple(p) for p in parts]
