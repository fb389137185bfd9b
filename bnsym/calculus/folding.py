"""What takes few values: powers of masks, steps and signs, and what of an argument they do not see."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bnsym.calculus.forms import Form
from bnsym.calculus.monomials import Exponent, Factor, Monomial, merge

Signs = Mapping[str, tuple[str, tuple[int, ...]] | None]
"""Names of signs, each with what it is the sign of, where that is one factor: its name, and which labels it has."""


def folded(monomial: Monomial, zero_one: Collection[str], signs: Signs) -> Monomial:
    """mask^2 = mask, step^2 = step, sgn^3 = sgn, and sgn(c)^2 c = c (right at 0 as well)."""
    present = {f for f, _ in monomial}

    def exponent(f: Factor, e: Exponent) -> Exponent:
        if f[0] in zero_one and e > 1:
            return 1
        if f[0] in signs and e > 1:
            return e % 2 if _argument(f, signs) in present else 2 - e % 2
        return e

    return tuple((f, exponent(f, e)) for f, e in monomial)


def _argument(f: Factor, signs: Signs) -> Factor | None:
    """The factor that a sign was taken of, where it was taken of one alone."""
    found = signs[f[0]]
    return (found[0], tuple(f[1][place] for place in found[1])) if found else None


def without_scale(form: Form, positive: Collection[str]) -> Form:
    """A form without positive factors that all of its terms share: what has the same sign."""
    if not form:
        return form
    shared = set.intersection(*({x for x in m if _is_positive(x[0], positive)} for m in form))
    least = abs(form[min(form, key=str)])
    return {merge([x for x in m if x not in shared]): c / least for m, c in form.items()}


def _is_positive(f: Factor, positive: Collection[str]) -> bool:
    return (f[0] in positive or f[0].startswith("#")) and not any(n > 0 for _, n in f[1])
