"""Named factors, by which a term can be too large or too small: sizes, parameters, powers of inv_std, eps misplaced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sympy

from bnsym.calculus.elements import Array
from bnsym.checker.spoken import count_text
from bnsym.checker.trial import Closeness, Ratio, Trial, edited, nearest, spread
from bnsym.model import Axis, Quantity, Size

CONSTANTS = (1.0, -1.0, 2.0, 0.5, -2.0, -0.5, 4.0, 0.25, -4.0, -0.25)
LARGEST = 1e6
"""A number that may have been typed in for a size; beyond it a term is as good as missing."""
MANY = {2.0: "twice", 0.5: "half of", 4.0: "four times", 0.25: "a quarter of"}


@dataclass(frozen=True)
class Subject:
    """What is judged: its name in a sentence, what it is made of, the axes it was measured along, those summed over.

    `whole` is a gradient with all its terms, `is_sum` one to a parameter.
    """

    text: str
    body: sympy.Expr
    axes: tuple[Axis, ...]
    summed: tuple[Axis, ...]
    whole: bool = False
    is_sum: bool = False

    def has(self, q: Quantity) -> bool:
        """Whether a quantity is a factor of every term."""
        return all(q in t.free_symbols for t in sympy.Add.make_args(self.body))


@dataclass(frozen=True)
class Factor:
    """A factor's values, one for each place where the subject was measured; and a sentence with a place for it."""

    words: str
    values: Array


@dataclass(frozen=True)
class Named:
    """What was recognised: sentences, none where all is right, and how far-fetched they are."""

    sentences: tuple[str, ...]
    cost: float


def name_ratio(ratio: Ratio, subject: Subject, factors: Sequence[Factor], m: Array, close: Closeness) -> Named | None:
    """Sentences for a ratio: simplest first, plus or minus {1, 2, 1/2} times at most two factors. None: no name."""
    nothing = Factor("{} is missing", np.zeros_like(m))
    simple: list[tuple[Factor, ...]] = [(nothing,), (), *((f,) for f in factors)]
    for chosen in (simple, [*combinations(factors, 2)]):
        typed = _typed_in(ratio, subject, m, close) if () in chosen else None
        named = typed or _nearest(ratio, subject, chosen, close)
        if named is not None:
            return named
    return None


def _typed_in(ratio: Ratio, subject: Subject, m: Array, close: Closeness) -> Named | None:
    """A number where a size is meant: it is the same for all sizes."""
    rates = ratio.times / m
    number = 1 / np.median(rates) if np.median(rates) else 0.0
    if not _divides(subject) or not 1.1 < number < LARGEST or ratio.off(m / number) > close.named:
        return None
    return Named((f"{subject.text} divides by {number:.4g} where {count_text_of(subject)} is meant",), 1)


