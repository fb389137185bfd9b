"""Batch norm at its edges, to the last bit: one example, constant channels, no variance, NaN and Inf."""

import numpy as np
import pytest

from .cases import DTYPES, Case, make
from .checks import check_forward, check_gradients, check_y, close, statistics_dtype
from .reference import Reference

ABSENT = ("absent", "absent")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1, 1)])
@pytest.mark.parametrize("parameters", [(None, None), ABSENT])
def test_one_example(bn, dtype, shape, parameters):
    """x_hat = 0, so y is beta and dx = 0, exactly."""
    case = make(shape, dtype=dtype, offset=7.3, parameters=parameters)
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    beta = np.zeros(4, dtype) if case.beta is None else case.beta
    assert np.array_equal(y, beta.reshape(shape))
    assert y.dtype == dtype
    assert np.array_equal(saved.mean, case.x.reshape(4).astype(saved.mean.dtype))
    assert np.array_equal(saved.var, np.zeros(4))
    assert saved.count == 1
    dx, dgamma, dbeta = bn.backward(case.dy, case.x, case.gamma, saved)
    assert np.array_equal(dx, np.zeros(shape))
    assert dx.dtype == dtype
    assert dgamma is None if case.gamma is None else np.array_equal(dgamma, np.zeros(4))
    assert np.array_equal(dbeta, case.dy.reshape(4).astype(dbeta.dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 3), (4, 3, 0), (0, 3, 2)])
def test_no_example_is_an_empty_inference(bn, dtype, shape):
    x, one = np.zeros(shape, dtype), np.ones(3, np.float32)
    y = bn.inference(x, one, one, one, one)
    assert (y.shape, y.dtype) == (shape, dtype)
    dx, dgamma, dbeta = bn.inference_backward(x, x, one, one, one)
    assert (dx.shape, dx.dtype) == (shape, dtype)
    assert np.array_equal(dgamma, np.zeros(3))  # a sum of nothing
    assert np.array_equal(dbeta, np.zeros(3))
    assert dgamma.dtype == dbeta.dtype == statistics_dtype(x)


def only(case, bad):
    """The case without the channels `bad` (channels on axis 1)."""
    keep = [c for c in range(case.channels) if c not in bad]
    gamma, beta = (None if v is None else v[keep] for v in (case.gamma, case.beta))
    return Case(case.x[:, keep], case.dy[:, keep], gamma, beta, case.eps, 1), keep


def check_others(bn, case, bad, *, dead=True):
    """The channels not in `bad` are right; in those that are, nothing is a number where `dead`."""
    y, saved = bn.forward(case.x, case.gamma, case.beta, eps=case.eps)
    dx, dgamma, dbeta = bn.backward(case.dy, case.x, case.gamma, saved)
    rest, keep = only(case, bad)
    ref = Reference(rest)
    kept = type(saved)(saved.mean[keep], saved.var[keep], saved.inv_std[keep], saved.count)
    check_forward(rest, y[:, keep], kept, ref=ref)
    check_gradients(rest, (dx[:, keep], None if dgamma is None else dgamma[keep], dbeta[keep]), ref=ref)
    if dead:
        assert np.isnan(y[:, bad]).all()
        assert np.isnan(dx[:, bad]).all()
        assert dgamma is None or np.isnan(dgamma[bad]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [2, 3, 7, 60, 300])
@pytest.mark.parametrize("parameters", [(None, None), ABSENT])
def test_no_variance_and_no_eps(bn, dtype, m, parameters):
    """0 / 0, whatever the constant: a mean that is off by a rounding would make numbers out of it."""
    case = make((m, 6, 1), dtype=dtype, eps=0.0, parameters=parameters)
    for c, value in {0: 0.1, 2: -1 / 3, 4: 1e4 / 3, 5: 0}.items():
        case.x[:, c] = value
    check_others(bn, case, [0, 2, 4, 5])


def test_one_example_and_no_eps(bn):
    y, saved = bn.forward(make((1, 3)).x, None, None, eps=0.0)
    assert np.isnan(y).all()
    assert np.array_equal(saved.var, np.zeros(3))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [2, 7, 300])
@pytest.mark.parametrize("eps", [1e-5, 1e-12, 1.0])
def test_constant_channels_with_eps(bn, dtype, m, eps):
    """x_hat = 0 exactly: y is beta to the last bit, and inv_std = eps ** -0.5."""
    case = make((m, 4, 1), dtype=dtype, eps=eps)
    for c, value in {0: 0.1, 2: -1 / 3, 3: 3e4 / 7}.items():
        case.x[:, c] = value
    y, saved = bn.forward(case.x, case.gamma, case.beta, eps=eps)
    for c in (0, 2, 3):
        assert (y[:, c] == case.beta[c]).all()
        assert saved.var[c] == 0
    check_forward(case, y, saved)
    check_gradients(case, bn.backward(case.dy, case.x, case.gamma, saved))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(50, 5), (5, 5, 3, 4)])
@pytest.mark.parametrize("where", [0, 2, -1, slice(None)])
def test_nan_and_inf_in_x_stay_in_their_channel(bn, dtype, value, shape, where):
    """An average with a NaN or an Inf in it is none, so the channel has no numbers left, and no other is touched."""
    case = make(shape, dtype=dtype)
    case.x[where, 2] = value
    check_others(bn, case, [2])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(("shape", "axis"), [((4096, 512), 1), ((128, 16, 32, 32), 1), ((128, 32, 32, 16), -1)])
def test_nan_and_inf_stay_in_their_channel_of_a_large_array(bn, value, shape, axis):
    """8 MiB, or a stand-in's 512 KiB: what a kernel would cut in pieces or share among threads."""
    shape = (shape[0] // bn.does.shorter, *shape[1:])
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    np.moveaxis(x, axis, 0)[2, shape[0] // 2] = value
    y, saved = bn.forward(x, None, None, channel_axis=axis)
    dx = bn.backward(x, x, None, saved, channel_axis=axis)[0]
    dead = np.arange(shape[axis]) == 2
    for result in (y, dx):
        result = np.moveaxis(result, axis, 0)
        assert np.isnan(result[dead]).all()
        assert np.isfinite(result[~dead]).all()


@pytest.mark.parametrize("name", ["gamma", "beta"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_inf_in_a_parameter_stay_in_its_channel(bn, name, value):
    case = make((9, 4, 2), dtype=np.float32)
    getattr(case, name)[1] = value
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    assert not np.isfinite(y[:, 1]).any()
    assert np.isfinite(saved.mean).all()
    others = [0, 2, 3]
    rest, keep = only(case, [1])
    check_y(rest, y[:, keep], Reference(rest))
    dx, dgamma, dbeta = bn.backward(case.dy, case.x, case.gamma, saved)
    assert np.isfinite(dx[:, others]).all()
    close("dgamma", dgamma[others], Reference(rest).complex_step()[1], 1e-3, np.float32)
    assert np.isfinite(dbeta).all()
