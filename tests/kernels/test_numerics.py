"""Accuracy of every norm where users of other frameworks lost it: large means, tiny and huge values, many examples.

Each function is held to what the problem's own condition allows (see numerics_reference), never to a tolerance chosen
because the kernel meets it.
"""

import numpy as np
import pytest

from .norms import NORMS
from .numerics_calls import shorter
from .numerics_cases import make, sized, view
from .numerics_checks import check

pytestmark = pytest.mark.usefixtures("backend")

EVERY_NORM = pytest.mark.parametrize("name", NORMS)

# Tangents of the data are drawn at the data's own scale, so that first derivatives are of order 1.
FLOAT32 = {
    "ordinary": {},
    "mean/std 1e4": {"offset": 1e4},
    "mean/std 1e6": {"offset": 1e6},
    "mean/std 1e4, small values": {"offset": -10.0, "scale": 1e-3, "tangent": 1e-3},
    "std 1e4": {"scale": 1e4, "tangent": 1e4},
    "std 1e6, mean 1e10": {"offset": 1e10, "scale": 1e6, "tangent": 1e6},
    "variance far below eps": {"scale": 1e-6},
    "variance far below eps, with a mean": {"offset": 1.0, "scale": 1e-4, "eps": 1.0},
    "1e30": {"scale": 1e30, "tangent": 1e30},
    "1e30, with a mean": {"offset": 1e30, "scale": 1e29, "tangent": 1e29},
    "1e30, tangents of order 1": {"scale": 1e30},
    "1e-30": {"scale": 1e-30, "tangent": 1e-30},
    "1e-30 without eps": {"scale": 1e-30, "tangent": 1e-30, "eps": 0.0},
}
FLOAT16 = {
    "ordinary": {},
    "mean/std 300": {"offset": 300.0},
    "squares overflow": {"scale": 2e4, "tangent": 100.0},
    "variance far below eps": {"scale": 1e-3, "eps": 1.0},
    "few levels": {"offset": 2048.0, "scale": 4.0},
}
FLOAT64 = {
    "ordinary": {},
    "mean/std 1e6": {"offset": 1e6},
    "mean/std 1e12": {"offset": 1e12},
    "variance far below eps": {"scale": 1e-12},
    "1e200": {"scale": 1e200, "tangent": 1e200},
    "1e-200 without eps": {"scale": 1e-200, "tangent": 1e-200, "eps": 0.0},
}


@EVERY_NORM
@pytest.mark.parametrize("scenario", FLOAT32)
def test_float32(name, scenario):
    form = list(FLOAT32).index(scenario) % 3
    check(make(name, view(name, form=form), np.float32, **sized(name, FLOAT32[scenario])))


@EVERY_NORM
@pytest.mark.parametrize("scenario", FLOAT16)
def test_float16(name, scenario):
    """Computed in float32, rounded once at the end."""
    form = list(FLOAT16).index(scenario) % 3
    check(make(name, view(name, form=form), np.float16, **sized(name, FLOAT16[scenario])))


@EVERY_NORM
@pytest.mark.parametrize("scenario", FLOAT64)
def test_float64_against_fifty_digits(name, scenario):
    check(make(name, view(name, m=12, kept=2), np.float64, **sized(name, FLOAT64[scenario])))


@EVERY_NORM
def test_many_positions_in_float16(name):
    """70,000 under one statistic: no sum, nor their number, can be held in float16. A stand-in's are 4,372.

    The mean is within four standard deviations of 0: it is taken as it was saved.
    """
    check(make(name, view(name, m=shorter(70_000), kept=1), np.float16, offset=3.0), samples=2, strict=False)


@EVERY_NORM
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("m", [1, 2])
def test_one_and_two_positions(name, m, dtype):
    """x_hat is 0, or -1 and 1: what is left of a gradient is what eps leaves of it."""
    check(make(name, view(name, m=m, kept=4), dtype, offset=2.0, scale=0.7))


@EVERY_NORM
def test_unlike_statistics_side_by_side(name):
    """Each is as right as if it were alone."""

    def edit(x):
        x *= np.resize([1, 1e-6, 1e4, 1], len(x))[:, None]
        x += np.resize([0, 0, 3e4, 1e4], len(x))[:, None]

    check(make(name, view(name, kept=4), np.float32, edit=edit), alike=False)
