"""The numbers that printed functions are tried on: random, of the right kind for each quantity, and always the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnsym.model import Axis, Definition, Quantity

SIGNED = ("data", "gradient", "parameter", "fixed")
"""What may have either sign, tangents and what comes back to be differentiated among them."""


class Numbers:
    """Draws them, one quantity after the other; positive ones, unless `signed`; neutral ones, if `omitted`."""

    def __init__(self, definition: Definition, sizes: dict[Axis, int], *, signed: bool, omitted: bool):
        self.definition, self.sizes, self.signed, self.omitted = definition, sizes, signed, omitted
        self.rng = np.random.default_rng(0)

    def draw(self, q: Quantity, saved: Any) -> Any:
        """A quantity's array or number; what stands for forward's own statistics is taken from `saved`."""
        if q.name == "count":
            return self._counted(q, saved)
        field = q.name.removeprefix("batch_")
        if field != q.name and q.role == "statistic" and field in getattr(saved, "_fields", ()):
            return getattr(saved, field)
        if q.role == "constant":
            return q.at_least + 0.1 if q.default is None else q.default
        if self.omitted and q.absent is not None:
            return np.full([self.sizes[a] for a in q.axes], float(q.absent))
        drawn = self.rng.uniform(0.3, 1.7, [self.sizes.get(a, 3) for a in q.axes])
        premise = next((p for p in self.definition.premises if p.term.body == q), None)
        if premise:
            axis = q.axes.index(premise.term.axes[0])
            return (drawn == drawn.max(axis, keepdims=True)).astype(float)
        if q.role == "mask":
            return _zeros_and_ones(drawn)
        return self._with_signs(drawn) if self.signed and q.role in SIGNED else drawn

    def _with_signs(self, drawn: Any) -> Any:
        """Half of them negative."""
        return drawn * self.rng.permutation(np.arange(drawn.size) % 2 * 2 - 1).reshape(drawn.shape)

    def _counted(self, q: Quantity, saved: Any) -> Any:
        """The number of examples that forward found; of each of several batches where there are several."""
        count = np.asarray(saved.count)
        if not q.axes:
            return saved.count
        return np.broadcast_to(count, [3] * (len(q.axes) - count.ndim) + [*count.shape])


def _zeros_and_ones(drawn: Any) -> Any:
    """A mask that leaves two positions of each channel at least."""
    taken = np.where(drawn >= np.median(drawn), 1.0, 0.0)
    taken[:2] = 1.0
    return taken
