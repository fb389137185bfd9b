"""Inputs for every norm of the registry, whatever its layout: drawn along the program's axes, given as users' arrays.

Everything here follows from the norm's program: which inputs there are, what each is for, over which axes the
statistics run. What a layout makes of the program's axes is the business of `View`.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from .norms import normalized, powers, program, statistics
from .subjects import FUNCTIONS, definition

DTYPES = (np.float16, np.float32, np.float64)


def sized(name, scenario):
    """A scenario's sizes such that statistics are as large, or small, as a variance would be there."""
    power = max([2, *powers(name).values()])
    smaller = scenario.get("scale", 1.0) ** (2 / power - 1)
    return scenario | {k: scenario[k] * smaller for k in ("offset", "scale", "tangent") if k in scenario}


@dataclass(frozen=True)
class View:
    """What a user has in place of each axis of x: (N, H, W) for the examples of a channel, (G,) for the groups."""

    layout: str
    axes: tuple[Any, ...]
    parts: tuple[tuple[int, ...], ...]
    channel_axis: int = 1

    @property
    def options(self):
        found = {
            "channels": lambda: {"channel_axis": self.channel_axis},
            "trailing": lambda: {"normalized_ndim": len(self.parts[-1])},
            "groups": lambda: {"num_groups": prod(self.parts[1])},
        }
        return found.get(self.layout, dict)()

    def size(self, axes):
        return [prod(self.parts[self.axes.index(a)]) for a in axes]

    def user(self, axes, a):
        """An array with the program's axes as a user holds it."""
        at = [self.axes.index(axis) for axis in axes]
        sizes = [self.parts[k] for k in at]
        if self.layout == "groups" and {1, 2} <= set(at):  # the channels of all groups lie along one axis
            k = at.index(1)
            sizes[k : k + 2] = [(prod(sizes[k]) * prod(sizes[k + 1]),)]
        a = np.reshape(a, [n for part in sizes for n in part])
        return np.moveaxis(a, -1, self.channel_axis) if self.layout == "channels" and len(at) == 2 else a

    def program(self, axes, a):
        """A user's array with the program's axes."""
        if self.layout == "channels" and len(axes) == 2:
            a = np.moveaxis(a, self.channel_axis, -1)
        return np.reshape(a, self.size(axes))


def view(name, m=48, kept=3, form=0):
    """A view with m positions (about, for groups) under each statistic and `kept` statistics.

    `form` 0 is the plainest, the others have several axes; for channels 1 is NCHW and 2 channels-last.
    """
    layout, axes = definition(name).layout, definition(name).program.axes
    halves = (m // 4, 2, 2) if m % 4 == 0 else (m, 1, 1)
    several = halves if form else (m,)
    if layout == "channels":
        return View(layout, axes, (several, (kept,)), {2: -1}.get(form, 1))
    if layout == "trailing":
        return View(layout, axes, ((kept, 1, 1) if form == 2 else (kept,), several))
    if layout == "groups":
        width = next(k for k in (3, 2, 1) if m % k == 0)
        return View(layout, axes, ((1,), (kept,), (width,), (m // width, 1) if form else (m // width,)))
    return View(layout, axes, ((kept,), (2,), several))


@dataclass(frozen=True)
class Case:
    name: str
    view: View
    dtype: Any
    eps: float
    values: dict[str, np.ndarray] = field(repr=False)
    """By name, along the program's axes, in the dtype that the kernel is given."""

    def along(self, axes, a):
        """An array with the program's axes as (statistics, positions)."""
        keep = statistics(self.name)[-1].axes
        order = [axes.index(k) for k in keep] + [i for i, k in enumerate(axes) if k not in keep]
        return np.reshape(np.transpose(a, order), [prod(self.view.size(keep)), -1])

    @property
    def x(self):
        """x as (statistics, positions)."""
        return self.along(self.view.axes, self.values["x"])


def _balanced(rng, kept, m):
    """Signs, as many of one kind as of the other: no x_hat is near 0, where relu has its kink."""
    signs = np.resize([1.0, -1.0], m)
    return np.array([rng.permutation(signs) for _ in range(kept)]).reshape(kept, m)


def make(name, v, dtype, *, offset=0.0, scale=1.0, tangent=1.0, eps=1e-5, seed=0, edit=None):
    """A case. `edit` changes x, given as (statistics, positions); tangents of the data are of size `tangent`."""
    rng = np.random.default_rng(seed)
    keep = statistics(name)[-1].axes
    order = [*keep, *(a for a in v.axes if a not in keep)]
    kept = prod(v.size(keep))
    signs = _balanced(rng, kept, prod(v.size(v.axes)) // max(kept, 1)) if kept else np.zeros((0, 1))
    spread = rng.uniform(0.8, 1.2, (kept, 1))
    x = offset * np.sqrt(spread) + scale * spread * signs * rng.uniform(0.5, 1.5, signs.shape)
    if edit:
        edit(x)

    def from_rows(rows):
        return np.transpose(rows.reshape(v.size(order)), [order.index(a) for a in v.axes])

    parameters = np.float64 if dtype == np.float64 else np.float32
    values = {"x": from_rows(x).astype(dtype)}
    for q in (q for f in FUNCTIONS for q in program(name, f).inputs if q.role != "constant"):
        if q.name not in values:
            whole = q.axes == v.axes
            values[q.name] = _drawn(q, rng, v.size(q.axes), tangent if whole else 1.0).astype(
                dtype if whole else parameters
            )
    if "residual" in values:  # of x's size where it is added to x; else of y's sign, so that it keeps off the kink
        before = "residual" in normalized(name)
        size = rng.uniform(0.2, 1.2, v.size(v.axes)) * from_rows(signs)
        values["residual"] = (size * (scale if before else np.sign(values["gamma"]))).astype(dtype)
    return Case(name, v, np.dtype(dtype), eps, values)


def _drawn(q, rng, shape, tangent):
    normal = rng.standard_normal(shape)
    if q.role == "mask":
        taken = rng.uniform(size=shape) < 0.7
        taken[:2] = True
        return taken
    if q.name == "gamma":
        return rng.uniform(0.7, 2, shape) * np.sign(normal)
    if q.name in ("beta", "d"):
        return rng.uniform(0.02, 0.05, shape) * np.sign(normal)
    if q.name == "r":
        return rng.uniform(0.8, 1.2, shape)
    if q.name in ("dy", "tdy"):
        return 0.7 + normal
    return (0.3 + normal) * tangent
