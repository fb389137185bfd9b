"""Accuracy where the textbook formulas lose it: far-off means, tiny variances, many examples, outliers."""

import numpy as np
import pytest

from .cases import along, make
from .checks import Bounds, check_forward, check_gradients, close
from .reference import Reference, to_rows

SHAPES = [((300, 8), 1), ((6, 8, 10, 5), 1), ((6, 10, 5, 8), -1)]


def check_run(bn, case):
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_forward(case, y, saved)
    check_gradients(case, bn.backward(case.dy, case.x, case.gamma, saved, **case.axis))
    return y, saved


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("offset", [1e3, 1e4, -1e6])
def test_offset_in_float32(bn, shape, axis, offset):
    """The bound of y and var does not grow with the offset: raw moments fail here, so does a mean rounded too early."""
    check_run(bn, make(shape, axis, dtype=np.float32, offset=offset))


@pytest.mark.parametrize("offset", [1e8, 1e12])
def test_offset_in_float64(bn, offset):
    check_run(bn, make((100, 3, 2), offset=offset))


@pytest.mark.parametrize("offset", [3e2, 3e4])
def test_offset_in_float16(bn, offset):
    """The data keep few levels there; normalizing those is exact all the same."""
    check_run(bn, make((100, 3, 2), dtype=np.float16, offset=offset, scale=50.0))


def test_offset_1e3_at_many_examples(bn):
    """At mean 1e3, std 1 rounding the mean alone costs 3e-5; summing 4096 values one by one about 5e-6."""
    rng = np.random.default_rng(1)
    x = (1e3 + rng.standard_normal((4096, 64))).astype(np.float32)
    y, _ = bn.forward(x, None, None)
    centred = x.astype(np.longdouble) - 1000
    want = (centred - centred.mean(0)) / np.sqrt(centred.var(0) + np.longdouble(1e-5))
    assert np.abs(y - want).max() < 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("where", [slice(0, 1), slice(0, 8), slice(-8, None), slice(0, None, 97)])
def test_outliers(bn, dtype, where):
    """A pivot taken from the data may be an outlier, far from the mean: moments about it must not lose digits."""
    case = make((4000, 3), dtype=dtype)
    case.x[where] += 300
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    check_forward(case, y, saved)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sorted_data(bn, dtype):
    """A trend: the first rows are no sample of the rest."""
    case = make((2000, 3), dtype=dtype, offset=100.0)
    case.x.sort(axis=0)
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    check_forward(case, y, saved)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_channels_of_unlike_offset_and_scale(bn, dtype):
    case = make((60, 6, 4), dtype=dtype)
    offset, scale = np.array([0, 1, -30, 1e3, 1e4, -1e6]), np.array([1e-6, 1e-3, 1, 1, 1e3, 10])
    case.x[...] = case.x * along(scale, case.x.shape, 1) + along(offset, case.x.shape, 1)
    check_run(bn, case)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_variance_far_below_eps(bn, dtype):
    scale = 1e-3 if dtype == np.float16 else 1e-9
    check_run(bn, make((80, 3, 2), dtype=dtype, scale=scale, eps=1.0))


@pytest.mark.parametrize("offset", [40.0])
@pytest.mark.parametrize(("shape", "axis"), [((2**17, 2), 1), ((4, 2, 128, 256), 1), ((4, 128, 256, 2), -1)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_many_examples(bn, dtype, shape, axis, offset):
    """131072 a channel. In float16 a sum of them would stop at 2048 or overflow; sums run in float32."""
    case = make(shape, axis, dtype=dtype, offset=offset)
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    ref = Reference(case)
    check_forward(case, y, saved, ref=ref)
    got = bn.backward(case.dy, case.x, case.gamma, saved, **case.axis)
    dx = to_rows(got[0], axis)
    some, bounds = np.random.default_rng(0).integers(0, 2**17, 5), Bounds(ref)
    dx, dgamma, dbeta = ref.complex_step(positions=some)
    close("dx", to_rows(got[0], axis)[:, some], dx, bounds.dx[:, some], dtype)
    close("dgamma", got[1], dgamma, bounds.dgamma, bounds.dtype)
    close("dbeta", got[2], dbeta, bounds.dbeta, bounds.dtype)


@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_gradients_far_from_the_origin_with_a_large_mean_gradient(bn, offset):
    """saved.mean is rounded to float32: off by offset * 2^-25, it would reach dgamma times the sum of dy, 10 m here.

    dgamma is summed with dy - mean(dy), which such an error cannot reach; in dx it comes times mean(dy x_hat) alone.
    """
    rng = np.random.default_rng(3)
    x = (offset + rng.standard_normal((256, 4))).astype(np.float32)
    dy = (10 + rng.standard_normal((256, 4))).astype(np.float32)
    gamma = np.ones(4)
    dx, dgamma, _ = bn.backward(dy, x, gamma, bn.forward(x, gamma, None)[1])
    exact_x, exact_dy = x.astype(float), dy.astype(float)
    exact = bn.backward(exact_dy, exact_x, gamma, bn.forward(exact_x, gamma, None)[1])
    off = offset * 2.0**-25 / x.astype(float).std(axis=0)
    assert np.all(np.abs(dgamma - exact[1]) <= 256 * 2.0**-22)
    per_channel = np.abs(dx - exact[0]).max(axis=0)
    assert np.all(per_channel <= 2.0**-20 + 2 * off * (np.abs(exact[1]) / 256 + 2.0**-20))
