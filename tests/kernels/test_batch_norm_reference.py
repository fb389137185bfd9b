"""The reference against itself: three ways to a derivative, none of them a formula, must agree."""

import numpy as np
import pytest
from hypothesis import given, settings

from .cases import cases, make
from .checks import Bounds
from .reference import Reference

SMALL = cases(dtypes=(np.float64,), most=10, layouts=("C",), offsets=(0.0, 100.0))


def assert_within(got, want, scales, tolerance):
    for g, w, scale in zip(got, want, scales, strict=True):
        assert (np.abs(g - w) <= tolerance * scale).all()


@settings(max_examples=15)
@given(case=SMALL)
def test_complex_step_is_right_to_eighteen_digits(case):
    ref = Reference(case)
    bounds = Bounds(ref)
    y, *exact = ref.in_digits()
    scales = (bounds.dx_scale, bounds.sum_scale, bounds.sum_scale)
    tolerance = 200 * float(np.finfo(np.longdouble).eps)
    assert_within(ref.complex_step(), exact, scales, tolerance)
    assert_within([ref.y], [y], [np.abs(ref.gamma) * (1 + np.abs(ref.x_hat)) + np.abs(ref.beta)], tolerance)


@settings(max_examples=15)
@given(case=SMALL)
def test_central_difference_is_right_to_its_step(case):
    ref = Reference(case)
    bounds = Bounds(ref)
    m = ref.x.shape[1]
    # step 1e-5: truncation about 1e-10 times the third derivative, rounding 1e-16 / 1e-5 times the m terms of the loss
    assert_within(ref.central(), ref.complex_step(), (bounds.dx_scale, bounds.sum_scale, bounds.sum_scale), 1e-10 * m)


def test_gradient_of_a_case_solved_on_paper():
    """Two values at distance 2 and eps = 0: x_hat is -1 and 1 wherever they lie, so no derivative is left."""
    case = make((2, 1), eps=0.0, parameters=("absent", "absent"))
    case.x[:, 0] = 3, 5
    dx, dgamma, dbeta = Reference(case).complex_step()
    assert dx == pytest.approx(0, abs=1e-15)
    assert float(dgamma[0]) == pytest.approx(case.dy[1, 0] - case.dy[0, 0])
    assert float(dbeta[0]) == pytest.approx(case.dy.sum())
