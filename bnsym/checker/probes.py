"""What a backward is tried on: arrays of unequal sizes, at variances from a fifth of eps to far above it.

The sizes tell m from any number typed in, and one axis from another; the variances tell where eps stands; parameters
of both signs, and gradients that neither average to 0 nor are uncorrelated with x, tell one term from the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bnsym.calculus.elements import Array, evaluate
from bnsym.checker.layouts import Sizes
from bnsym.checker.written import Written
from bnsym.model import Axis, Quantity

SHAPES = ((5, 4), (8, 3), (13, 4))
"""How many elements a statistic is taken over, and of how many there are statistics."""
SQUARE = (6, 6)
VARIANCES = (0.2, 20.0, 1600.0)
"""In units of eps."""


@dataclass(frozen=True)
class Probe:
    """Arrays for the backward's inputs, and what the forward pass makes of them."""

    sizes: Sizes
    values: dict[Quantity, Array]


@lru_cache(maxsize=8)
def probes(w: Written) -> tuple[Probe, ...]:
    """The probes on which a backward is judged."""
    return tuple(_probe(w, shape, ratio, seed) for seed, (shape, ratio) in enumerate(_cases()))


def square(w: Written) -> Probe:
    """One whose sizes are equal: there a sum over a wrong axis fits where it does not elsewhere."""
    return _probe(w, SQUARE, VARIANCES[1], 99)


def _cases() -> Iterator[tuple[tuple[int, int], float]]:
    yield from ((shape, ratio) for shape in SHAPES for ratio in VARIANCES)


def _probe(w: Written, shape: tuple[int, int], ratio: float, seed: int) -> Probe:
    rng, sizes = np.random.default_rng(seed), _sizes(w, *shape)
    eps = next((float(q.default) for q in w.chain.program.inputs if q.default), 1e-5)
    values = {q: _drawn(w, q, sizes, rng, np.sqrt(ratio * eps)) for q in w.chain.program.inputs}
    found = evaluate(w.definition.program, {q: values[q] for q in w.definition.program.inputs if q in values})
    x = values[w.data]
    wide = [q for q in found if q.role == "value" and q.axes == w.data.axes]
    lean = found[wide[0]] if wide else x / np.abs(x).max()
    return Probe(sizes, found | values | {q: values[q] + 0.7 * lean for q in w.chain.seeds if q.axes == w.data.axes})


def _drawn(w: Written, q: Quantity, sizes: Sizes, rng: np.random.Generator, scale: float) -> Array:
    shape = sizes.shape(q)
    if q.role == "data":
        return np.asarray(scale * (rng.normal(size=shape) + rng.uniform(0.5, 1.5)))
    if q.role == "mask":
        return (np.argsort(rng.random(shape), axis=0) > 0) * 1.0
    if q.role == "constant":
        return np.asarray(float(q.default) if q.default is not None else q.at_least + 0.5)
    if q.role == "gradient":
        return np.asarray(rng.normal(size=shape) + 0.8)
    return np.asarray(
        rng.uniform(0.5, 2.0, shape) * rng.permutation(np.arange(np.prod(shape, dtype=int)) % 2 * 2 - 1).reshape(shape)
    )


def _sizes(w: Written, inner: int, outer: int) -> Sizes:
    """Axes that statistics keep share `outer`, the others `inner`; locations are an even number."""
    kept = w.kept or w.data.axes[1:]
    sizes: dict[Axis, int] = {}
    for axes, total in ((kept, outer), (tuple(a for a in w.data.axes if a not in kept), inner)):
        sizes |= dict.fromkeys(axes, 2 if len(axes) > 1 else total)
        if len(axes) > 1:
            sizes[axes[0]] = total if axes == kept else (total + 1) // 2
    if w.definition.layout in ("groups", "instance"):
        sizes[w.data.axes[-1]] += sizes[w.data.axes[-1]] % 2
    return Sizes({a: sizes[a] for a in w.data.axes})
