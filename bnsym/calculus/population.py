"""Statistics of the population from those of mini-batches (Ioffe & Szegedy 2015, Algorithm 2).

That a mini-batch's variance comes out too small by (m - 1)/m is not written down here but derived: the expectation of
each statistic over independent, identically distributed examples is taken from its normal form. A mask is taken as
given: what is expected is over the positions that it leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, add, factor, mul, scale
from bnsym.calculus.freeze import batch_statistics
from bnsym.calculus.monomials import Exponent, Factor, Label, Monomial, labels_of, merge, relabel, size_factor
from bnsym.model import Axis, Definition, Equation, Program, Quantity, Size, Term

MU, SIGMA2 = sympy.symbols("mu sigma2", positive=True)

Entries = Iterable[tuple[Factor, Exponent]]


def expectation(definition: Definition, statistic: Quantity) -> sympy.Expr | None:
    """The expected value of a statistic of m examples, in mu, sigma2 and sizes; None where it needs higher moments."""
    evaluation = Evaluation(centring=False).run(definition.program)
    x = definition.program.inputs[0]
    reduced = {a.name for a in x.axes if a not in statistic.axes}
    given = {q.name for q in (*definition.program.inputs, *counts(definition)) if q.role in ("mask", "count")}
    forms = [_expected(m, x.name, reduced, given) for m in evaluation.forms[statistic]]
    if any(f is None for f in forms):
        return None
    weighted = zip(forms, evaluation.forms[statistic].values(), strict=True)
    whole = evaluation.context.reduce(add(*(scale(f, c) for f, c in weighted if f is not None)))
    terms = [_as_expression(m, c, definition) for m, c in whole.items()]
    return None if any(t is None for t in terms) else sympy.factor(sympy.Add(*terms))


def _expected(monomial: Monomial, x: str, reduced: set[str], given: set[str]) -> Form | None:
    """One monomial: x once gives mu, x^2 gives mu^2 + sigma2, and two examples may be one and the same."""
    if any(name != x and name not in given and not name.startswith("#") for (name, _), _ in monomial):
        return None  # a function of x, or another input
    found = [(f[1], e) for f, e in monomial if f[0] == x]
    rest = [entry for entry in monomial if entry[0][0] != x]
    places = [{b for b in labels if b[0] in reduced} for labels, _ in found]
    if any(b[1] <= 0 for place in places for b in place):
        return None
    mu, sigma2 = factor(str(MU)), factor(str(SIGMA2))
    exponents = [e for _, e in found]
    if exponents == [1]:
        return mul(mu, _without(rest, places[0]))
    if exponents == [2]:
        return mul(add(mul(mu, mu), sigma2), _without(rest, places[0]))
    if exponents == [1, 1] and not places[0] & places[1]:
        same = dict(zip(sorted(places[1]), sorted(places[0]), strict=True))
        apart = mul(mul(mu, mu), _without(rest, places[0] | places[1]))
        return add(apart, mul(sigma2, _without(relabel(rest, same), places[0])))
    return None if found else {monomial: Fraction(1)}


def _without(rest: Entries, places: set[Label]) -> Form:
    """What is left where x was; a sum over an index that nothing has any more is the size of its axis."""
    entries = tuple(rest)
    sizes = [(size_factor(b[0]), 1) for b in sorted(places - labels_of(entries))]
    return {merge((*entries, *sizes)): Fraction(1)}


def _as_expression(monomial: Monomial, coefficient: Fraction, definition: Definition) -> sympy.Expr | None:
    """A monomial of moments, sizes and the count of what a mask leaves; None where it holds anything else."""
    known = {str(MU): MU, str(SIGMA2): SIGMA2} | {q.name: q for q in counts(definition)}
    result = sympy.Rational(coefficient.numerator, coefficient.denominator)
    for (name, _), e in monomial:
        base = _size(name[1:]) if name.startswith("#") else known.get(name)
        if base is None:
            return None
        result *= base ** sympy.Rational(Fraction(e).numerator, Fraction(e).denominator)
    return result


def _size(axis: str) -> Size:
    return Size(f"size_{axis}", Axis(axis))


def counts(definition: Definition) -> tuple[Quantity, ...]:
    """The statistic that says how many positions a mask leaves."""
    return tuple(e.left for e in definition.program.equations if e.left.role == "count")


def number(definition: Definition, statistic: Quantity) -> sympy.Expr:
    """How many examples a statistic is taken over."""
    sizes = [_size(a.name) for a in definition.program.inputs[0].axes if a not in statistic.axes]
    return (*counts(definition), sympy.Mul(*sizes))[0]


def averaged(definition: Definition) -> tuple[Quantity, ...]:
    """The statistics that a population has as well: all but the count."""
    return tuple(s for s in batch_statistics(definition) if s.role == "statistic")


def bias(definition: Definition, statistic: Quantity) -> tuple[sympy.Symbol, sympy.Expr] | None:
    """The moment that a statistic tends to as m grows, and the factor that it comes out too small or large by.

    None where there is no such moment, as for a sum, which means to grow with m.
    """
    expected, many = expectation(definition, statistic), number(definition, statistic)
    for moment in (MU, SIGMA2):
        off = sympy.cancel(expected / moment) if expected is not None else moment
        if many.is_Symbol and not off.has(MU, SIGMA2) and sympy.limit(off, many, sympy.oo) == 1:
            return moment, off
    return None


def correction(definition: Definition, statistic: Quantity, count: Quantity) -> sympy.Expr:
    """What a mini-batch's statistic is multiplied with to be unbiased: m / (m - 1) for a variance, 1 for a mean."""
    found = bias(definition, statistic)
    if found is None:
        return sympy.Integer(1)
    return sympy.factor(1 / found[1].xreplace({number(definition, statistic): count}))


def population(definition: Definition) -> Program | None:
    """Algorithm 2: the average of each statistic over mini-batches of `count` examples, made unbiased."""
    batch = Axis("batch")
    count = _count(definition, batch)
    inputs, equations = [], []
    for s in averaged(definition):
        several = Quantity(_plural(s.name), (batch, *s.axes), "data")
        body = correction(definition, s, count) * several / Size("batches", batch)
        inputs.append(several)
        equations.append(Equation(s, (Term(body, (batch,)),)))
    return Program((*inputs, count), tuple(equations), tuple(e.left for e in equations)) if equations else None


def update_running(definition: Definition) -> Program | None:
    """A moving average: `momentum` weighs the new mini-batch's unbiased statistic, the rest stays with the old."""
    count, momentum = _count(definition), Quantity("momentum", (), "constant", default=0.1)
    old, new, equations = [], [], []
    for s in averaged(definition):
        running, fresh = (Quantity(name, s.axes, "statistic") for name in (s.name, f"batch_{s.name}"))
        unbiased = correction(definition, s, count) * fresh
        old.append(running)
        new.append(fresh)
        body = Term((1 - momentum) * running + momentum * unbiased)
        equations.append(Equation(Quantity(f"new_{s.name}", s.axes, "statistic"), (body,)))
    outputs = tuple(e.left for e in equations)
    return Program((*old, *new, count, momentum), tuple(equations), outputs) if equations else None


def _count(definition: Definition, *batch: Axis) -> Quantity:
    """The number of examples in each mini-batch: one number, or where a mask says it, one for each channel."""
    masked = counts(definition)
    return Quantity("count", (*batch, *masked[0].axes) if masked else (), "constant", positive=True)


def _plural(name: str) -> str:
    return {"mean": "means", "var": "variances"}.get(name, f"{name}_of_batches")
