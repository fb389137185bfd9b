"""What a user's function returned, beside what was derived, on every probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bnsym.calculus.elements import Array, evaluate
from bnsym.checker.edits import Edit, edits
from bnsym.checker.probes import Probe, probes
from bnsym.checker.written import Written
from bnsym.model import Axis, Program, Quantity

Values = dict[Quantity, Array]
Pool = list[Array]
"""One array for each probe."""


@dataclass(frozen=True)
class Closeness:
    """How near is the same: for a result that is right, for one that is given a name, and what rounding alone does."""

    right: float
    named: float
    noise: float


CLOSE = {"float16": Closeness(2e-2, 2e-2, 1e-3), "float32": Closeness(1e-4, 3e-4, 1e-6)}
FINE = Closeness(1e-5, 1e-6, 1e-13)
"""For float64, float32 in between not being held against anybody."""
CLEARLY = 10.0
"""How many times farther another explanation must be."""


@dataclass(frozen=True)
class Trial:
    """The probes, the user's gradients with the derived axes (None where a shape is wrong), and what is right."""

    w: Written
    probes: Sequence[Probe]
    found: dict[Quantity, Pool | None]
    close: dict[Quantity, Closeness]

    def evaluated(self, program: Program) -> list[Values]:
        """A program on every probe."""
        return on_probes(program, self.w, self.probes)

    def blamed(self, outputs: Sequence[Quantity]) -> list[Values]:
        """The backward with the user's own gradients to some parameters in the place of the right ones."""
        values = []
        for n, p in enumerate(self.probes):
            own = {q: found[n] for q in outputs if (found := self.found[q]) is not None}
            values.append(evaluate(self.w.program, {q: p.values[q] for q in self.w.program.inputs} | own))
        return values

    def nearest(self, q: Quantity, others: Sequence[Sequence[Array]]) -> int | None:
        """Which of several versions of a gradient the user's is, where it is one of them and no other."""
        found = self.found[q]
        if found is None or not others:
            return None
        scales = [np.abs(f).max() or 1.0 for f in found]
        expected = np.array([in_a_row(o, scales) for o in others])
        far = np.abs(expected - in_a_row(found, scales)).max(axis=1)
        return nearest(far, expected, self.close[q])

    def same(self, q: Quantity, other: Sequence[Array], *, right: bool = False) -> bool:
        """Whether the user's gradient is this, to rounding."""
        found, close = self.found[q], self.close[q]
        within = close.right if right else close.named
        return found is not None and all(deviation(f, o) <= within for f, o in zip(found, other, strict=True))


def edited(w: Written, *, of_inverse: bool = False) -> list[tuple[Edit, list[Values]]]:
    """Every edit of the backward, or those alone that make inv_std another number, on every probe."""
    every = _edits(w)
    return [(edit, _on_probes(w, n)) for n, edit in enumerate(every) if edit.of_inverse or not of_inverse]


@lru_cache(maxsize=8)
def _edits(w: Written) -> list[Edit]:
    return list(edits(w))


@lru_cache(maxsize=1024)
def _on_probes(w: Written, n: int) -> list[Values]:
    """What an edit gives: found once for each norm, whatever functions are judged."""
    return on_probes(_edits(w)[n].program, w, probes(w))


@lru_cache(maxsize=8)
def derived(w: Written) -> tuple[list[Values], list[Values]]:
    """What the chain rule's own program gives on every probe, and the same written out."""
    return on_probes(w.chain.program, w, probes(w)), on_probes(w.program, w, probes(w))


def on_probes(program: Program, w: Written, tried: Sequence[Probe]) -> list[Values]:
    """What a program gives for the backward's inputs, probe by probe."""
    return [evaluate(program, {q: p.values[q] for q in w.program.inputs}) for p in tried]


def deviation(found: Array, right: Array) -> float:
    """The largest deviation, in units of the largest entry."""
    if found.shape != np.shape(right):
        return float("inf")
    scale = float(np.abs(right).max(initial=0)) or 1.0
    return float(np.abs(found - right).max(initial=0)) / scale


def in_a_row(arrays: Sequence[Array], scales: Sequence[float]) -> Array:
    """The arrays of every probe in one row, each in its own unit."""
    return np.concatenate([(a / s).ravel() for a, s in zip(arrays, scales, strict=True)])


def nearest(far: Array, expected: Array, close: Closeness) -> int | None:
    """Which of some expected rows is meant, by how far each is; of equal ones the first.

    None where none is near, or where another one is not clearly farther: then numbers cannot tell which it is.
    """
    if not len(far) or not far.min() <= close.named:
        return None
    best = expected[int(np.argmin(far))]
    equal = np.abs(expected - best).max(axis=1) <= 1e-9 * np.abs(best).max(initial=1e-300)
    if np.any(far[~equal] <= CLEARLY * max(far.min(), close.noise)):
        return None
    return int(np.flatnonzero(equal)[0])


def spread(array: Array, axes: tuple[Axis, ...], wanted: tuple[Axis, ...], sizes: dict[Axis, int]) -> Array:
    """An array with some of the wanted axes, with all of them, in their order."""
    order = sorted(range(len(axes)), key=lambda k: wanted.index(axes[k]))
    shape = [sizes[a] if a in axes else 1 for a in wanted]
    return np.broadcast_to(np.transpose(array, order).reshape(shape), [sizes[a] for a in wanted])


def grouped(array: Array, axes: tuple[Axis, ...], kept: tuple[Axis, ...]) -> Array:
    """A matrix with a row for each statistic, of the elements that it is taken over."""
    order = [axes.index(a) for a in kept] + [k for k, a in enumerate(axes) if a not in kept]
    rows = int(np.prod([array.shape[k] for k in order[: len(kept)]], dtype=int))
    return np.transpose(array, order).reshape(rows, -1)


@dataclass(frozen=True)
class Ratio:
    """How many times something is in what was found, place by place, and how much of what was found it should be."""

    times: Array
    weight: Array

    def off(self, times: Array) -> Array:
        """How far a ratio, or each of several, is from this one: what that would change, in units of what was found."""
        return np.asarray((np.abs(self.times - times) * self.weight).max(axis=-1))


def fitted(found: Sequence[Array], terms: Sequence[Sequence[Array]], within: float) -> list[Ratio] | None:
    """How many times each term is in what was found, for each row of each probe; None where terms do not make it up.

    `found` holds a matrix for each probe, `terms` as many for each of the terms.
    """
    times, weights = [], []
    for n, rows in enumerate(found):
        for k, row in enumerate(rows):
            columns, size = np.stack([t[n][k] for t in terms], axis=1), np.abs(row).max() or 1.0
            lengths = np.linalg.norm(columns, axis=0)
            if not lengths.all():
                return None
            ratio, _, _, singular = np.linalg.lstsq(columns / lengths, row, rcond=None)
            if singular[-1] < 1e-6 or np.abs(columns / lengths @ ratio - row).max() > within * size:
                return None
            times.append(ratio / lengths)
            weights.append(np.abs(columns).max(axis=0) / size)
    return [Ratio(t, w) for t, w in zip(np.array(times).T, np.array(weights).T, strict=True)]
