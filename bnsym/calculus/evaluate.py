"""Programs brought to normal form: every quantity in terms of the inputs, data centred at their mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from bnsym.calculus.context import Context
from bnsym.calculus.forms import Form, add, factor, factors_of, number, subtract, text, total_over
from bnsym.calculus.generators import null_sum
from bnsym.calculus.monomials import Label, size_factor
from bnsym.calculus.normalise import Normaliser
from bnsym.model import Axis, Equation, Premise, Program, Quantity, Size, Term


def label(axis: Axis) -> Label:
    """The free label that stands for a position along an axis."""
    return (axis.name, 0)


def atom(q: Quantity) -> Form:
    """A quantity as a factor of its own; a size as the size of its axis."""
    if isinstance(q, Size):
        return factor(*size_factor(q.axis.name))
    return factor(q.name, tuple(label(a) for a in q.axes))


class Evaluation:
    """The normal form of every quantity of a program, inputs centred where the program subtracts their mean."""

    def __init__(self, context: Context | None = None, *, centring: bool = True, cut: Iterable[Quantity] = ()):
        """`cut` are computed quantities that are left as symbols; what they stand for is kept in `cuts`."""
        self.context = context or Context()
        self.centring = centring
        self.cuts: dict[Quantity, Form] = {}
        self._cut = frozenset(cut)
        self._exchanged: dict[Quantity, tuple[Quantity, sympy.Expr]] = {}
        self.forms: dict[Quantity, Form] = {}
        self.centres: dict[str, tuple[Quantity, Quantity]] = {}
        self._taken: dict[Quantity, None] = {}
        self._normalise = Normaliser(self.context, self._leaf)

    def _leaf(self, e: sympy.Basic) -> Form | None:
        if not isinstance(e, Quantity):
            return None
        if e not in self.forms:
            self._declare(e)
            self._taken.setdefault(e)
            self.forms[e] = atom(e)
        return self.forms[e]

    def _declare(self, q: Quantity) -> None:
        if q.role in ("constant", "size", "count"):
            self.context.positive.add(q.name)
        if q.role == "mask":
            self.context.zero_one.add(q.name)

    def run(self, program: Program) -> Evaluation:
        """Evaluate every equation that is not known yet."""
        for q in program.inputs:
            self._leaf(q)
        for e in program.equations:
            if e.left not in self.forms:
                x = self._centre(e) or self._exchange(e) if self.centring else None
                if x is not None and any(self._uses(d, x) for d in program.equations):
                    return self._again(program)  # x has a new spelling from here on: every form must have it
                self.forms[e.left] = self._form(e)
        return self

    def _uses(self, e: Equation, x: Quantity) -> bool:
        """Whether what is known of an equation's left side, or what it holds, is spelled with x."""
        return self.mentions(self.forms.get(e.left, {}), x) or (e.held and e.left in self.forms and x in e.inputs)

    def _form(self, e: Equation) -> Form:
        if e.held:
            return self._held(e)
        if e.left in self._exchanged:
            return self.forms.get(e.left, atom(e.left))
        form = self.right(e)
        if e.left.role == "count":
            self._declare(e.left)
            return self.context.named_sum(e.left.name, form, atom(e.left))
        if e.left not in self._cut or form == atom(e.left):
            return form
        self.cuts[e.left] = form
        return atom(e.left)

    def _again(self, program: Program) -> Evaluation:
        for e in program.equations:
            if e.left not in self._exchanged:
                self.forms.pop(e.left, None)
            self.context.held.pop(e.left.name, None)
        return self.run(program)

    def _held(self, equation: Equation) -> Form:
        """An atom for what derivatives treat as a constant. One name that holds two different things is refused."""
        meaning = [(t.axes, t.largest, text(self._normalise(t.body))) for t in equation.terms]
        if self.context.held.setdefault(equation.left.name, meaning) != meaning:
            raise ValueError(f"{equation.left} is held twice in one context, with different meanings")
        return atom(equation.left)

    def mentions(self, form: Form, x: Quantity) -> bool:
        """Whether the form holds x as an atom, by itself or inside a function or a generator."""
        names = {name for name, _ in factors_of(form)}
        return any(n == x.name or self.mentions(self.context.inside(n), x) for n in names)

    def beside(self, given: Mapping[Quantity, Form] | None = None, *, cut: Iterable[Quantity] = ()) -> Evaluation:
        """Another program's evaluation in the same context, to compare its forms with this one's.

        It starts from the inputs of this one, centred as they are here, and from `given`, which says what further
        inputs stand for, as in `e.beside({mean: e.forms[mean]}).run(other)`. Nothing else that was computed here is
        carried over: what `other` computes, it computes itself.
        """
        other = Evaluation(self.context, centring=False, cut=cut)
        other.forms = {q: self.forms[q] for q in self._taken} | dict(given or {})
        return other

    def assume(self, premises: Iterable[Premise]) -> Evaluation:
        """Take premises for granted: each becomes a rule."""
        for premise in premises:
            difference = subtract(self.term(premise.term), self.expression(premise.value))
            self.context.assume(f"premise {premise.term.expression} = {premise.value}", difference)
        return self

    def right(self, equation: Equation) -> Form:
        """The normal form of an equation's right side."""
        return self.context.reduce(add(*(self.term(t) for t in equation.terms)))

    def term(self, term: Term) -> Form:
        """The normal form of one term."""
        if term.largest:
            raise ValueError(f"Max({term.body}) has no normal form: only a held equation may have it")
        return self.context.reduce(total_over(self._normalise(term.body), [label(a) for a in term.axes]))

    def expression(self, body: sympy.Expr) -> Form:
        """The normal form of an elementwise expression."""
        return self._normalise(body)

    def _centre(self, equation: Equation) -> Quantity | None:
        """Where v = sum w x with sum w = 1: write x = c + v, with sum w c = 0; returns x."""
        if len(equation.terms) != 1 or equation.terms[0].largest or not equation.terms[0].axes:
            return None  # v = x is another name for x, no mean of it
        term = equation.terms[0]
        free = {*self._taken, *self.cuts, *self._exchanged}  # no mean that another quantity is centred at
        for x in [q for q in equation.inputs if q in free and self.forms[q] == atom(q)]:
            weight = sympy.diff(term.body, x)
            if weight.has(x) or sympy.expand(term.body - weight * x) != 0 or equation.left.axes != _rest(x, term):
                continue
            w = self._normalise(weight)
            if self.term(Term(weight, term.axes)) == number(1) and len(w) == 1 and not self.mentions(w, x):
                self._write_centred(x, equation.left, w, term)
                return x
        return None

    def _exchange(self, equation: Equation) -> Quantity | None:
        """Where h = x + rest, x free and h of x's axes: take h for the free one, x = h - rest; returns x.

        A statistic of h is then centred, and decided, as that of an input is.
        """
        left, body = equation.left, equation.right
        if left in self._cut or equation.held or any(t.axes for t in equation.terms):
            return None
        for x in [q for q in equation.inputs if q.role == "data" and q.axes == left.axes]:
            free = self.forms.get(x) == atom(x) and x in self._taken and body.is_Add and sympy.diff(body, x) == 1
            if free and not self.mentions(self.expression(body - x), x):
                self._exchanged[left] = x, body - x
                self.forms[left] = atom(left)
                self._respell(left)
                return x
        return None

    def _write_centred(self, x: Quantity, mean: Quantity, weight: Form, term: Term) -> None:
        labels = tuple(label(a) for a in x.axes)
        summed = [label(a) for a in term.axes]
        centred = (self.centre_at(x, mean), labels)
        self.context.rules += (null_sum(f"centre {x} at {mean}", next(iter(weight)), centred, summed),)

    def centre_at(self, x: Quantity, mean: Quantity) -> str:
        """Write x = c + mean from here on; returns c's name. That w c sums to 0 is for the caller to know."""
        name = f"({x}-{mean})"
        centred = factor(name, tuple(label(a) for a in x.axes))
        self.centres[name] = (x, mean)
        self.forms[x] = add(centred, atom(mean))
        self._respell(x)
        return name

    def _respell(self, h: Quantity) -> None:
        """What was spelled with h is spelled anew; where h was taken for a free quantity, so is x = h - rest."""
        if h in self._exchanged:
            x, rest = self._exchanged[h]
            self.forms[x] = subtract(self.forms[h], self.expression(rest))
        self._normalise = Normaliser(self.context, self._leaf)


def _rest(x: Quantity, term: Term) -> tuple[Axis, ...]:
    return tuple(a for a in x.axes if a not in term.axes)
