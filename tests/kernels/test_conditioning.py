"""Where digits are lost or a range is left: far-off means, squares that overflow or vanish, very many elements."""

import numpy as np
import pytest

from .checks import close, unit
from .digits import Exact
from .forms import form, shorter
from .norms import powers
from .problems import Problem, medium_problem, small_problem
from .subjects import FUNCTIONS
from .test_memory import arranged

MANY = {
    "channels": form("channels", (70000, 2), 1),
    "trailing": form("trailing", (2, 70000), 1),
    "groups": form("groups", (1, 4, 35000), 2),
    "instance": form("instance", (1, 2, 70000)),
    "arrays": form("arrays", (2, 70000, 2)),
}


def assert_near(what, got, want, relative, floor=0.0):
    """Up to `relative` times the largest, after one rounding; `floor` is the error of `want`."""
    for name in set(got) - {"saved"}:
        value, exact = np.asarray(got[name]), np.asarray(want[name], float)
        top = np.max(np.abs(exact), initial=0, where=np.isfinite(exact))
        close(f"{what}: {name}", value, exact, relative * top + floor, value.dtype)


@pytest.mark.parametrize("offset", [300.0, -1e4])
def test_data_far_from_the_origin(subject, offset):
    """A float32 kernel against the float64 one on the same numbers: errors of offset * u, not of its square."""
    if not subject.definition.saved or subject.layout == "arrays":
        pytest.skip("it takes no statistics of its data")
    for at in (0, 1):
        low = medium_problem(subject, at, offset=offset).astype(np.float32)
        high = low.astype(np.float64)
        for function in FUNCTIONS:
            together = 20 * abs(offset) * (len(subject.role("data")) > 1)  # x + residual is rounded by itself
            relative = float(unit(np.float32)) * (400 + together)
            assert_near(f"{function} at {offset}", low.call(function), high.call(function), relative)


def test_very_many_elements_in_float16(subject):
    """70,000, or a stand-in's 4,372: in float16 a sum would stop at 2048 or overflow; sums run in float32."""
    if subject.layout == "elementwise":
        pytest.skip("it sums nothing")
    low = Problem(subject, shorter(MANY[subject.layout], subject), margin=-1).astype(np.float16)
    high = low.astype(np.float64)
    for function in subject.derivatives:
        assert_near(function, low.call(function), high.call(function), 3e-4)


MANY_ROWS = {
    "channels": form("channels", (3, 2, 30000), 1),
    "trailing": form("trailing", (3, 70000), 1),
    "groups": form("groups", (2, 4, 30000), 2),
    "instance": form("instance", (2, 2, 70000)),
    "arrays": form("arrays", (300, 3, 200)),
}


@pytest.mark.parametrize("layout", ["F", "rolled", "channels_last", "strided", "reversed"])
def test_sums_of_many_elements_in_any_arrangement_of_memory(subject, layout):
    """None is added up one by one: 70,000 of mean 1 in float32 would lose three digits more."""
    if subject.layout == "elementwise":
        pytest.skip("it sums nothing")
    many = shorter(MANY_ROWS[subject.layout], subject)
    low = Problem(subject, many, margin=-1, offset=1.0).astype(np.float32)
    high = low.astype(np.float64)
    low = arranged(low, layout)
    for function in FUNCTIONS:
        assert_near(function, low.call(function), high.call(function), 1e-5)


def scaled(subject, dtype, scale, eps):
    """x and what goes with it in units of `scale`; the numbers are the dtype's own.

    Statistics of a higher power of the data than the square are then as large as squares: the scale is a root of it.
    """
    problem, scale = small_problem(subject), scale ** (2 / max([2, *powers(subject.name).values()]))
    names = [p + subject.role("data")[0].name for p in ("", "t", "dd")]
    changed = {n: problem.arrays[n] * scale for n in names}
    if eps is not None:
        changed["eps"] = eps
    return problem.replace(**changed).astype(dtype)


RANGE = [("f4", 1e30, None), ("f4", 1e-30, 0.0), ("f8", 1e200, None)]


@pytest.mark.parametrize(("dtype", "scale", "eps"), RANGE)
def test_values_whose_squares_overflow_or_vanish(subject, dtype, scale, eps):
    """y and the gradients are right all the same; var is what its dtype can hold of it."""
    if eps is not None and "eps" not in small_problem(subject).arrays:
        pytest.skip("it has no eps")
    if subject.layout == "elementwise" and dtype == "f8":
        pytest.skip("as in float32")
    if subject.layout == "elementwise":
        scale = min(scale, 1e12)  # an activation may hold a cube, which is to stay a number
    problem = scaled(subject, dtype, scale, eps)
    truth = Exact(problem, dps=60 + round(1.5 * abs(np.log10(scale))))
    for function in ("forward", "backward"):
        want, relative = getattr(truth, function), 400 * float(unit(dtype))
        assert_near(f"{function} at {scale}", problem.call(function), want, relative, 1e-250)


@pytest.mark.parametrize(("dtype", "scale"), [("f4", 1e12), ("f4", 1e-12)])
def test_second_order_of_large_and_small_values(subject, dtype, scale):
    """Of values whose squares are still in range."""
    if "eps" not in small_problem(subject).arrays:
        pytest.skip("it does not normalize")
    problem = scaled(subject, dtype, scale, None)
    truth = Exact(problem, dps=60 + 4 * abs(round(np.log10(scale))))
    for function in ("jvp", "double_backward", "backward_jvp"):
        want, relative = getattr(truth, function), 1000 * float(unit(dtype))
        assert_near(f"{function} at {scale}", problem.call(function), want, relative, 1e-90)


@pytest.mark.parametrize("function", FUNCTIONS[1:])
def test_results_are_linear_in_gradients_and_tangents(subject, function):
    """Far-off scales of them lose nothing."""
    low = small_problem(subject).astype(np.float32)
    y = subject.output.name
    linear = (
        [n for n in subject.tangents(function) if n != f"td{y}"]
        if function in ("jvp", "double_backward")
        else [f"d{y}", f"td{y}"]
    )
    base = low.call(function)
    for scale in (2.0**-60, 2.0**60):
        larger = low.replace(
            **{
                n: low.arrays[n] * np.float32(scale) if np.ndim(low.arrays[n]) else low.arrays[n] * scale
                for n in linear
            }
        )
        got = larger.call(function)
        for name in got:
            same = name == y or (function == "double_backward" and name == "nothing")
            want = np.asarray(base[name], float) * (1 if same else scale)
            top = np.max(np.abs(want), initial=0)
            np.testing.assert_allclose(
                np.asarray(got[name], float), want, rtol=0, atol=4e-6 * top, err_msg=f"{name} at {scale}"
            )
