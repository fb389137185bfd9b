"""NaN and infinity, squares that overflow or vanish: in each of the ways that kernels go."""

import numpy as np
import pytest

from tests.cuda.calls import Calls, bits
from tests.cuda.generated import WAYS, generated, go
from tests.cuda.launching import NEEDS_COMPILER
from tests.kernels.forms import form

pytestmark = NEEDS_COMPILER

SHAPES = {  # a channel goes to a warp or a thread for each 8 rows; to a block; along, across and in parts
    "rows": ((21, 5), 1, WAYS),
    "runs": ((6, 5, 16), 1, ("slab-along", "split-along", "split-across")),
    "long runs": ((2, 5, 520), 1, ("slab-along", "split-along")),
}
HUGE = {"float32": 1e30, "float64": 1e200}


@pytest.fixture(scope="module")
def module():
    return generated("batch_norm", "slab-along", schedule="shuffled", seed=5)


def drawn(shape, axis, **more):
    return Calls("batch_norm", form("channels", shape, axis), **more)


def over_shapes():
    return pytest.mark.parametrize(
        ("shape", "axis", "way"), [(s, axis, way) for s, axis, ways in SHAPES.values() for way in ways]
    )


@over_shapes()
@pytest.mark.parametrize("first", [True, False])
def test_what_is_not_finite_stays_in_its_channel(module, shape, axis, way, first):
    plain = drawn(shape, axis)
    x, dy = (plain.problem.arrays[n].copy() for n in ("x", "dy"))
    at = 0 if first else -2
    x[at, 1], x[at, 2], dy[at, 3] = np.nan, np.inf, -np.inf
    spoiled = drawn(shape, axis, x=x, dy=dy)
    go(module, way)
    for function in ("forward", "backward", "inference", "inference_backward"):
        got, want = spoiled.got(module, function), plain.got(module, function)
        spoiled.check(function, nan_for_infinity(got), nan_for_infinity(spoiled.expected(function)))
        for name in got:
            whole = got[name].shape == x.shape
            channels = (slice(None), [0, 4]) if whole else [0, 4]
            assert bits({name: got[name][channels]}) == bits({name: want[name][channels]}), (function, name)


def nan_for_infinity(results):
    """Infinity among the data is infinity or NaN in what is computed of its channel, by the way it is computed in."""
    return {name: np.where(np.isfinite(v.astype(float)), v, np.nan).astype(v.dtype) for name, v in results.items()}


@over_shapes()
@pytest.mark.parametrize("dtype", HUGE)
def test_squares_that_overflow_or_vanish(module, shape, axis, way, dtype):
    """All channels have the same y where eps is 0; and where it is not, those whose values are not small."""
    scale = np.array([1, HUGE[dtype], 1 / HUGE[dtype], -HUGE[dtype], 1]).reshape(1, 5, *(1,) * (len(shape) - 2))
    x = drawn(shape, axis, dtype=dtype).problem.arrays["x"] * scale
    go(module, way)
    for eps in (0.0, 1e-5):
        calls = drawn(shape, axis, dtype=dtype, x=x, eps=eps)
        want, got = calls.expected("forward"), calls.got(module, "forward")
        for name in ("0.0", "1.0", "1.2"):  # y, mean, inv_std; var may be infinite
            relative = got[name].astype(float) / want[name]
            largest = 1e-4 if dtype == "float32" else 1e-11
            close = np.abs(relative - 1) < largest
            if name == "0.0":
                close |= np.abs(got[name] - want[name]) < largest
            if name == "1.0":  # a mean is near 0 for what its channel holds
                close |= np.abs(got[name] - want[name]) < largest * np.abs(scale.ravel())
            assert close.all(), (name, got[name][~close], want[name][~close])


@over_shapes()
def test_a_single_value_that_overflows(module, shape, axis, way):
    x = drawn(shape, axis).problem.arrays["x"].copy()
    x[-1, 1], x[1, 2] = 1e30, -1e25
    calls = drawn(shape, axis, x=x)
    calls.check("forward", calls.got(go(module, way), "forward"))


@pytest.mark.parametrize("way", ["slab-along", "split-along"])
@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_rows_that_overflow_or_hold_nan(name, way):
    module, plain = generated(name, way, schedule="shuffled", seed=6), Calls(name, form("trailing", (9, 24), 1))
    x = plain.problem.arrays["x"] * np.where(np.arange(9) == 2, 1e30, 1)[:, None]
    x[4, 5], x[7, 0] = np.nan, np.inf
    calls = Calls(name, form("trailing", (9, 24), 1), x=x)
    got, before = calls.got(module, "forward"), plain.got(module, "forward")
    calls.check("forward", got)
    rows = [0, 1, 3, 5, 6, 8]
    assert bits({n: v[rows] for n, v in got.items()}) == bits({n: v[rows] for n, v in before.items()})