def _nearest(ratio: Ratio, subject: Subject, chosen: Sequence[tuple[Factor, ...]], close: Closeness) -> Named | None:
    """The product of factors and a constant that the ratio is, where it is one."""
    if not chosen:
        return None
    values = np.array([np.prod([f.values for f in fs], axis=0) * np.ones_like(ratio.times) for fs in chosen])
    expected = (np.array(CONSTANTS)[:, None, None] * values).reshape(-1, len(ratio.times))
    found = nearest(ratio.off(expected), expected, close)
    if found is None:
        return None
    constant, factors = CONSTANTS[found // len(chosen)], chosen[found % len(chosen)]
    said = [f.words for f in factors] + [_said(c) for c in (constant,) if c != 1]
    return Named(tuple(s.format(subject.text) for s in said), len(said))


def _said(constant: float) -> str:
    """Words on a number that a subject was multiplied by."""
    if constant == -1:
        return "{} has the wrong sign"
    return f"{{}} is {MANY[abs(constant)]} what it must be{', with the wrong sign' * (constant < 0)}"


def count_text_of(subject: Subject) -> str:
    """The sizes that a term divides by, as they are called."""
    return " ".join(str(q) for q in sorted(subject.body.atoms(Size), key=str))


def _divides(subject: Subject) -> bool:
    return not subject.whole and bool(subject.body.atoms(Size))


def factors_of(trial: Trial, right: list[dict[Quantity, Array]], subject: Subject) -> list[Factor]:
    """Every factor that has a name and varies along the subject's axes alone."""
    powers = [*_powers(trial, right, subject)]
    wrong = [*_wrong_powers(trial, right, subject)]
    made = [*wrong, *powers] if subject.whole else [*powers, *wrong]
    return [*_sizes(trial, subject), *_parameters(trial, right, subject), *made]


def counts(trial: Trial, subject: Subject) -> Array:
    """How many elements are summed over, at every place of the subject."""
    return _along(trial, subject, [np.asarray(float(p.sizes.count(subject.summed))) for p in trial.probes], ())


def _sizes(trial: Trial, subject: Subject) -> Iterator[Factor]:
    m, divides = count_text(trial.w, subject.summed), _divides(subject)
    count = counts(trial, subject)
    averaged = "{} is averaged where it must be summed" if subject.is_sum else f"{{}} is divided by {m}"
    yield Factor(f"{{}} is divided by {m} twice" if divides else averaged, 1 / count)
    yield Factor(f"{{}} is not divided by {m}" if divides else f"{{}} is multiplied by {m}", count)
    squared = f"{{}} is multiplied by {m} where it must be divided" if divides else f"{{}} is multiplied by {m}^2"
    yield Factor(squared, count**2)
    fewer = f"{{}} divides by {m} - 1 where {m} is meant" if divides else f"{{}} is multiplied by {m}/({m} - 1)"
    yield Factor(fewer, count / (count - 1))
    yield Factor(f"{{}} is multiplied by ({m} - 1)/{m}", (count - 1) / count)
    for a in trial.w.data.axes:
        if a not in subject.summed:
            size = _along(trial, subject, [np.asarray(float(p.sizes.of[a])) for p in trial.probes], ())
            if divides:
                yield Factor(f"{{}} divides by the size along {a} where {m} is meant", count / size)
            yield Factor(f"{{}} is divided by the size along {a}", 1 / size)
            yield Factor(f"{{}} is multiplied by the size along {a}", size)


def _parameters(trial: Trial, right: list[dict[Quantity, Array]], subject: Subject) -> Iterator[Factor]:
    for q in trial.w.program.inputs:
        if q.role in ("parameter", "fixed") and set(q.axes) <= set(subject.axes):
            values = _along(trial, subject, [r[q] for r in right], q.axes)
            if subject.has(q):
                yield Factor(f"{q} is missing" if subject.whole else f"{q} is missing in {{}}", 1 / values)
                yield Factor(f"{{}} is divided by {q} where it must be multiplied", values**-2)
            yield Factor(f"{{}} is multiplied by {q}" + " twice" * subject.has(q), values)


def _powers(trial: Trial, right: list[dict[Quantity, Array]], subject: Subject) -> Iterator[Factor]:
    for e in trial.w.inverses:
        q = e.left
        if set(q.axes) <= set(subject.axes):
            values = _along(trial, subject, [r[q] for r in right], q.axes)
            yield Factor(f"{q} is missing" if subject.whole else f"{q} is missing in {{}}", 1 / values)
            yield Factor(f"{{}} has a factor {q} too many", values)
            for n in (2, 3, 4):
                yield Factor(f"{{}} is short of a factor {q}^{n}", values**-n)
                yield Factor(f"{{}} has a factor {q}^{n} too many", values**n)


def _wrong_powers(trial: Trial, right: list[dict[Quantity, Array]], subject: Subject) -> Iterator[Factor]:
    """inv_std made otherwise, once or up to three times, in a term that has it right elsewhere."""
    for edit, wrong in edited(trial.w, of_inverse=True):
        for q in (e.left for e in trial.w.inverses if set(e.left.axes) <= set(subject.axes)):
            rate = _along(trial, subject, [v[q] / r[q] for v, r in zip(wrong, right, strict=True)], q.axes)
            where = "" if subject.whole else " in {}"
            for n in (1, 2, 3):
                yield Factor(f"{edit.words}{where}", rate**n)


def _along(trial: Trial, subject: Subject, values: Sequence[Array], axes: tuple[Axis, ...]) -> Array:
    """Values of every probe, spread over the subject's axes, in one row."""
    spreads = (spread(v, axes, subject.axes, p.sizes.of) for v, p in zip(values, trial.probes, strict=True))
    return np.concatenate([s.ravel() for s in spreads])
