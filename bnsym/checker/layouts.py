"""A definition's arrays as a user's function has them: groups and locations folded into channels, height and width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bnsym.model import Axis, Definition, Quantity

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Sizes:
    """How many positions a probe has along each axis; `height` divides the locations, where there are any."""

    of: dict[Axis, int]
    height: int = 2

    def count(self, axes: tuple[Axis, ...]) -> int:
        """The number of positions along several axes."""
        return int(np.prod([self.of[a] for a in axes], dtype=int))

    def shape(self, q: Quantity) -> tuple[int, ...]:
        """A quantity's own shape."""
        return tuple(self.of[a] for a in q.axes)


def as_given(definition: Definition, q: Quantity, value: Array, sizes: Sizes) -> Array:
    """An array in the shape a user's function takes it in."""
    return np.reshape(value, given_shape(definition, q, sizes))


def given_shape(definition: Definition, q: Quantity, sizes: Sizes) -> tuple[int, ...]:
    """That shape: (N, C, H, W) for layouts with locations, and one axis for a group's channels and the groups."""
    axes = definition.program.inputs[0].axes
    shape = dict(zip(q.axes, sizes.shape(q), strict=True))
    if definition.layout == "groups" and axes[2] in shape:
        shape[axes[2]] *= shape.pop(axes[1])
    found = [(n,) for n in shape.values()]
    if definition.layout in ("groups", "instance") and axes[-1] in shape:
        found[-1] = (sizes.height, shape[axes[-1]] // sizes.height)  # type: ignore[assignment]
    return tuple(n for part in found for n in part)
