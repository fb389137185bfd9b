"""Statistics of the population from those of mini-batches (Ioffe & Szegedy 2015, Algorithm 2).

That a mini-batch's variance comes out too small by (m - 1)/m is not written down here but derived: the expectation of
each statistic over independent, identically distributed examples is taken from its normal form.
"""

from __future__ import annotations

from fractions import Fraction

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.freeze import batch_statistics
from bnsym.calculus.monomials import Label, Monomial
from bnsym.model import Axis, Definition, Equation, Program, Quantity, Size, Term

MU, SIGMA2 = sympy.symbols("mu sigma2", positive=True)


def expectation(definition: Definition, statistic: Quantity) -> sympy.Expr | None:
    """The expected value of a statistic of m examples, in mu, sigma2 and sizes; None where it needs higher moments."""
    forms = Evaluation(centring=False).run(definition.program).forms
    x = definition.program.inputs[0]
    reduced = {a.name for a in x.axes if a not in statistic.axes}
    terms = [_expected(m, c, x, reduced) for m, c in forms[statistic].items()]
    return None if any(t is None for t in terms) else sympy.factor(sympy.Add(*terms))


def _expected(monomial: Monomial, coefficient: Fraction, x: Quantity, reduced: set[str]) -> sympy.Expr | None:
    """One monomial: x once gives mu, x^2 gives mu^2 + sigma2, two sums of x meet in one of m places."""
    count = sympy.Mul(*(_size(a) for a in sorted(reduced)))
    result, places = sympy.Rational(coefficient.numerator, coefficient.denominator), []
    for (name, labels), e in monomial:
        if name == x.name:
            if any(b[1] <= 0 for b in labels if b[0] in reduced) or e not in (1, 2):
                return None
            places += [frozenset(b for b in labels if b[0] in reduced)] * int(e)
        elif name.startswith("#"):
            result *= _size(name[1:]) ** sympy.Rational(Fraction(e).numerator, Fraction(e).denominator)
        else:
            return None
    return None if (moment := _moment(places, count)) is None else result * moment


def _moment(places: list[frozenset[Label]], count: sympy.Expr) -> sympy.Expr | None:
    if len(places) == 1:
        return count * MU
    if len(places) == 2 and places[0] == places[1]:
        return count * (MU**2 + SIGMA2)
    if len(places) == 2 and not places[0] & places[1]:
        return count**2 * MU**2 + count * SIGMA2
    return None


def _size(axis: str) -> Size:
    return Size(f"size_{axis}", Axis(axis))


def bias(definition: Definition, statistic: Quantity) -> tuple[sympy.Symbol, sympy.Expr] | None:
    """The moment that a statistic tends to as m grows, and the factor that it comes out too small or large by.

    None where there is no such moment, as for a sum, which means to grow with m.
    """
    expected = expectation(definition, statistic)
    sizes = [_size(a.name) for a in definition.program.inputs[0].axes if a not in statistic.axes]
    for moment in (MU, SIGMA2):
        factor = sympy.cancel(expected / moment) if expected is not None else moment
        if len(sizes) == 1 and not factor.has(MU, SIGMA2) and sympy.limit(factor, sizes[0], sympy.oo) == 1:
            return moment, factor
    return None


def correction(definition: Definition, statistic: Quantity, count: Quantity) -> sympy.Expr:
    """What a mini-batch's statistic is multiplied with to be unbiased: m / (m - 1) for a variance, 1 for a mean."""
    found = bias(definition, statistic)
    if found is None:
        return sympy.Integer(1)
    (size,) = (_size(a.name) for a in definition.program.inputs[0].axes if a not in statistic.axes)
    return sympy.factor(1 / found[1].subs(size, count))


def population(definition: Definition) -> Program | None:
    """Algorithm 2: the average of each statistic over mini-batches of `count` examples, made unbiased."""
    batch, count = Axis("batch"), Quantity("count", (), "constant", positive=True)
    inputs, equations = [], []
    for s in batch_statistics(definition):
        several = Quantity(_plural(s.name), (batch, *s.axes), "data")
        body = correction(definition, s, count) * several / Size("batches", batch)
        inputs.append(several)
        equations.append(Equation(s, (Term(body, (batch,)),)))
    return Program((*inputs, count), tuple(equations), tuple(e.left for e in equations)) if equations else None


def update_running(definition: Definition) -> Program | None:
    """A moving average: `momentum` weighs the new mini-batch's unbiased statistic, the rest stays with the old."""
    count, momentum = (
        Quantity("count", (), "constant", positive=True),
        Quantity("momentum", (), "constant", default=0.1),
    )
    old, new, equations = [], [], []
    for s in batch_statistics(definition):
        running, fresh = (Quantity(name, s.axes, "statistic") for name in (s.name, f"batch_{s.name}"))
        unbiased = correction(definition, s, count) * fresh
        old.append(running)
        new.append(fresh)
        body = Term((1 - momentum) * running + momentum * unbiased)
        equations.append(Equation(Quantity(f"new_{s.name}", s.axes, "statistic"), (body,)))
    outputs = tuple(e.left for e in equations)
    return Program((*old, *new, count, momentum), tuple(equations), outputs) if equations else None


def _plural(name: str) -> str:
    return {"mean": "means", "var": "variances"}.get(name, f"{name}_of_batches")
