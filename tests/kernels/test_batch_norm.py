"""Batch norm over what Hypothesis draws, with bounds that follow from dtype and conditioning; and a few plain facts.

The other tests of batch norm's own: test_batch_norm_edges.py, _precision.py, _range.py, _mutants.py, _reference.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .cases import DTYPES, cases, make
from .checks import check_forward, check_gradients, check_y, unit
from .reference import Reference


def gradients(bn, case):
    saved = bn.forward(case.x, case.gamma, case.beta, **case.options)[1]
    return bn.backward(case.dy, case.x, case.gamma, saved, **case.axis)


@settings(max_examples=200)
@given(case=cases())
def test_forward_is_the_definition_and_backward_the_complex_step(bn, case):
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    ref = Reference(case)
    check_forward(case, y, saved, ref=ref)
    check_gradients(case, bn.backward(case.dy, case.x, case.gamma, saved, **case.axis), ref=ref)


@settings(max_examples=40)
@given(case=cases(most=12))
def test_fifty_digits(bn, case):
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    ref = Reference(case)
    exact, *want = ref.in_digits()
    check_forward(case, y, saved, want=exact, ref=ref)
    check_gradients(case, gradients(bn, case), want=want, ref=ref)


def given_statistics(case, seed, dtypes):
    """Running statistics near the batch's, as after training, but not equal to them."""
    rng, ref = np.random.default_rng(seed), Reference(case)
    mean = ref.mean[:, 0] + rng.standard_normal(case.channels) * np.sqrt(ref.var[:, 0])
    var = (ref.var[:, 0] + 1e-3) * rng.uniform(0.5, 2, case.channels)
    return tuple(v.astype(d) for v, d in zip((mean, var), dtypes, strict=True))


# float16 holds no variance of 1e6, so statistics are of the dtypes a kernel returns
STATISTICS = st.tuples(*2 * [st.sampled_from((np.float32, np.float64))])


@settings(max_examples=100)
@given(case=cases(), seed=st.integers(0, 2**32 - 1), dtypes=STATISTICS)
def test_inference_is_the_affine_map_and_its_backward_the_complex_step(bn, case, seed, dtypes):
    mean, var = given_statistics(case, seed, dtypes)
    ref = Reference(case, mean, var)
    check_y(case, bn.inference(case.x, case.gamma, case.beta, mean, var, **case.options), ref)
    got = bn.inference_backward(case.dy, case.x, case.gamma, mean, var, **case.options)
    check_gradients(case, got, ref=ref)


def test_defaults_are_eps_1e_5_and_axis_1(bn):
    case = make((6, 3, 2), scale=1e-2)
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    check_forward(case, y, saved)
    assert np.array_equal(y, bn.forward(case.x, case.gamma, case.beta, eps=1e-5, channel_axis=1)[0])


def test_variance_is_the_biased_one(bn):
    x = np.array([[1.0], [3.0]])
    assert bn.forward(x, None, None)[1].var == pytest.approx([1.0])


def test_saved_recovers_var_from_its_own_equation(bn):
    """With eps = 1 and var = 1e-14 nothing of var is left in inv_std."""
    case = make((50, 3), scale=1e-7, eps=1.0, dtype=np.float32)
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_forward(case, y, saved)
    assert np.allclose(saved.inv_std, 1)
    assert saved.var == pytest.approx(case.x.astype(float).var(axis=0), rel=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_and_small_cotangents(bn, dtype):
    """The gradient is linear in dy: far-off scales of it lose nothing."""
    for scale in (1e-3, 1e3) if dtype == np.float16 else (1e-25, 1e25):
        case = make((30, 4, 2), dtype=dtype, seed=3)
        case.dy[...] = (case.dy.astype(np.float64) * scale).astype(dtype)
        check_gradients(case, gradients(bn, case))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dx_sums_to_zero(bn, dtype):
    """y does not change when a constant is added to a channel, so dx has no mean; dy has one."""
    case = make((200, 5), dtype=dtype)
    dx = gradients(bn, case)[0].astype(np.float64)
    allowed = 200 * unit(dtype) * np.abs(dx).max(axis=0) * 10
    assert (np.abs(dx.sum(axis=0)) <= allowed).all()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_inference_far_from_one(bn, scale):
    case = make((20, 3), dtype=np.float32)
    x = (case.x * np.float64(scale)).astype(np.float32)
    case = type(case)(x, case.dy, case.gamma, case.beta, 1e-5, 1)
    mean, var = np.zeros(3, np.float32), np.ones(3, np.float32)
    check_y(case, bn.inference(x, case.gamma, case.beta, mean, var), Reference(case, mean, var))


def test_no_variance_and_no_eps_is_a_dead_channel_of_inference(bn):
    case = make((6, 3), dtype=np.float32)
    mean, var = case.x.mean(0), np.array([1, 0, 2], np.float32)
    y = bn.inference(case.x, case.gamma, case.beta, mean, var, eps=0.0)
    dx, _, _ = bn.inference_backward(case.dy, case.x, case.gamma, mean, var, eps=0.0)
    for result in (y, dx):
        assert not np.isfinite(result[:, 1]).any()
        assert np.isfinite(result[:, [0, 2]]).all()


@pytest.mark.parametrize(("dtype", "expected"), [(np.float16, "f4"), (np.float32, "f4"), (np.float64, "f8")])
def test_fold_has_the_dtype_of_statistics(bn, dtype, expected):
    scale, shift = bn.fold(*np.ones((4, 3), dtype), eps=0.0)
    assert scale.dtype == shift.dtype == np.dtype(expected)
    assert np.array_equal(scale, np.ones(3))
    assert np.array_equal(shift, np.zeros(3))
