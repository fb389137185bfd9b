"""The array libraries that a network trains with: NumPy, for Numba's kernels too, and CuPy; how they differ."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["NUMPY", "Library", "library"]


@dataclass(frozen=True)
class Library:
    """A library's module, and what of it has no one spelling.

    `take(array, indices, axis=0, out=out)` takes rows by indices, none of which is out of range. What a trainer does it
    does within `stream`, which can be entered again and again.
    """

    xp: ModuleType
    take: Callable[..., Any]
    stream: AbstractContextManager[Any]


# No index is out of range, so none is clipped; but with mode="raise" NumPy goes through a buffer of its own.
NUMPY = Library(np, partial(np.take, mode="clip"), nullcontext())


def library(backend: str) -> Library:
    """The library of a backend's kernels; CuPy comes with a stream for its caller alone, which can be captured."""
    if backend in ("numpy", "numba"):
        return NUMPY
    cupy = import_module("cupy")
    return Library(cupy, cupy.take, cupy.cuda.Stream(non_blocking=True))
