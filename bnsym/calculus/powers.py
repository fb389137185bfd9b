"""Rational powers of forms: multiplied out, or through a generator G that stands for 1/base.

Where a base holds a lone sum that occurs nowhere else in it, the sum is rewritten in terms of the generator:
sum_i c_i^2 becomes m (1/G - eps). Then equality is a matter of spelling.
"""

from __future__ import annotations

from fractions import Fraction

from bnsym.calculus.context import Context
from bnsym.calculus.forms import Form, factor, free_labels, mul, power, renamed, subtract
from bnsym.calculus.generators import Generator, is_lone_atom, is_lone_sum, rational_power, solved
from bnsym.calculus.monomials import ONE, Exponent, Factor, Label, Monomial, bound_labels, merge
from bnsym.calculus.rules import Rule
from bnsym.checks import DefinitionError


def raised(context: Context, base: Form, exponent: Exponent) -> Form:
    """A form to any rational power: multiplied out, or through a generator for 1/base.

    Raises DefinitionError where zero is divided by.
    """
    base = context.reduce(base)
    if Fraction(exponent).denominator == 1 and exponent >= 0:
        return context.reduce(power(base, int(exponent)))
    if not base:
        raise DefinitionError("the definition divides by an expression that is identically zero")
    single = _monomial_power(context, base, exponent)
    if single is not None:
        return single
    for generator in context.generators.values():
        ratio, mapping = _ratio(context, base, generator)
        part = _monomial_power(context, ratio, exponent) if ratio is not None else None
        if part is not None and mapping is not None:
            atom = factor(generator.name, tuple(mapping.get(p, p) for p in generator.parameters), -exponent)
            _note_root(context, generator, exponent)
            return context.reduce(mul(part, atom))
    generator = _new_generator(context, base)
    _note_root(context, generator, exponent)
    return context.reduce(factor(generator.name, generator.parameters, -exponent))


def _note_root(context: Context, generator: Generator, exponent: Exponent) -> None:
    """What a root is taken of is positive: elsewhere there is no number to claim anything of."""
    if Fraction(exponent).denominator > 1:
        context.roots.add(generator.name)
        context.positive.add(generator.name)


def _monomial_power(context: Context, base: Form, exponent: Exponent) -> Form | None:
    """A product to a power, factor by factor; None for a root where that is not right for every sign of the factors.

    sqrt(a b) is sqrt(a) sqrt(b) and sqrt(a^2) is a only where a and b are not negative. A root of one such factor is
    taken as it stands: it is no number elsewhere.
    """
    if len(base) > 1:
        return None
    ((monomial, coefficient),) = base.items()
    root = rational_power(coefficient, Fraction(exponent))
    if bound_labels(monomial) or root is None:
        return None
    if Fraction(exponent).denominator > 1:
        loose = [e for f, e in monomial if not _never_negative_factor(context, f, 1)]
        if len(loose) > 1 or any(Fraction(e).denominator == 1 and e % 2 == 0 for e in loose):
            return None
    for (name, _), e in monomial:
        if Fraction(e * exponent).denominator != 1 or (
            Fraction(e).denominator == 1 and Fraction(exponent).denominator != 1
        ):
            context.assume_positive(name)
    return context.reduce({merge([(f, e * exponent) for f, e in monomial]): root})


def _ratio(context: Context, base: Form, generator: Generator) -> tuple[Form | None, dict[Label, Label] | None]:
    """`base / generator.base` where that is one monomial without labels of its own, and how labels map."""
    labels = free_labels(base)
    if len(labels) != len(generator.parameters) or len(base) != len(generator.base):
        return None, None
    mapping = dict(zip(sorted(generator.parameters), labels, strict=True))
    if any(a[0] != b[0] for a, b in mapping.items()):
        return None, None
    known = renamed(generator.base, mapping)
    first = min(known, key=str)
    for candidate, c in base.items():
        quotient = dict(candidate)
        for f, e in first:
            quotient[f] = quotient.get(f, 0) - e
        ratio = {merge([(f, e) for f, e in quotient.items() if e]): c / known[first]}
        if not bound_labels(next(iter(ratio))) and not context.reduce(subtract(mul(ratio, known), base)):
            return ratio, mapping
    return None, None


def _new_generator(context: Context, base: Form) -> Generator:
    name = f"(1/b{len(context.generators) + 1})"  # no identifier, so that no quantity can have it
    if _never_negative(context, base):
        context.positive.add(name)
    alone = is_lone_atom if context.for_printing else is_lone_sum
    lone = next((m for m in sorted(base, key=str) if alone(m, base)), None)
    generator = Generator(name, base, free_labels(base), lone is not None)
    context.generators[name] = generator
    if lone is not None:
        _orient(context, generator, lone)
    elif not context.for_printing:
        _part_fractions(context, generator)
    return generator


def _never_negative(context: Context, form: Form) -> bool:
    """Whether a form is visibly a sum of squares and of what is positive: eps + sum_i c_i^2 / m is, mean + 2 is not."""
    return all(c > 0 and all(_never_negative_factor(context, f, e) for f, e in m) for m, c in form.items())


def _never_negative_factor(context: Context, f: Factor, e: Exponent) -> bool:
    even = Fraction(e).denominator == 1 and e % 2 == 0
    return even or f[0] in context.positive or f[0] in context.zero_one or f[0].startswith("#")


def _orient(context: Context, generator: Generator, lone: Monomial) -> None:
    """From coefficient * sum + rest = 1/G: the sum is (1/G - rest) / coefficient."""
    inverse = factor(generator.name, generator.parameters, -1)
    context.rules += (solved(f"definition of {generator.name}", subtract(generator.base, inverse), lone),)


def _part_fractions(context: Context, generator: Generator) -> None:
    """For 1/G = f + b, f an exponential, b a number: every f^n G^k in powers of f^-1 alone, and of G alone.

    These are what partial fractions in f leave, and are independent: f is 1/G - b, f^-1/G is 1 + b f^-1, and f^-1 G
    is (f^-1 - G)/b.
    """
    atoms = [m for m in generator.base if m and all(f[0] in context.exponents for f, _ in m)]
    if len(generator.base) != 2 or len(atoms) != 1 or ONE not in generator.base or generator.base[atoms[0]] != 1:
        return
    b, g = generator.base[ONE], (generator.name, generator.parameters)
    inverse = merge([(f, -e) for f, e in atoms[0]])
    name = f"definition of {generator.name}"
    context.rules += (
        Rule(name, atoms[0], ((((g, -1),), Fraction(1)), (ONE, -b))),
        Rule(name, merge([*inverse, (g, -1)]), ((ONE, Fraction(1)), (inverse, b))),
        Rule(name, merge([*inverse, (g, 1)]), ((inverse, 1 / b), (((g, 1),), -1 / b))),
    )
    context.parted.add(generator.name)
