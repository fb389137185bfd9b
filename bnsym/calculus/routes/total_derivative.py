"""SymPy's own total derivative, for symbolic sizes.

The program is written with `Indexed` and `sympy.Sum`, every intermediate substituted; the loss is the sum of seed times
output over all positions; SymPy differentiates it with respect to one element. Only then is the result brought
to normal form, where Kronecker deltas are used up, and compared with what the chain rule says. Every quantity is
indexed by all its axes, kept ones too, and what derivatives hold fixed stays a symbol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import sympy

from bnsym.calculus.evaluate import Evaluation, label
from bnsym.calculus.forms import Form, factor, renamed, subtract, total_over
from bnsym.calculus.judge import judged
from bnsym.calculus.monomials import DELTA, Label
from bnsym.calculus.normalise import Normaliser
from bnsym.calculus.opaque import made_opaque, whole
from bnsym.calculus.routes.case import Case
from bnsym.model import Axis, Program, Proof, Quantity, Size, Term, quantities

METHOD = "SymPy's total derivative, symbolic sizes"

MOVED = sympy.Symbol("h", real=True)
"""How far the inputs are moved along their tangents."""

Place = dict[Axis, sympy.Symbol]


def proofs(case: Case) -> tuple[Proof, ...]:
    """Each gradient against SymPy's derivative of the program."""
    evaluation = Evaluation().assume(case.premises).run(case.derivative.program)
    tangents = dict(zip(case.derivative.wrt, case.derivative.seeds, strict=True)) if case.forwards else {}
    written = Written(case.program, tangents)
    loss = sympy.Integer(0) if case.forwards else written.loss(case.derivative.seeds)
    reader = Reader(written, evaluation)

    def difference(u: Quantity, derivative: Quantity | None) -> Form:
        of_chain = evaluation.forms[derivative] if derivative is not None else {}
        found = written.along(u) if case.forwards else sympy.diff(loss, written.element(u))
        return subtract(reader.form(found), of_chain)

    return tuple(
        judged(claim, METHOD, evaluation.context, partial(difference, u, gradient))
        for claim, u, gradient in case.claims()
    )


class Written:
    """A program's quantities as SymPy expressions of the elements of its inputs, each moved along its tangent."""

    def __init__(self, program: Program, tangents: Mapping[Quantity, Quantity] | None = None):
        self.program, self.tangents = program, tangents or {}
        self.labels: dict[sympy.Symbol, Label] = {}
        self.names: dict[str, Quantity] = {}
        self._known: dict[tuple[Quantity, tuple[sympy.Symbol, ...]], sympy.Expr] = {}
        self._places: dict[Axis, sympy.Symbol] = {}

    def loss(self, seeds: Sequence[Quantity]) -> sympy.Expr:
        """The sum of seed times output over all outputs and positions."""
        weighted = [Term(seed * y, y.axes) for seed, y in zip(seeds, self.program.outputs, strict=True)]
        return sympy.Add(*(self._term(t, {}) for t in weighted))

    def along(self, y: Quantity) -> sympy.Expr:
        """The derivative of an output in the direction of the tangents."""
        return sympy.diff(self.of(y, self._free(y)), MOVED)

    def _free(self, q: Quantity) -> Place:
        for axis in q.axes:
            if axis not in self._places:
                self._places[axis] = self._index(axis, 0)
        return {a: self._places[a] for a in q.axes}

    def element(self, q: Quantity) -> sympy.Expr:
        """The representative element that a derivative is taken to: its labels are those of the chain rule's forms."""
        return self._symbol(q, self._free(q))

    def of(self, q: Quantity, place: Place) -> sympy.Expr:
        """A quantity at a place, everything that is computed on the way to it substituted."""
        key = (q, tuple(place[a] for a in q.axes))
        if key not in self._known:
            equation = self.program.equation(q)
            opaque = equation is None or equation.held
            terms = equation.terms if equation else ()
            self._known[key] = (
                self._moved(q, place) if opaque else whole(sympy.Add(*(self._term(t, place) for t in terms)))
            )
        return self._known[key]

    def _term(self, term: Term, place: Place) -> sympy.Expr:
        fresh = {axis: self._index(axis, len(self.labels) + 1) for axis in term.axes}
        whole = {**place, **fresh}
        found = [q for q in quantities(term.body) if not isinstance(q, Size)]
        body = made_opaque(term.body).xreplace({q: self.of(q, whole) for q in found})
        if not fresh:
            return body
        return sympy.Sum(body, *((index, 1, _count(axis)) for axis, index in fresh.items()))

    def _moved(self, q: Quantity, place: Place) -> sympy.Expr:
        """An input at a place, and some way along its tangent."""
        tangent = self.tangents.get(q)
        return self._symbol(q, place) + (MOVED * self._symbol(tangent, place) if tangent is not None else 0)

    def _symbol(self, q: Quantity, place: Place) -> sympy.Expr:
        if not q.axes:
            return q
        if self.names.setdefault(q.name, q) != q:
            raise ValueError(f"{q.name} is the name of two quantities")
        return sympy.IndexedBase(q.name, real=True, zero=False)[tuple(place[a] for a in q.axes)]

    def _index(self, axis: Axis, n: int) -> sympy.Symbol:
        index = sympy.Symbol(f"{axis.name}_{n}", integer=True)
        self.labels[index] = (axis.name, -n)
        return index


def _count(axis: Axis) -> sympy.Symbol:
    return sympy.Symbol(f"count_{axis.name}", integer=True, positive=True)


class Reader:
    """Normal forms of what SymPy wrote: indexed elements, Kronecker deltas and `sympy.Sum` included."""

    def __init__(self, written: Written, evaluation: Evaluation):
        self.written, self.evaluation = written, evaluation
        self.form = Normaliser(evaluation.context, self._leaf)

    def _leaf(self, e: sympy.Basic) -> Form | None:
        labels = self.written.labels
        if isinstance(e, sympy.Indexed):
            q = self.written.names[e.base.name]
            new = dict(zip((label(a) for a in q.axes), (labels[i] for i in e.indices), strict=True))
            return renamed(self.evaluation.expression(q), new)
        if isinstance(e, sympy.KroneckerDelta):
            return factor(DELTA, tuple(sorted(labels[i] for i in e.args)))
        if isinstance(e, sympy.Sum):
            return total_over(self.form(e.function), [labels[i] for i in e.variables])
        if isinstance(e, Quantity):
            return self.evaluation.expression(e)
        return {} if e == MOVED else None
