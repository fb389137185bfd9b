"""Programs and expressions brought to normal form.

`Normaliser` walks a SymPy expression. A leaf function says what a quantity is; so the same walk serves index-free
programs, SymPy's own indexed derivatives, and elements written out one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import sympy

from bnsym.calculus.context import Context, null_sum
from bnsym.calculus.forms import Form, add, factor, mul, number, scale, subtract, total_over
from bnsym.calculus.monomials import Label, size_factor
from bnsym.functions import Abs, maximum, sign, step
from bnsym.model import Axis, Equation, Program, Quantity, Size, Term

Leaf = Callable[[sympy.Basic], Form | None]
ODD = (sympy.tanh, sympy.erf, sympy.sinh, sympy.atan)


class Normaliser:
    """Normal forms of SymPy expressions in one context; `leaf` gives those of symbols and other ends."""

    def __init__(self, context: Context, leaf: Leaf):
        self.context, self.leaf = context, leaf
        self._known: dict[sympy.Basic, Form] = {}

    def __call__(self, expression: sympy.Basic) -> Form:
        """The normal form of an expression."""
        found = self._known.get(expression)
        if found is None:
            found = self._known[expression] = self.context.reduce(self._of(expression))
        return found

    def _of(self, e: sympy.Basic) -> Form:
        leaf = self.leaf(e)
        if leaf is not None:
            return leaf
        if isinstance(e, sympy.Rational):
            return number(Fraction(int(e.p), int(e.q)))
        if isinstance(e, sympy.Add):
            return add(*(self(a) for a in e.args))
        if isinstance(e, sympy.Mul):
            result = number(1)
            for a in e.args:
                result = self.context.reduce(mul(result, self(a)))
            return result
        if isinstance(e, sympy.Pow) and isinstance(e.exp, sympy.Rational):
            exponent = Fraction(int(e.exp.p), int(e.exp.q))
            return self.context.power(self(e.base), int(exponent) if exponent.denominator == 1 else exponent)
        return self._function(e)

    def _function(self, e: sympy.Basic) -> Form:
        context = self.context
        if isinstance(e, sympy.exp):
            return context.exponential(self(e.args[0]))
        if isinstance(e, sympy.log):
            return context.logarithm(self(e.args[0]))
        if isinstance(e, maximum):
            difference = subtract(self(e.args[0]), self(e.args[1]))
            return add(self(e.args[1]), mul(difference, self._step(difference)))
        if isinstance(e, step):
            return self._step(self(e.args[0]))
        if isinstance(e, (Abs, sign)):
            argument = self(e.args[0])
            return mul(argument, self._sign(argument)) if isinstance(e, Abs) else self._sign(argument)
        if isinstance(e, ODD):
            return self._odd(type(e).__name__, self(e.args[0]))
        if isinstance(e, sympy.Function) and len(e.args) == 1:
            return context.function(type(e).__name__, self(e.args[0]))
        if e.is_number:
            return factor(str(e))
        raise TypeError(f"{type(e).__name__} has no normal form: {e}")

    def _odd(self, name: str, argument: Form) -> Form:
        """f(-a) = -f(a): the argument's first term is taken positive."""
        if not argument:
            return {}
        if argument[min(argument, key=str)] < 0:
            return scale(self.context.function(name, scale(argument, -1)), -1)
        return self.context.function(name, argument)

    def _step(self, argument: Form) -> Form:
        atom = self.context.function("step", argument)
        self.context.zero_one |= {name for ((((name, _), _),), _) in atom.items()}
        return atom

    def _sign(self, argument: Form) -> Form:
        signed = self._odd("sign", argument)
        lone = next(iter(argument), ())
        for ((((name, _), _),), _) in signed.items():
            self.context.signs[name] = lone[0][0][0] if len(argument) == 1 and len(lone) == 1 else ""
        return signed


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

    def __init__(self, context: Context | None = None, *, centring: bool = True):
        self.context = context or Context()
        self.centring = centring
        self.forms: dict[Quantity, Form] = {}
        self.centres: dict[str, tuple[Quantity, Quantity]] = {}
        self._normalise = Normaliser(self.context, self._leaf)

    def _leaf(self, e: sympy.Basic) -> Form | None:
        if not isinstance(e, Quantity):
            return None
        if e not in self.forms:
            self._declare(e)
            self.forms[e] = atom(e)
        return self.forms[e]

    def _declare(self, q: Quantity) -> None:
        if q.role in ("constant", "size"):
            self.context.positive.add(q.name)
        if q.role == "mask":
            self.context.zero_one.add(q.name)

    def run(self, program: Program) -> Evaluation:
        """Evaluate every equation that is not known yet."""
        for q in program.inputs:
            self._leaf(q)
        for e in program.equations:
            if e.left not in self.forms:
                if self.centring:
                    self._centre(e)
                self.forms[e.left] = atom(e.left) if e.held else self.right(e)
        return self

    def right(self, equation: Equation) -> Form:
        """The normal form of an equation's right side."""
        return self.context.reduce(add(*(self.term(t) for t in equation.terms)))

    def term(self, term: Term) -> Form:
        """The normal form of one term."""
        return self.context.reduce(total_over(self._normalise(term.body), [label(a) for a in term.axes]))

    def expression(self, body: sympy.Expr) -> Form:
        """The normal form of an elementwise expression."""
        return self._normalise(body)

    def _centre(self, equation: Equation) -> None:
        """Where v = sum w x with sum w = 1: write x = c + v, with sum w c = 0."""
        if len(equation.terms) != 1 or equation.terms[0].largest:
            return
        term = equation.terms[0]
        for x in [q for q in equation.inputs if self.forms.get(q) == atom(q) and set(q.axes) >= set(term.axes)]:
            weight = sympy.diff(term.body, x)
            if weight.has(x) or sympy.expand(term.body - weight * x) != 0 or equation.left.axes != _rest(x, term):
                continue
            if self.term(Term(weight, term.axes)) == number(1):
                self._write_centred(x, equation.left, self._normalise(weight), term)
                return

    def _write_centred(self, x: Quantity, mean: Quantity, weight: Form, term: Term) -> None:
        if len(weight) != 1:
            return
        name = f"({x}-{mean})"
        centred = factor(name, tuple(label(a) for a in x.axes))
        self.context.rules.append(
            null_sum(f"centre {x} at {mean}", next(iter(weight)), (name, tuple(label(a) for a in x.axes)),
                     [label(a) for a in term.axes])
        )  # fmt: skip
        self.centres[name] = (x, mean)
        self.forms[x] = add(centred, atom(mean))
        self._normalise = Normaliser(self.context, self._leaf)


def _rest(x: Quantity, term: Term) -> tuple[Axis, ...]:
    return tuple(a for a in x.axes if a not in term.axes)
