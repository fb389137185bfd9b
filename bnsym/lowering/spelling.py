"""The factors of a normal form as a reader knows them: quantities, sizes, hoisted powers, functions, x - mean."""

from __future__ import annotations

from fractions import Fraction

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.monomials import Exponent, Factor, bound_labels
from bnsym.lowering.factoring import multiplied
from bnsym.lowering.names import Hoisted
from bnsym.model import Equation, Program, Quantity, Size, Term


class NoClosedForm(Exception):
    """The normal form holds something that has no name here; the chain rule's own program is used instead."""


class Spelling:
    """What each factor is called in one program, and which quantities are needed for it.

    `introduced` are names that closed forms are written with on purpose, such as x_hat; those of them that occurred are
    in `recomputed`, and x - mean in `centred`.
    """

    def __init__(self, program: Program, evaluation: Evaluation, hoisted: Hoisted):
        self.evaluation, self.hoisted = evaluation, hoisted
        self.known = {q.name: q for q in (*program.inputs, *(e.left for e in program.equations))}
        self.introduced: set[str] = set()
        self.recomputed: dict[Quantity, None] = {}
        self.centred: dict[Quantity, Equation] = {}
        self._axes = {a.name: a for a in program.axes}
        self._sizes = {q.axis.name: q for e in program.equations for t in e.terms
                       for q in t.body.atoms(Size)}  # fmt: skip

    def power(self, f: Factor, e: Exponent) -> tuple[sympy.Expr, sympy.Rational]:
        """A power of a factor, as one of what a reader knows. Raises NoClosedForm where nobody knows it."""
        name, exponent, context = f[0], _rational(Fraction(e)), self.evaluation.context
        if name.startswith("#"):
            return self._sizes.get(name[1:], Size(f"size_{name[1:]}", self._axes[name[1:]])), exponent
        if name in context.generators:
            return self.hoisted.power(name, exponent)
        if name in self.evaluation.centres:
            return self._centred(*self.evaluation.centres[name]), exponent
        if name in context.exponents:
            ((inner, c),) = context.exponents[name].items()
            if bound_labels(inner):
                raise NoClosedForm(f"{name} is a function of a sum")
            return sympy.exp(_rational(c) * multiplied([self.power(f, k) for f, k in inner])), exponent
        if name in context.functions:
            return self._with_centred(context.functions[name]), exponent
        if name not in self.known:
            raise NoClosedForm(f"{name} has no name in the program")
        if name in self.introduced:
            self.recomputed.setdefault(self.known[name])
        return self.known[name], exponent

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


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)
