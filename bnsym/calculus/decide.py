"""Whether a form is zero: the question that every proof ends in."""

from __future__ import annotations

from fractions import Fraction

from bnsym.calculus.context import Context
from bnsym.calculus.forms import Form, add, factors_of, mul, power, renamed
from bnsym.calculus.monomials import Factor, merge


def is_zero(context: Context, form: Form) -> bool | None:
    """Whether a form is zero for all sizes and values; None where this normal form cannot decide."""
    form = context.reduce(form)
    if not form:
        return True
    loose = sorted(f for f in factors_of(form) if _is_loose(context, f))
    if not loose:
        return False
    if any(n > 0 for _, labels in loose for _, n in labels):
        return None  # a root, or a quotient, stands under a sum
    return _cleared(context, form, loose[0])


def _is_loose(context: Context, f: Factor) -> bool:
    """Whether a factor is a generator about which no rule says all there is to say."""
    return f[0] in context.generators and not context.generators[f[0]].oriented and f[0] not in context.parted


def _cleared(context: Context, form: Form, g: Factor) -> bool | None:
    """Exponents of g that differ by a fraction are independent; within a class, multiply by powers of the base."""
    generator = context.generators[g[0]]
    base = renamed(generator.base, dict(zip(generator.parameters, g[1], strict=True)))
    classes: dict[Fraction, dict[int, Form]] = {}
    for monomial, c in form.items():
        e = Fraction(dict(monomial).get(g, 0))
        whole = e.numerator // e.denominator
        rest = merge([(f, k) for f, k in monomial if f != g])
        classes.setdefault(e - whole, {}).setdefault(whole, {})[rest] = c
    answers = [is_zero(context, _times_base(members, base)) for members in classes.values()]
    if all(a is True for a in answers):
        return True
    return None if any(a is None for a in answers) else False


def _times_base(members: dict[int, Form], base: Form) -> Form:
    top = max(members)
    return add(*(mul(form, power(base, top - e)) for e, form in members.items()))
