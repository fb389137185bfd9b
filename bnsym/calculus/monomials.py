"""Monomials of indexed factors, each bound index summed over its whole axis, in one canonical spelling.

A label is (axis name, n): free for n <= 0, bound for n >= 1. A factor is (name, labels); a monomial is a sorted
tuple of (factor, exponent). Every bound label is summed, so sums in sums and products of sums are all monomials.
The size of axis `i` is the factor ("#i", ()); a Kronecker delta is the factor ("=", (label, label)).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache, lru_cache
from itertools import permutations, product

from bnsym.checks import DefinitionError

Label = tuple[str, int]
Factor = tuple[str, tuple[Label, ...]]
Exponent = int | Fraction
Monomial = tuple[tuple[Factor, Exponent], ...]

ONE: Monomial = ()
MOST_TIED = 6
"""Labels of one colour that are tried in every order: 720 of them."""
DELTA = "="


class Root(Fraction):
    """An exponent that is no whole number; made once for each value, and hashed once: monomials are looked up often."""

    __slots__ = ("_hashed",)

    _hashed: int

    def __hash__(self) -> int:  # type: ignore[override]
        return self._hashed


@cache
def _root(numerator: int, denominator: int) -> Root:
    root = Root(numerator, denominator)
    root._hashed = Fraction.__hash__(root)
    return root


def exponent(e: Exponent) -> Exponent:
    """An exponent as monomials hold it: an int where it is whole."""
    if type(e) is int or type(e) is Root:
        return e
    return int(e) if e.denominator == 1 else _root(e.numerator, e.denominator)


def size_factor(axis: str) -> Factor:
    """The number of positions along an axis."""
    return (f"#{axis}", ())


def labels_of(monomial: Iterable[tuple[Factor, Exponent]]) -> set[Label]:
    """Every label in it."""
    return {label for (_, labels), _ in monomial for label in labels}


def bound_labels(monomial: Iterable[tuple[Factor, Exponent]]) -> set[Label]:
    """The labels that are summed."""
    return {label for (_, labels), _ in monomial if labels for label in labels if label[1] > 0}


def relabel(monomial: Iterable[tuple[Factor, Exponent]], new: dict[Label, Label]) -> Monomial:
    """The monomial with other labels; not yet canonical."""
    return tuple(((name, tuple(new.get(b, b) for b in labels)), e) for (name, labels), e in monomial)


def merge(factors: Iterable[tuple[Factor, Exponent]]) -> Monomial:
    """Equal factors put together, their exponents added; then the canonical spelling."""
    exponents: dict[Factor, Exponent] = {}
    for factor, e in factors:
        exponents[factor] = exponents[factor] + e if factor in exponents else e
    return canonical([(f, exponent(e)) for f, e in exponents.items() if e])


@lru_cache(65_536)
def multiply(a: Monomial, b: Monomial) -> Monomial:
    """The product; the bound labels of `b` are renamed apart from those of `a`."""
    if not a or not b:
        return a or b
    highest = max((n for _, n in bound_labels(a)), default=0)
    if highest:
        b = relabel(b, {(axis, n): (axis, n + highest) for axis, n in bound_labels(b)})
    return merge((*a, *b))


def sum_over(monomial: Monomial, free: Iterable[Label]) -> Monomial:
    """The sum over free labels. A label that no factor has gives the size of its axis."""
    for label in free:
        if label in labels_of(monomial):
            highest = max((n for _, n in labels_of(monomial)), default=0)
            monomial = relabel(monomial, {label: (label[0], max(highest, 0) + 1)})
        else:
            monomial = (*monomial, (size_factor(label[0]), 1))
    return merge(collapse(monomial))


def collapse(monomial: Iterable[tuple[Factor, Exponent]]) -> Monomial:
    """Kronecker deltas with a summed label are used up: sum_j [i = j] f(j) is f(i)."""
    entries = tuple(monomial)
    for (name, labels), e in entries:
        if name != DELTA:
            continue
        summed, other = sorted(labels, key=lambda b: b[1], reverse=True)
        if summed != other and summed[1] <= 0:
            continue
        rest = relabel([x for x in entries if x != ((name, labels), e)], {summed: other})
        if other[1] > 0 and other not in labels_of(rest):
            rest = (*rest, (size_factor(other[0]), 1))
        return collapse(rest)
    return entries


def canonical(factors: Iterable[tuple[Factor, Exponent]]) -> Monomial:
    """One spelling for all monomials that differ by the names of bound labels only."""
    factors = list(factors)
    bound = bound_labels(factors)
    if not bound:
        return tuple(sorted(factors)) if len(factors) > 1 else tuple(factors)
    axes = {axis for axis, _ in bound}
    if len(axes) == len(bound):  # at most one bound label on each axis: nothing to choose
        return tuple(sorted(relabel(factors, {b: (b[0], 1) for b in bound})))
    return _least(tuple(sorted(factors)))


@lru_cache(65_536)
def _least(factors: Monomial) -> Monomial:
    """The least spelling of a monomial with several bound labels on an axis; the same are met again and again."""
    return min(tuple(sorted(relabel(factors, new))) for new in _namings(factors, bound_labels(factors)))


def _namings(factors: Monomial, bound: set[Label]) -> Iterator[dict[Label, Label]]:
    """Every renaming that colour refinement leaves open, axis by axis: usually one."""
    colour = _refined(factors, bound)
    groups: dict[tuple[str, int], list[Label]] = {}
    for label in sorted(bound):
        groups.setdefault((label[0], colour[label]), []).append(label)
    for orders in product(*(_orders_of(groups[g], factors) for g in sorted(groups))):
        counts: dict[str, int] = {}
        new = {}
        for label in (label for order in orders for label in order):
            counts[label[0]] = counts.get(label[0], 0) + 1
            new[label] = (label[0], counts[label[0]])
        yield new


def _orders_of(tied: list[Label], factors: Monomial) -> Iterable[tuple[Label, ...]]:
    """The orders that labels of one colour are to be tried in: one, where each is the only summed label it meets.

    Equal sums in a product may change places without a trace. Raises DefinitionError where there are too many orders.
    """
    others = [{b for b in labels if b[1] > 0} for (_, labels), _ in factors]
    if all(meets <= {label} for label in tied for meets in others if label in meets):
        return [tuple(tied)]
    if len(tied) > MOST_TIED:
        raise DefinitionError(f"a product of {len(tied)} alike sums is more than the normal form can put in order")
    return permutations(tied)


def _refined(factors: Monomial, bound: set[Label]) -> dict[Label, int]:
    """Colours of bound labels: two get one colour only if no factor, seen through colours, tells them apart."""
    colour = dict.fromkeys(bound, 0)
    while True:
        seen = {b: _signature(b, factors, colour) for b in bound}
        ranks = {s: r for r, s in enumerate(sorted(set(seen.values())))}
        finer = {b: ranks[seen[b]] for b in bound}
        if len(set(finer.values())) == len(set(colour.values())):
            return finer
        colour = finer


def _signature(label: Label, factors: Monomial, colour: dict[Label, int]) -> tuple[object, ...]:
    rows = []
    for (name, labels), e in factors:
        if label in labels:
            places = tuple(
                (2, "", 0) if b == label else (1, b[0], colour.get(b, -1)) if b[1] > 0 else (0, *b) for b in labels
            )
            rows.append((name, Fraction(e), places))
    return (label[0], colour[label], tuple(sorted(rows)))
