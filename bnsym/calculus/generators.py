"""Generators, which stand for powers of sums, and the rules that follow from an equation between forms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from bnsym.calculus.forms import Form, free_labels, mul, renamed, scale
from bnsym.calculus.monomials import Exponent, Factor, Label, Monomial, bound_labels, labels_of, merge, relabel
from bnsym.calculus.rules import Rule


@dataclass(frozen=True)
class Generator:
    """`name` stands for 1/base; `parameters` are the base's free labels, in the order the factor has them."""

    name: str
    base: Form
    parameters: tuple[Label, ...]
    oriented: bool


def by_rank(form: Form) -> Form:
    """Free labels numbered within their axis, so that f(a - b) and f(b - a) never get one key."""
    new: dict[Label, Label] = {}
    for axis, n in free_labels(form):
        new[axis, n] = (axis, -sum(1 for a, _ in new if a == axis))
    return renamed(form, new)


def is_lone_sum(monomial: Monomial, base: Form) -> bool:
    """One sum, times nothing but sizes and constants, whose factors occur in no other term of the base."""
    if not bound_labels(monomial):
        return False
    inside = [(f, e) for f, e in monomial if labels_of([(f, e)])]
    if any(not bound_labels([entry]) for entry in inside) or not _connected(inside):
        return False
    names = {f[0] for f, _ in inside}
    return not any(f[0] in names for m in base if m != monomial for f, _ in m)


def is_lone_atom(monomial: Monomial, base: Form) -> bool:
    """One function of the data, bare, that occurs in no other term of the base."""
    if len(monomial) != 1:
        return False
    (((name, labels), _),) = monomial
    return bool(labels) and _is_function(name) and not any(f[0] == name for m in base if m != monomial for f, _ in m)


def _is_function(name: str) -> bool:
    """Whether a factor is a function's value, as exp(x): other invented names, as (x-mean), begin with the bracket."""
    return "(" in name and not name.startswith("(")


def is_lone_factor(monomial: Monomial, form: Form) -> bool:
    """One factor, times nothing but sizes and constants, that has every label of the form and occurs in it once."""
    labelled = [(f, e) for f, e in monomial if f[1]] or [x for x in monomial if not x[0][0].startswith("#")]
    if len(labelled) != 1 or bound_labels(labelled) or set(free_labels(form)) - labels_of(labelled):
        return False
    return labelled[0][1] == 1 and not any(f[0] == labelled[0][0][0] for m in form if m != monomial for f, _ in m)


def _connected(entries: list[tuple[Factor, Exponent]]) -> bool:
    reached, rest = bound_labels(entries[:1]), entries[1:]
    while rest:
        joined = [x for x in rest if bound_labels([x]) & reached]
        if not joined:
            return False
        reached |= bound_labels(joined)
        rest = [x for x in rest if x not in joined]
    return True


def solved(name: str, form: Form, lone: Monomial) -> Rule:
    """The rule that form = 0 gives for what `lone` holds beside sizes and constants."""
    inside = [(f, e) for f, e in lone if f[1]] or [(f, e) for f, e in lone if not f[0].startswith("#")]
    outside = merge([(f, -e) for f, e in lone if (f, e) not in inside])
    rest = {m: c for m, c in form.items() if m != lone}
    value = scale(mul({outside: Fraction(1)}, rest), -1 / form[lone])
    return Rule(name, merge(inside), tuple(sorted(value.items(), key=str)))


def rational_power(value: Fraction, exponent: Fraction) -> Fraction | None:
    """A rational power of a number, where that is rational."""
    if exponent.denominator == 1:
        return value ** int(exponent)
    if value <= 0:
        return None
    roots = [round(n ** (1 / exponent.denominator)) for n in (value.numerator, value.denominator)]
    if any(r**exponent.denominator != n for r, n in zip(roots, (value.numerator, value.denominator), strict=True)):
        return None
    return Fraction(*roots) ** exponent.numerator


def null_sum(name: str, weights: Monomial, centred: Factor, over: Iterable[Label]) -> Rule:
    """The rule sum w c = 0: what of w c stands under the sum is the pattern."""
    new = {label: (label[0], 1) for label in over}
    product = merge((*weights, (centred, 1)))
    inside = [entry for entry in product if labels_of([entry]) & set(new)]
    return Rule(name, merge(relabel(inside, new)), ())
