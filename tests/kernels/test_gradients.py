"""Backward against derivatives by numbers: complex step, central differences and sixty-digit arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings

from .cases import DTYPES, cases, make
from .checks import check_gradients, statistics_dtype, unit
from .reference import Reference


def gradients(bn, case):
    saved = bn.forward(case.x, case.gamma, case.beta, **case.options)[1]
    return bn.backward(case.dy, case.x, case.gamma, saved, **case.axis)


@settings(max_examples=200)
@given(case=cases())
def test_backward_is_the_complex_step(bn, case):
    check_gradients(case, gradients(bn, case))


@settings(max_examples=60)
@given(case=cases(offsets=(0.0, -3.0)))
def test_backward_is_the_central_difference(bn, case):
    ref = Reference(case)
    check_gradients(case, gradients(bn, case), want=ref.central(), ref=ref, slack=1e-10 * ref.x.shape[1])


@settings(max_examples=40)
@given(case=cases(most=12))
def test_backward_agrees_with_fifty_digits(bn, case):
    ref = Reference(case)
    check_gradients(case, gradients(bn, case), want=ref.in_digits()[1:], ref=ref)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_and_small_cotangents(bn, dtype):
    """The gradient is linear in dy: far-off scales of it lose nothing."""
    for scale in (1e-3, 1e3) if dtype == np.float16 else (1e-25, 1e25):
        case = make((30, 4, 2), dtype=dtype, seed=3)
        case.dy[...] = (case.dy.astype(np.float64) * scale).astype(dtype)
        check_gradients(case, gradients(bn, case))


@pytest.mark.parametrize("dtype", DTYPES)
def test_gamma_zero(bn, dtype):
    """dx vanishes exactly, dgamma does not."""
    case = make((12, 3, 2), dtype=dtype)
    case.gamma[1] = 0
    dx, dgamma, dbeta = gradients(bn, case)
    assert (dx[:, 1] == 0).all()
    assert dgamma[1] != 0
    check_gradients(case, (dx, dgamma, dbeta))
    y, _ = bn.forward(case.x, case.gamma, case.beta)
    assert (y[:, 1] == case.beta[1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dbeta_is_there_when_gamma_is_not(bn, dtype):
    case = make((9, 4), dtype=dtype, parameters=("absent", "absent"))
    dx, dgamma, dbeta = gradients(bn, case)
    assert dgamma is None
    assert dbeta.dtype == statistics_dtype(case.x)
    check_gradients(case, (dx, dgamma, dbeta))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dx_sums_to_zero(bn, dtype):
    """y does not change when a constant is added to a channel, so dx has no mean; dy has one."""
    case = make((200, 5), dtype=dtype)
    dx = gradients(bn, case)[0].astype(np.float64)
    allowed = 200 * unit(dtype) * np.abs(dx).max(axis=0) * 10
    assert (np.abs(dx.sum(axis=0)) <= allowed).all()


def test_one_call_of_backward_for_dy_and_x_the_same_array(bn):
    case = make((20, 3))
    same = type(case)(case.x, case.x, case.gamma, case.beta, case.eps, case.channel_axis)
    check_gradients(same, gradients(bn, same))
