"""Single precision as numbers to evaluate programs on: each operation rounded, and sums taken one after the other.

NumPy's own sums go in an order that depends on the machine. These do not, and so show the same rounding everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy

from bnsym.calculus.elements import Array, Numbers


class UnevenError(ArithmeticError):
    """What is not rounded alike on every machine."""


def in_turn(array: Array, along: tuple[int, ...]) -> Array:
    """A sum over some dimensions, from the first element to the last, rounded after each addition."""
    moved = np.moveaxis(array, along, range(len(along)))
    flat = moved.reshape(math.prod(moved.shape[: len(along)]), *moved.shape[len(along) :])
    total = np.add.accumulate(flat, axis=0, dtype=array.dtype)[-1]
    return np.asarray(np.expand_dims(total, along))


def _power(base: Array, exponent: float) -> Array:
    """Squares and quotients: one operation each, and rounded alike everywhere."""
    if exponent not in (2, -1):
        raise UnevenError(f"the power {exponent}")
    return np.square(base) if exponent == 2 else 1 / base


class _None(dict[str, Any]):
    """No function at all: they come from libraries that differ."""

    def __missing__(self, name: str) -> Any:
        raise UnevenError(name)


def _constant(e: sympy.Expr) -> np.float32:
    return np.float32(float(e))


SINGLES = Numbers(np.float32, _constant, _None(), power=_power, total=in_turn)
