"""Random cases of every registered definition in float64: random shapes, whatever the layout, and zeros in gamma."""

import numpy as np

from ..kernels.norms import program
from ..kernels.numerics_cases import Case, View
from ..kernels.subjects import FUNCTIONS, definition


def shape(name, rng):
    """A view of random sizes with two positions or more under each statistic."""
    layout, axes = definition(name).layout, definition(name).program.axes

    def some(least, most, low=1):
        return tuple(int(n) for n in rng.integers(low, 5, rng.integers(least, most + 1)))

    if layout == "channels":
        examples = (int(rng.integers(2, 6)), *some(0, 3))
        axis = int(rng.integers(-len(examples) - 1, len(examples) + 1))
        return View(layout, axes, (examples, some(1, 1)), axis)
    if layout == "trailing":
        return View(layout, axes, (some(0, 2), (*some(0, 1), int(rng.integers(2, 9)))))
    if layout == "groups":
        return View(layout, axes, (some(1, 1), some(1, 1), some(1, 1), (*some(0, 2), int(rng.integers(2, 5)))))
    if layout == "instance":
        return View(layout, axes, (some(1, 1), some(1, 1), (*some(0, 2), int(rng.integers(2, 6)))))
    if layout == "elementwise":
        return View(layout, axes, (some(1, 4),))
    return View(layout, axes, tuple(some(1, 1, 2) for _ in axes))


def draw(name, seed):
    """A case: every input of the five functions, each drawn once."""
    rng = np.random.default_rng([seed, *name.encode()])
    v = shape(name, rng)
    values = {}
    for q in (q for f in FUNCTIONS for q in program(name, f).inputs if q.role != "constant" and q.name not in values):
        values[q.name] = _drawn(name, q, rng, v.size(q.axes))
    if seed % 2 and "gamma" in values:
        values["gamma"].reshape(-1)[::2] = 0
    return Case(name, v, np.dtype(np.float64), float(rng.choice([1e-5, 1e-3, 0.5])), values)


def _drawn(name, q, rng, size):
    if q.role == "mask":
        drawn = rng.uniform(size=size)
        for premise in definition(name).premises:  # one-hot along the axis that it is summed over
            return 1.0 * (drawn == drawn.max(q.axes.index(premise.term.axes[0]), keepdims=True))
        drawn[:2] = 1
        return drawn > 0.3
    return rng.standard_normal(size)


def assert_agree(label, got, want, tolerance=1e-10):
    """Equal to rounding, as float64 arrays of one shape."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{label}: shape {got.shape}, torch's {want.shape}"
    assert got.dtype == want.dtype == np.float64, label
    error, top = np.abs(got - want).max(initial=0), max(1.0, np.abs(want).max(initial=0))
    assert error <= tolerance * top, f"{label}: off by {error:.2g}, where the largest is {top:.2g}"
