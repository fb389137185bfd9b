"""What is right: the generated NumPy module in float64, whose gradients are derived and proved; and how far others are.

The tests hold this reference itself against complex steps of a plain forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bnsym.bench.arrays import Array, Given
from bnsym.bench.modules import called, load

__all__ = ["TOLERANCE", "WrongResult", "checked", "flat", "references", "relative"]

TOLERANCE = {"float16": 1e-2, "float32": 1e-3, "float64": 1e-9}
"""The norm of the difference over the norm of what is right. Wide enough for peers that add up a column in float32, and
a gradient that lacks a term is a hundred times further off."""


class WrongResult(Exception):
    """A result that is too far from the reference to be worth a time."""


def flat(result: Any) -> list[Any]:
    """The arrays of a result in their order, without what is kept for backward and without those that are None."""
    found = [result] if not isinstance(result, tuple) or hasattr(result, "_fields") else list(result)
    return [value for value in found if value is not None and not hasattr(value, "_fields")]


def references(functions: Iterable[str], given: Given) -> dict[str, list[Array]]:
    """The results of each function, in float64."""
    module, wide = load("numpy", given.case.norm), given.widened()
    first = called(module.forward, wide)()
    if isinstance(first, tuple):
        wide.keep("saved", first[-1])
    calls = {name: called(getattr(module, name), wide) for name in functions}
    found = {name: first if name == "forward" else call() for name, call in calls.items()}
    return {name: [np.asarray(value) for value in flat(result)] for name, result in found.items()}


def relative(got: Array, want: Array) -> float:
    """The norm of the difference over the norm of what is right; NaN if there is a NaN. Beside 0 all else is far."""
    if got.shape != want.shape:
        return math.inf
    error, norm = float(np.linalg.norm((got - want).ravel())), float(np.linalg.norm(want.ravel()))
    return error / norm if norm else error * math.inf if error else 0.0


def checked(got: Sequence[Array], want: Sequence[Array], dtype: str) -> list[float]:
    """The relative error of each result. Raises WrongResult; an element that was not written is NaN, and so wrong."""
    if len(got) != len(want):
        raise WrongResult(f"wrong: {len(got)} results where {len(want)} are asked for")
    errors = [relative(g, w) for g, w in zip(got, want, strict=True)]
    if wrong := [f"result {n + 1} by {e:.1e}" for n, e in enumerate(errors) if not e < TOLERANCE[dtype]]:
        raise WrongResult("wrong: " + ", ".join(wrong))
    return errors
