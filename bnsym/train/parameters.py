"""A network's parameters and their gradients: each one flat array, so that a step of SGD is one subtraction."""

import math
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Parameter", "Parameters"]

Array = npt.NDArray[Any]


class Parameter(NamedTuple):
    """One parameter and its gradient, of one shape: views of the flat arrays."""

    value: Array
    gradient: Array


class Parameters(Mapping[str, Parameter]):
    """Named parameters of given shapes, all zero; `flat` and `flat_gradients` hold them one after the other.

    They are arrays of `xp`.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: npt.DTypeLike, xp: ModuleType = np):
        size = sum(math.prod(shape) for shape in shapes.values())
        self.flat: Array = xp.zeros(size, dtype)
        self.flat_gradients: Array = xp.zeros(size, dtype)
        self._named: dict[str, Parameter] = {}
        start = 0
        for name, shape in shapes.items():
            part = slice(start, start := start + math.prod(shape))
            self._named[name] = Parameter(self.flat[part].reshape(shape), self.flat_gradients[part].reshape(shape))

    def __getitem__(self, name: str) -> Parameter:
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)
