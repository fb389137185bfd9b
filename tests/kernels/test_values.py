"""Forward: values, statistics, dtypes and shapes, over what Hypothesis draws."""

import numpy as np
import pytest
from hypothesis import given, settings

from .cases import LAYOUTS, cases, lay, make
from .checks import check_forward, check_gradients
from .reference import Reference


@settings(max_examples=250)
@given(case=cases())
def test_forward_is_the_definition(bn, case):
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_forward(case, y, saved)


@settings(max_examples=40)
@given(case=cases(most=12))
def test_forward_agrees_with_fifty_digits(bn, case):
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_forward(case, y, saved, want=Reference(case).in_digits()[0])


def test_defaults_are_eps_1e_5_and_axis_1(bn):
    case = make((6, 3, 2), scale=1e-2)
    y, saved = bn.forward(case.x, case.gamma, case.beta)
    check_forward(case, y, saved)
    assert np.array_equal(y, bn.forward(case.x, case.gamma, case.beta, eps=1e-5, channel_axis=1)[0])
    given_axis, default_axis = (bn.backward(case.dy, case.x, case.gamma, saved, **o) for o in ({"channel_axis": 1}, {}))
    assert all(np.array_equal(a, b) for a, b in zip(given_axis, default_axis, strict=True))


def test_variance_is_the_biased_one(bn):
    x = np.array([[1.0], [3.0]])
    assert bn.forward(x, None, None)[1].var == pytest.approx([1.0])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(40, 7), (5, 7, 6), (4, 7, 3, 5), (2, 3, 4, 3, 2)])
@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_every_layout(bn, layout, shape, channel_axis):
    """Not left to chance: each arrangement of memory with each place of the channel axis, forward and backward."""
    base = make(shape, channel_axis, dtype=np.float32, offset=3.0)
    case = type(base)(lay(base.x, layout, channel_axis), lay(base.dy, layout, channel_axis), *_rest(base))
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_forward(case, y, saved)
    check_gradients(case, bn.backward(case.dy, case.x, case.gamma, saved, **case.axis))


def _rest(case):
    return case.gamma, case.beta, case.eps, case.channel_axis


def test_saved_is_a_named_tuple_of_the_module(bn):
    x = make((4, 3)).x
    saved = bn.forward(x, None, None)[1]
    assert type(saved).__name__ == "Saved"
    assert type(saved) is bn.module.Saved
    assert saved == bn.module.Saved(saved.mean, saved.var, saved.inv_std, saved.count)


def test_saved_recovers_var_from_its_own_equation(bn):
    """With eps = 1 and var = 1e-14 nothing of var is left in inv_std."""
    case = make((50, 3), scale=1e-7, eps=1.0, dtype=np.float32)
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_forward(case, y, saved)
    assert np.allclose(saved.inv_std, 1)
    assert saved.var == pytest.approx(case.x.astype(float).var(axis=0), rel=1e-5)


@pytest.mark.parametrize("axis", [np.int64(-1), np.int32(1)])
def test_a_numpy_integer_is_an_axis(bn, axis):
    case = make((5, 4))
    assert np.array_equal(bn.forward(case.x, None, None, channel_axis=axis)[0], bn.forward(case.x, None, None)[0])


@pytest.mark.parametrize("eps", [1, np.float32(0.5), np.float64(1e-3)])
def test_eps_may_be_any_real_number(bn, eps):
    case = make((5, 4), eps=float(eps))
    y, saved = bn.forward(case.x, case.gamma, case.beta, eps=eps)
    check_forward(case, y, saved)
