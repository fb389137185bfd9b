"""The arrays of a case, by the names that generated functions ask for; every process draws the same."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np

from bnsym.bench.cases import Case
from bnsym.bench.modules import layout_of, load

__all__ = ["Array", "Given", "Missing"]

Array = np.ndarray[Any, np.dtype[Any]]
BATCHES = 8  # mini-batches for population statistics
TANGENTS = re.compile(r"(?:t|dd)(x|dy|residual|gamma|beta)")


class Missing(Exception):
    """That there is nothing to measure, in words."""


class Given:
    """The arguments of a case's functions: each is drawn when it is first asked for."""

    def __init__(self, case: Case, mean: float, *, is_wide: bool = False) -> None:
        self.case, self.mean, self.is_wide = case, mean, is_wide
        self.layout = layout_of(load("numpy", case.norm))
        self.channels = case.shape[-1 if self.layout in ("trailing", "elementwise") else 1]
        self._drawn: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        """The argument of this name. Raises Missing."""
        if name not in self._drawn:
            self._drawn[name] = self._wide(self._draw(name))
        return self._drawn[name]

    def keep(self, name: str, value: Any) -> None:
        """Give this value from now on: what forward saved for backward."""
        self._drawn[name] = value

    def widened(self) -> Given:
        """The same values in float64."""
        return Given(self.case, self.mean, is_wide=True)

    def is_data(self, value: Any) -> bool:
        """Whether it is an array of x's shape."""
        return getattr(value, "shape", None) == self.case.shape

    def _wide(self, value: Any) -> Any:
        is_floating = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value.astype(np.float64) if self.is_wide and is_floating else value

    def _draw(self, name: str) -> Any:
        if name == "dy":  # with parts along 1 and x, so that a forgotten term of the gradient shows
            dy = self._normal(name) + np.float32(0.5) + np.float32(0.3) * self._normal("x")
            return dy.astype(self.case.dtype)
        if name in ("x", "residual"):
            shift = self.mean if name == "x" else 0.0
            return (self._normal(name) + np.float32(shift)).astype(self.case.dtype)
        if name in OTHERS:
            return OTHERS[name](self)
        if not (found := TANGENTS.fullmatch(name)):
            raise Missing(f"bench does not know what {name} is")
        is_data = found[1] in ("x", "dy", "residual")
        return self._normal(name).astype(self.case.dtype) if is_data else self.each(name, 0, 1)

    def _normal(self, name: str) -> Array:
        return np.random.default_rng(crc32(name.encode())).standard_normal(self.case.shape, np.float32)

    def each(self, name: str, mean: float, std: float, rows: tuple[int, ...] = ()) -> Array:
        """A number for each channel, in the dtype of parameters."""
        values = np.random.default_rng(crc32(name.encode())).standard_normal((*rows, self.channels)) * std + mean
        return values.astype("float64" if self.case.dtype == "float64" else "float32")

    def population(self, name: str, rows: tuple[int, ...] = ()) -> Array:
        """Statistics of data like these: means near x's, variances near 1."""
        return self.each(name, self.mean, 0.1, rows) if "mean" in name else 1 + self.each(name, 0, 0.1, rows) ** 2

    def count(self) -> Any:
        """Examples in a mini-batch; with a mask, of each mini-batch and channel."""
        count = math.prod(self.case.shape) // self.channels
        return np.full((BATCHES, self.channels), count) if self.case.norm.startswith("masked") else count

    def mask(self) -> Array:
        """True for four positions of five."""
        return np.random.default_rng(crc32(b"mask")).random(self.case.shape, np.float32) < 0.8


OTHERS: dict[str, Callable[[Given], Any]] = {
    "gamma": lambda given: given.each("gamma", 1, 0.2),
    "beta": lambda given: given.each("beta", 0, 0.5),
    "mask": Given.mask,
    "r": lambda given: given.each("r", 1, 0.1),
    "d": lambda given: given.each("d", 0, 0.1),
    "r_max": lambda given: 3.0,
    "d_max": lambda given: 5.0,
    "num_groups": lambda given: given.case.groups,
    "count": Given.count,
    "mean": lambda given: given.population("mean"),
    "var": lambda given: given.population("var"),
    "running_mean": lambda given: given.population("running_mean"),
    "running_var": lambda given: given.population("running_var"),
    "means": lambda given: given.population("means", (BATCHES,)),
    "variances": lambda given: given.population("variances", (BATCHES,)),
}
