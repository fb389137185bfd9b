"""Inference is an affine map with given statistics; `fold` is that map as scale and shift."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .cases import DTYPES, along, cases, make
from .checks import check_gradients, check_y, unit
from .reference import Reference


def given_statistics(case, seed, dtypes):
    """Running statistics near the batch's, as after training, but not equal to them."""
    rng, ref = np.random.default_rng(seed), Reference(case)
    mean = ref.mean[:, 0] + rng.standard_normal(case.channels) * np.sqrt(ref.var[:, 0])
    var = (ref.var[:, 0] + 1e-3) * rng.uniform(0.5, 2, case.channels)
    return tuple(v.astype(d) for v, d in zip((mean, var), dtypes, strict=True))


# float16 holds no variance of 1e6, so statistics are of the dtypes a kernel returns
STATISTICS = st.tuples(*2 * [st.sampled_from((np.float32, np.float64))])
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=150)
@given(case=cases(), seed=SEEDS, dtypes=STATISTICS)
def test_inference_is_the_affine_map(bn, case, seed, dtypes):
    mean, var = given_statistics(case, seed, dtypes)
    y = bn.inference(case.x, case.gamma, case.beta, mean, var, **case.options)
    check_y(case, y, Reference(case, mean, var))


@settings(max_examples=40)
@given(case=cases(most=12), seed=SEEDS, dtypes=STATISTICS)
def test_inference_agrees_with_fifty_digits(bn, case, seed, dtypes):
    mean, var = given_statistics(case, seed, dtypes)
    ref = Reference(case, mean, var)
    y, *exact = ref.in_digits()
    check_y(case, bn.inference(case.x, case.gamma, case.beta, mean, var, **case.options), ref, want=y)
    got = bn.inference_backward(case.dy, case.x, case.gamma, mean, var, **case.options)
    check_gradients(case, got, want=exact, ref=ref)


@settings(max_examples=100)
@given(case=cases(), seed=SEEDS, dtypes=STATISTICS)
def test_inference_backward_is_the_complex_step(bn, case, seed, dtypes):
    mean, var = given_statistics(case, seed, dtypes)
    got = bn.inference_backward(case.dy, case.x, case.gamma, mean, var, **case.options)
    check_gradients(case, got, ref=Reference(case, mean, var))


@settings(max_examples=50)
@given(case=cases(offsets=(0.0, -3.0)), seed=SEEDS)
def test_inference_backward_is_the_central_difference(bn, case, seed):
    mean, var = given_statistics(case, seed, (np.float64, np.float64))
    got = bn.inference_backward(case.dy, case.x, case.gamma, mean, var, **case.options)
    ref = Reference(case, mean, var)
    check_gradients(case, got, want=ref.central(), ref=ref, slack=1e-10 * ref.x.shape[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_inference_with_the_batch_s_own_statistics_is_forward(bn, dtype):
    case = make((30, 4, 3), dtype=dtype)
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    again = bn.inference(case.x, case.gamma, case.beta, saved.mean, saved.var)
    assert np.abs(again - y).max() <= 64 * unit(dtype) * np.abs(y).max()


def test_inference_keeps_examples_apart(bn):
    """Unlike in forward, an example's result does not depend on the others; nor does a NaN spread."""
    case = make((8, 3))
    statistics = np.zeros(3), np.ones(3)
    y = bn.inference(case.x, case.gamma, case.beta, *statistics)
    case.x[5, 1] = np.nan
    again = bn.inference(case.x, case.gamma, case.beta, *statistics)
    assert np.argwhere(np.isnan(again)).tolist() == [[5, 1]]
    assert np.array_equal(np.delete(again, 5, 0), np.delete(y, 5, 0))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_inference_far_from_one(bn, scale):
    case = make((20, 3), dtype=np.float32)
    x = (case.x * np.float64(scale)).astype(np.float32)
    case = type(case)(x, case.dy, case.gamma, case.beta, 1e-5, 1)
    mean, var = np.zeros(3, np.float32), np.ones(3, np.float32)
    check_y(case, bn.inference(x, case.gamma, case.beta, mean, var), Reference(case, mean, var))


def test_no_variance_and_no_eps_is_a_dead_channel(bn):
    case = make((6, 3), dtype=np.float32)
    mean, var = case.x.mean(0), np.array([1, 0, 2], np.float32)
    y = bn.inference(case.x, case.gamma, case.beta, mean, var, eps=0.0)
    dx, _, _ = bn.inference_backward(case.dy, case.x, case.gamma, mean, var, eps=0.0)
    for result in (y, dx):
        assert not np.isfinite(result[:, 1]).any()
        assert np.isfinite(result[:, [0, 2]]).all()


@pytest.mark.parametrize("parameters", [(None, None), ("absent", None), (None, "absent"), ("absent", "absent")])
@pytest.mark.parametrize(("shape", "axis"), [((20, 4), 1), ((3, 5, 4), -1), ((4, 9), 0)])
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_fold_is_inference(bn, parameters, shape, axis, eps):
    case = make(shape, axis, parameters=parameters, eps=eps)
    mean, var = given_statistics(case, 1, (np.float64, np.float64))
    scale, shift = bn.fold(case.gamma, case.beta, mean, var, eps=eps)
    assert scale.shape == shift.shape == (4,)
    y = along(scale, shape, axis) * case.x + along(shift, shape, axis)
    # scale and shift round once or twice each, before terms that partly cancel are added
    magnitude = np.abs(along(scale, shape, axis) * case.x) + np.abs(along(shift, shape, axis)) + 10
    want = bn.inference(case.x, case.gamma, case.beta, mean, var, **case.options)
    assert (np.abs(y - want) <= 16 * unit(np.float64) * magnitude).all()


@pytest.mark.parametrize(("dtype", "expected"), [(np.float16, "f4"), (np.float32, "f4"), (np.float64, "f8")])
def test_fold_has_the_dtype_of_statistics(bn, dtype, expected):
    scale, shift = bn.fold(*np.ones((4, 3), dtype), eps=0.0)
    assert scale.dtype == shift.dtype == np.dtype(expected)
    assert np.array_equal(scale, np.ones(3))
    assert np.array_equal(shift, np.zeros(3))
