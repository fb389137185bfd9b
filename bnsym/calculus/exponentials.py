"""Exponentials and logarithms of forms, taken apart: the exp of a sum, the log of a product."""

from __future__ import annotations

from fractions import Fraction

from bnsym.calculus.context import Context
from bnsym.calculus.forms import Form, add, factor, free_labels, mul, number, renamed, scale, text
from bnsym.calculus.generators import by_rank
from bnsym.calculus.powers import raised


def exponential(context: Context, argument: Form) -> Form:
    """The exp of a sum is a product of exps, one for each monomial."""
    result = number(1)
    for monomial, c in context.reduce(argument).items():
        single = {monomial: Fraction(1)}
        name = f"exp({text(by_rank(single))})"
        context.positive.add(name)
        context.exponents.setdefault(name, single)
        result = mul(result, factor(name, free_labels(single), c if c.denominator > 1 else int(c)))
    return context.reduce(result)


def logarithm(context: Context, argument: Form) -> Form:
    """The log of a product is a sum of logs; a sum is the inverse of its generator first."""
    inverse = raised(context, argument, -1)
    ((monomial, c),) = inverse.items()
    logs = [] if c == 1 else [scale(factor(f"log({c})"), -1)]
    for (name, labels), e in monomial:
        if name in context.exponents:
            places = dict(zip(free_labels(context.exponents[name]), labels, strict=True))
            logs.append(scale(renamed(context.exponents[name], places), -Fraction(e)))
            continue
        context.assume_positive(name)
        context.arguments.setdefault(f"log({name})", factor(name, labels))
        logs.append(scale(factor(f"log({name})", labels), -Fraction(e)))
    return add(*logs)
