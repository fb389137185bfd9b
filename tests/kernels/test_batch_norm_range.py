"""Values whose squares leave the dtype's range, upwards and downwards, beside ordinary channels."""

import numpy as np
import pytest

from .cases import lay, make
from .checks import Bounds, check_gradients, check_y, close, flat
from .reference import Reference

SCALES = {
    np.float32: [10.0**k for k in range(-30, 37, 3)] + [1e-22, 1e-20, 1e-19, 2e18, 1.5e19, 1e37],
    np.float64: [1e-280, 1e-200, 1e-170, 1e-160, 1e-154, 1e-120, 1e120, 1e150, 1e154, 1e160, 1e200, 1e300, 1e307],
}
BOTH = [(dtype, scale) for dtype, scales in SCALES.items() for scale in scales]


def check_run(bn, case):
    """y, inv_std, mean and the gradients must be right; var right, or what its dtype can hold of it."""
    ref = Reference(case)
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_y(case, y, ref)
    bounds = Bounds(ref)
    close("mean", saved.mean, flat(ref.mean), flat(bounds.mean), bounds.dtype)
    close("inv_std", saved.inv_std, flat(ref.inv_std), flat(bounds.inv_std), bounds.dtype)
    squares = (ref.x**2).sum(1)
    free = np.isinf(saved.var) & (squares > np.finfo(bounds.dtype).max)
    close("var", saved.var[~free], flat(ref.var)[~free], flat(bounds.var)[~free], bounds.dtype)
    check_gradients(case, bn.backward(case.dy, case.x, case.gamma, saved, **case.axis), ref=ref)
    return saved


@pytest.mark.parametrize(("dtype", "scale"), BOTH)
@pytest.mark.parametrize("eps", [0.0, 1e-5])
def test_every_scale(bn, dtype, scale, eps):
    """With eps = 0 the normalized values do not depend on the scale at all."""
    case = make((32, 3, 2), dtype=np.float64, eps=eps)
    top = np.abs(case.x).max()
    x = lay((case.x / top * scale).astype(dtype), "C")
    gamma, beta, dy = (v.astype(dtype) for v in (case.gamma, case.beta, case.dy))
    check_run(bn, type(case)(x, dy, gamma, beta, eps, 1))


UNLIKE = [(np.float32, [1, 1e30, 1e-30, 1e18]), (np.float64, [1, 1e200, 1e-200, 5])]


@pytest.mark.parametrize(("dtype", "scales"), UNLIKE)
@pytest.mark.parametrize(("shape", "axis"), [((40, 4), 1), ((5, 4, 3, 3), 1), ((5, 3, 3, 4), -1), ((4, 40), 0)])
def test_unlike_channels(bn, dtype, scales, shape, axis):
    """Each channel is right whatever its neighbours hold."""
    case = make(shape, axis, eps=0.0)
    x = np.moveaxis(np.moveaxis(case.x, axis, -1) * np.array(scales), -1, axis).astype(dtype)
    gamma, beta, dy = (v.astype(dtype) for v in (case.gamma, case.beta, case.dy))
    saved = check_run(bn, type(case)(x, dy, gamma, beta, 0.0, axis))
    assert np.isinf(saved.var[1])
    assert np.isfinite(saved.inv_std).all()


@pytest.mark.parametrize(("dtype", "offset"), [(np.float32, 1e30), (np.float64, 1e200)])
def test_large_offset_and_large_scale(bn, dtype, offset):
    case = make((50, 3, 2), dtype=dtype, offset=offset, scale=offset / 10, eps=1e-5)
    check_run(bn, case)


def test_huge_constant_channel(bn):
    """The squares overflow, the variance is 0: y is beta, and inv_std is eps ** -0.5."""
    case = make((20, 3), dtype=np.float32)
    case.x[:, 1] = 3e30
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    assert (y[:, 1] == case.beta[1]).all()
    assert saved.var[1] == 0
    check_run(bn, case)


def test_one_value_overflows_alone(bn):
    """A single 1e25 among ones makes the sum of squares overflow; y is finite and right in every place."""
    case = make((64, 2), dtype=np.float32)
    case.x[17, 0] = 1e25
    check_run(bn, case)


@pytest.mark.parametrize("offset", [0.0, 3e4])
def test_float16_squares_overflow_float16_only(bn, offset):
    case = make((64, 3, 2), dtype=np.float16, scale=2000.0, offset=offset)
    assert np.isfinite(case.x).all()
    saved = check_run(bn, case)
    assert np.isfinite(saved.var).all()


def test_an_overflowing_y_is_infinite_and_nothing_else(bn):
    """gamma beyond the range of float16: y cannot be held where x_hat is not small; no warning, no NaN."""
    case = make((16, 2), dtype=np.float16, parameters=(np.float32, np.float32))
    case.gamma[0] = 1e6
    y, _ = bn.forward(case.x, case.gamma, case.beta)
    check_y(case, y, Reference(case))
    assert np.isinf(y[:, 0]).any()
    assert not np.isnan(y).any()
    assert np.isfinite(y[:, 1]).all()
