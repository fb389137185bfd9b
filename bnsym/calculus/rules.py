"""Rewriting rules on normal forms, each with a name that a proof and a report can cite.

A rule's pattern is a monomial: its bound labels match summed labels that no other factor touches, and its free
labels are parameters that match anything. So `sum_i c_i = 0` never fires on `sum_i c_i dy_i`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from bnsym.calculus.forms import Form, add
from bnsym.calculus.monomials import Exponent, Factor, Label, Monomial, bound_labels, labels_of, merge, relabel

Mapping = dict[Label, Label]


@dataclass(frozen=True)
class Rule:
    """`pattern` may be replaced by `value`, which has the pattern's parameters for its free labels."""

    name: str
    pattern: Monomial
    value: tuple[tuple[Monomial, Fraction], ...]

    def __post_init__(self) -> None:
        if not self.pattern:
            raise ValueError(f"the rule {self.name!r} has no pattern: it would replace 1 by something else")

    def apply(self, monomial: Monomial) -> Form | None:
        """The monomial with the pattern replaced once, or None where it does not occur."""
        for mapping in _matches(self.pattern, monomial, {}):
            matched = relabel(self.pattern, mapping)
            if _stands_alone(matched, self.pattern, mapping, monomial):
                return self._replaced(monomial, matched, mapping)
        return None

    def _replaced(self, monomial: Monomial, matched: Monomial, mapping: Mapping) -> Form:
        taken = dict(matched)
        rest = [(f, e - taken.get(f, 0)) for f, e in monomial]
        highest = max((n for _, n in labels_of(monomial)), default=0)
        result: Form = {}
        for value, c in self.value:
            fresh = {b: (b[0], b[1] + max(highest, 0)) for b in bound_labels(value)}
            result = add(result, {merge((*rest, *relabel(value, mapping | fresh))): c})
        return result


def _matches(pattern: Monomial, monomial: Monomial, mapping: Mapping) -> Iterator[Mapping]:
    """Every way to map the pattern's labels so that each of its factors is one of the monomial's."""
    if not pattern:
        yield mapping
        return
    ((name, labels), exponent), rest = pattern[0], pattern[1:]
    for (other, others), e in monomial:
        if other == name and _divides(labels, exponent, e):
            extended = _extended(mapping, labels, others)
            if extended is not None:
                yield from _matches(rest, monomial, extended)


def _divides(labels: tuple[Label, ...], exponent: Exponent, e: Exponent) -> bool:
    """A factor inside a sum must have the very exponent; outside, a higher one of the same sign holds it too."""
    if any(n > 0 for _, n in labels):
        return e == exponent
    return Fraction(e) / Fraction(exponent) >= 1


def _extended(mapping: Mapping, labels: tuple[Label, ...], others: tuple[Label, ...]) -> Mapping | None:
    new = dict(mapping)
    for label, other in zip(labels, others, strict=True):
        if label[0] != other[0] or (label[1] > 0 and other[1] <= 0) or new.setdefault(label, other) != other:
            return None
    return new


def _stands_alone(matched: Monomial, pattern: Monomial, mapping: Mapping, monomial: Monomial) -> bool:
    """The labels the pattern sums over are distinct, and touch nothing in the monomial but the match."""
    summed = [mapping[b] for b in sorted(bound_labels(pattern))]
    parameters = {mapping[b] for b in labels_of(pattern) if b[1] <= 0}
    if len(set(summed)) < len(summed) or parameters & set(summed):
        return False
    inside: set[Factor] = {f for f, _ in matched}
    return all(f in inside or not set(f[1]) & set(summed) for f, _ in monomial)
