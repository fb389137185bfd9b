"""What is wrong with a gradient, in sentences: by its terms, as one edit of the whole, or by versions of terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sympy

from bnsym.calculus.elements import Array
from bnsym.checker.factors import Named, Subject, counts, factors_of, name_ratio
from bnsym.checker.spoken import term_text
from bnsym.checker.trial import Closeness, Ratio, Trial, Values, edited, fitted, grouped, in_a_row
from bnsym.checker.variants import evaluated, put_together, sum_versions
from bnsym.model import Quantity


@dataclass(frozen=True)
class Names:
    """Names for the gradients of one trial.

    `derived` is what the chain rule's own program gives, `right` the same written out.
    """

    trial: Trial
    derived: list[Values]
    right: list[Values]

    def name(self, q: Quantity) -> Named | None:
        """What is wrong with one gradient; no sentences where it is right, None where it has no name."""
        if self.is_right(q):
            return Named((), 0)
        if self.trial.found[q] is None:
            return None
        if not any(np.any(f) for f in self.trial.found[q] or []):
            return Named((f"{q} is 0 everywhere",), 1)
        found = self._element(q) if self.trial.w.is_element(q) else self._parameter(q)
        return min(found, key=lambda n: n.cost, default=None)

    def is_right(self, q: Quantity) -> bool:
        """Whether it is what was derived, to rounding."""
        return self.trial.same(q, [v[q] for v in self.derived], right=True)

    def _element(self, dx: Quantity) -> list[Named]:
        """By its terms, the user's own gradients to parameters in them or not; by an edit; by versions of terms."""
        found = [n for values in self._blaming(dx) if (n := self._by_terms(dx, values)) is not None]
        if not any(n.cost <= 1 for n in found):
            found += self._by_edits(dx)
        if not found:
            found = [n for n in (put_together(self.trial, dx),) if n is not None]
        return found

    def _blaming(self, dx: Quantity) -> Iterator[list[Values]]:
        """The right terms, and those that a wrong gradient to a parameter makes wrong, by that alone."""
        yield self.right
        w = self.trial.w
        wrong = [q for q in w.gradients if not w.is_element(q) and not self.is_right(q) and self.trial.found[q]]
        for n in range(len(wrong), 0, -1):
            yield from (self.trial.blamed(chosen) for chosen in combinations(wrong, n))

    def _by_terms(self, dx: Quantity, values: list[Values]) -> Named | None:
        w, found = self.trial.w, self.trial.found[dx]
        terms = w.terms.get(dx, ())
        if found is None or not terms:
            return None
        rows = [grouped(f, dx.axes, w.kept) for f in found]
        columns = [[grouped(v[t], dx.axes, w.kept) for v in values] for t in terms]
        ratios = fitted(rows, columns, self.trial.close[dx].named)
        return None if ratios is None else self._by_ratios(dx, terms, ratios, self.trial.close[dx])

    def _by_ratios(
        self, dx: Quantity, terms: tuple[Quantity, ...], ratios: list[Ratio], close: Closeness
    ) -> Named | None:
        """All terms wrong in one way, or each in its own."""
        w = self.trial.w
        summed = tuple(a for a in dx.axes if a not in w.kept)
        bodies = [w.of(w.program, t) for t in terms]
        if all(r.off(ratios[0].times) <= close.named for r in ratios):
            whole = Subject(str(dx), sympy.Add(*bodies), w.kept, summed, whole=True)
            found = self._ratio(ratios[0], whole, close)
            if found is not None:
                return found
        named = []
        for ratio, term, body in zip(ratios, terms, bodies, strict=True):
            if ratio.off(np.ones(1)) > close.named:
                named.append(self._ratio(ratio, Subject(f"the term {term_text(w, term)}", body, w.kept, summed), close))
        if any(n is None for n in named):
            return None
        sentences = [s for n in named if n is not None for s in n.sentences]
        return Named(tuple(dict.fromkeys(sentences)), sum(n.cost for n in named if n is not None))

    def _ratio(self, ratio: Ratio, subject: Subject, close: Closeness) -> Named | None:
        factors = factors_of(self.trial, self.right, subject)
        return name_ratio(ratio, subject, factors, counts(self.trial, subject), close)

    def _by_edits(self, q: Quantity) -> list[Named]:
        """One thing done otherwise that makes the gradient what the user has."""
        versions = edited(self.trial.w)
        found = self.trial.nearest(q, [[v[q] for v in values] for _, values in versions])
        return [] if found is None else [Named((versions[found][0].words,), 1)]

    def _parameter(self, q: Quantity) -> list[Named]:
        """A gradient to a parameter: another one in its place, another array in its sum, an edit, or a factor."""
        w = self.trial.w
        for other in w.gradients:
            if other != q and other.axes == q.axes and self.trial.same(q, [v[other] for v in self.right]):
                return [Named((f"{q} is what {other} must be",), 1)]
        made = list(sum_versions(w, q))
        values = evaluated(self.trial, made) if made else []
        version = self.trial.nearest(q, [[v[m.left] for v in values] for m in made])
        if version is not None:
            return [Named((f"{q} {made[version].words}",), 1)]
        found = self._by_edits(q)
        summed = tuple(a for a in w.data.axes if a not in q.axes)
        equation = w.program.equation(q)
        body = equation.terms[0].body if equation else sympy.Integer(1)
        subject = Subject(str(q), body, q.axes, summed, is_sum=True)
        bases: list[tuple[str, Sequence[Array]]] = [("", [v[q] for v in self.right])]
        bases += [(f"{q} {m.words}", [v[m.left] for v in values]) for m in made]
        for words, base in bases if not found else ():
            if not all(b.all() for b in base):
                continue  # it has entries that are 0 whatever the data are, and is no measure
            named = self._ratio(self._rate(q, base), subject, self.trial.close[q])
            if named is not None:
                said = (*([words] if words else []), *named.sentences)
                found.append(Named(said, named.cost + bool(words)))
        return found

    def _rate(self, q: Quantity, base: Sequence[Array]) -> Ratio:
        found = self.trial.found[q] or []
        sizes = [np.abs(f).max() or 1.0 for f in found]
        weights = in_a_row([np.abs(b) for b in base], sizes)
        return Ratio(in_a_row(found, sizes) / in_a_row(base, sizes), weights)
