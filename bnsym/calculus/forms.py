"""Normal forms: sums of monomials with rational coefficients, as plain dictionaries.

`Form` maps a monomial to its coefficient; nothing maps to zero, so a form is zero exactly when it is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from bnsym.calculus.monomials import (
    ONE,
    Exponent,
    Factor,
    Label,
    Monomial,
    bound_labels,
    exponent,
    labels_of,
    merge,
    multiply,
    relabel,
    sum_over,
)

Form = dict[Monomial, Fraction]


def number(value: int | Fraction) -> Form:
    """A constant."""
    return {ONE: Fraction(value)} if value else {}


def factor(name: str, labels: tuple[Label, ...] = (), power: Exponent = 1) -> Form:
    """One factor."""
    return {(((name, labels), exponent(power)),): Fraction(1)}


def include(total: Form, monomial: Monomial, c: Fraction) -> None:
    """Add one term to a form that is being put together; what cancels is left out."""
    known = total.get(monomial)
    if known is None:
        if c:
            total[monomial] = c
    elif c := known + c:
        total[monomial] = c
    else:
        del total[monomial]


def add(*forms: Form) -> Form:
    """The sum of forms."""
    total: Form = {}
    for form in forms:
        for monomial, c in form.items():
            include(total, monomial, c)
    return total


def scale(form: Form, by: Fraction | int) -> Form:
    """A form times a rational number."""
    return {m: c * by for m, c in form.items()} if by else {}


def subtract(a: Form, b: Form) -> Form:
    """The difference."""
    return add(a, scale(b, -1))


def mul(a: Form, b: Form) -> Form:
    """The product, sums multiplied out."""
    if len(a) == 1 and ONE in a:
        return scale(b, a[ONE])
    if len(b) == 1 and ONE in b:
        return scale(a, b[ONE])
    total: Form = {}
    for ma, ca in a.items():
        for mb, cb in b.items():
            include(total, multiply(ma, mb), ca * cb)
    return total


def power(form: Form, n: int) -> Form:
    """A form to a power n >= 0."""
    result = number(1)
    for _ in range(n):
        result = mul(result, form)
    return result


def total_over(form: Form, free: Iterable[Label]) -> Form:
    """The sum over free labels."""
    free = tuple(free)
    return add(*({sum_over(m, free): c} for m, c in form.items()))


def renamed(form: Form, new: dict[Label, Label]) -> Form:
    """The form with its free labels renamed."""
    return add(*({merge(relabel(m, new)): c} for m, c in form.items()))


def free_labels(form: Form) -> tuple[Label, ...]:
    """The labels that are not summed, sorted."""
    return tuple(sorted({b for m in form for b in labels_of(m) if b[1] <= 0}))


def factors_of(form: Form) -> set[Factor]:
    """Every factor in it."""
    return {f for m in form for f, _ in m}


def text(form: Form) -> str:
    """A form as a line of text, for residuals: sums are written `S[...]`."""
    if not form:
        return "0"
    return " + ".join(_term_text(m, c) for m, c in sorted(form.items(), key=lambda item: str(item[0])))


def _term_text(monomial: Monomial, coefficient: Fraction) -> str:
    summed = sorted(bound_labels(monomial))
    outside = [_factor_text(f, e) for f, e in monomial if not bound_labels([(f, e)])]
    inside = [_factor_text(f, e) for f, e in monomial if bound_labels([(f, e)])]
    parts = [str(coefficient)] if coefficient != 1 or not monomial else []
    parts += outside
    if summed:
        parts.append(f"S_{{{','.join(f'{a}{n}' for a, n in summed)}}}[{' '.join(inside)}]")
    return " ".join(parts)


def _factor_text(item: Factor, exponent: Exponent) -> str:
    name, labels = item
    index = ",".join(f"{a}{n}" if n > 0 else a + "'" * -n for a, n in labels)
    base = (f"|{name[1:]}|" if name.startswith("#") else name) + (f"[{index}]" if index else "")
    return base if exponent == 1 else f"{base}^({exponent})"
