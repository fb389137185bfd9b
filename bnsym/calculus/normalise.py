"""SymPy expressions brought to normal form, whatever their symbols are.

`Normaliser` walks an expression. A leaf function says what a quantity is; so the same walk serves index-free programs,
SymPy's own indexed derivatives, and elements written out one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import sympy

from bnsym.calculus.context import Context
from bnsym.calculus.exponentials import exponential, logarithm
from bnsym.calculus.folding import without_scale
from bnsym.calculus.forms import Form, add, factor, mul, number, scale, subtract
from bnsym.calculus.monomials import bound_labels
from bnsym.calculus.opaque import Whole
from bnsym.calculus.powers import raised
from bnsym.checks import DefinitionError
from bnsym.functions import Abs, maximum, minimum, sign, step

Leaf = Callable[[sympy.Basic], Form | None]
ODD = (sympy.tanh, sympy.erf, sympy.sinh, sympy.atan)
KINKED = (maximum, minimum, step, Abs, sign)


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
        if isinstance(e, Whole):
            return self(e.content)
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
            return self._power(e)
        return self._function(e)

    def _power(self, e: sympy.Pow) -> Form:
        exponent = Fraction(int(e.exp.p), int(e.exp.q))
        power = int(exponent) if exponent.denominator == 1 else exponent
        return self._noting(e.base, lambda base: raised(self.context, base, power))

    def _noting(self, base: sympy.Expr, make: Callable[[Form], Form]) -> Form:
        """Remember how the program writes the base of a generator that is made on the way."""
        inner, known = self(base), len(self.context.generators)
        form = make(inner)
        for name in list(self.context.generators)[known:]:
            self.context.written.setdefault(name, base)
        return form

    def _function(self, e: sympy.Basic) -> Form:
        if hasattr(e, "original"):
            e = e.original(*e.args)
            if not isinstance(e, sympy.Function):
                return self(e)
        if isinstance(e, sympy.exp) and e.args:
            return exponential(self.context, self(e.args[0]))
        if isinstance(e, sympy.log):
            return self._noting(e.args[0], lambda argument: logarithm(self.context, argument))
        if isinstance(e, KINKED):
            return self._kinked(e)
        if isinstance(e, ODD):
            return self._odd(e, self(e.args[0]))
        if isinstance(e, sympy.Function) and len(e.args) == 1:
            return self._written(e, self.context.function(type(e).__name__, self(e.args[0])))
        if e.is_number and e.is_finite:
            return self._number(e)
        raise DefinitionError(f"a definition cannot hold {type(e).__name__}, as in {e}: it has no normal form")

    def _number(self, e: sympy.Expr) -> Form:
        """An irrational number as an atom; its name is no identifier, so that a parameter may be called pi."""
        name = f"({e})"
        if e.is_positive:
            self.context.positive.add(name)
        self.context.functions.setdefault(name, e)
        return factor(name)

    def _kinked(self, e: sympy.Function) -> Form:
        """Functions with a kink, by steps and signs."""
        if isinstance(e, maximum):
            difference = subtract(self(e.args[0]), self(e.args[1]))
            return add(self(e.args[1]), mul(difference, self._step(e.args[0] - e.args[1], difference)))
        if isinstance(e, minimum):
            return scale(self(maximum(*(-a for a in e.args))), -1)
        argument = self(e.args[0])
        if isinstance(e, step):
            return self._step(e.args[0], argument)
        signed = self._sign(e.args[0], argument)
        return mul(argument, signed) if isinstance(e, Abs) else signed

    def _written(self, e: sympy.Expr, atom: Form) -> Form:
        """Remember how the program writes an atom."""
        ((((name, _), _),),) = atom
        self.context.functions.setdefault(name, e)
        return atom

    def _odd(self, e: sympy.Function, argument: Form) -> Form:
        """f(-a) = -f(a): the argument's first term is taken positive."""
        name = type(e).__name__
        if not argument:
            return {}
        if argument[min(argument, key=str)] < 0:
            return scale(self._written(e.func(-e.args[0]), self.context.function(name, scale(argument, -1))), -1)
        return self._written(e, self.context.function(name, argument))

    def _step(self, e: sympy.Expr, argument: Form) -> Form:
        argument = without_scale(self.context.reduce(argument), self.context.positive)
        atom = self._written(step(e), self.context.function("step", argument))
        self.context.zero_one |= {name for ((((name, _), _),), _) in atom.items()}
        return atom

    def _sign(self, e: sympy.Expr, argument: Form) -> Form:
        argument = without_scale(self.context.reduce(argument), self.context.positive)
        signed = self._odd(sign(e), argument)
        lone = next(iter(argument), ())
        for (((name, labels), _),), _ in signed.items():
            single = len(argument) == 1 and len(lone) == 1 and not bound_labels(lone)
            of = (lone[0][0][0], tuple(labels.index(b) for b in lone[0][0][1])) if single else None
            self.context.signs[name] = of
        return signed
