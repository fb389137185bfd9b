"""Algorithm 2's averages: `population` over mini-batches, `update_running` while training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .cases import make
from .checks import close, unit

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from((np.float32, np.float64))


def drawn(seed, shape, dtype):
    rng = np.random.default_rng(seed)
    return (5 + rng.standard_normal(shape)).astype(dtype), rng.uniform(0.1, 4, shape).astype(dtype)


@given(seed=SEEDS, batches=st.integers(1, 50), channels=st.integers(0, 5), count=st.integers(2, 1000), dtype=DTYPES)
def test_population_is_the_average_over_batches(bn, seed, batches, channels, count, dtype):
    """E[x] = E_B[mu_B] and Var[x] = m / (m - 1) E_B[sigma2_B], the batches being of size m = count."""
    means, variances = drawn(seed, (batches, channels), dtype)
    mean, var = bn.population(means, variances, count)
    exact_means, exact_variances = (v.astype(np.longdouble) for v in (means, variances))
    tolerance = (4 + batches**0.5) * unit(dtype)
    close("mean", mean, exact_means.mean(0), tolerance * np.abs(exact_means).mean(0), dtype)
    want = np.longdouble(count) / (count - 1) * exact_variances.mean(0)
    close("var", var, want, tolerance * want, dtype)


def test_population_estimates_the_variance_without_bias(bn):
    """With batches of two the biased average is half of the variance: the factor is of weight here."""
    x = np.random.default_rng(0).standard_normal((4000, 2, 1))
    saved = [bn.forward(batch, None, None)[1] for batch in x]
    mean, var = bn.population(np.array([s.mean for s in saved]), np.array([s.var for s in saved]), 2)
    assert mean == pytest.approx([x.mean()], abs=1e-12)
    assert var == pytest.approx([1], abs=0.1)


@pytest.mark.parametrize("count", [1, 0, -3])
def test_population_needs_two_examples(bn, count):
    with pytest.raises(ValueError, match=rf"count.*{count}"):
        bn.population(np.ones((3, 2)), np.ones((3, 2)), count)


@given(seed=SEEDS, momentum=st.floats(0, 1), dtype=DTYPES, m=st.integers(2, 40))
def test_update_running_weighs_the_new_value(bn, seed, momentum, dtype, m):
    x = make((m, 3), dtype=dtype, seed=seed).x
    saved = bn.forward(x, None, None)[1]
    old_mean, old_var = drawn(seed, 3, dtype)
    before = old_mean.copy(), old_var.copy()
    mean, var = bn.update_running(old_mean, old_var, saved, momentum=momentum)
    assert np.array_equal(old_mean, before[0])
    assert np.array_equal(old_var, before[1])
    w, factor = np.longdouble(momentum), np.longdouble(m) / (m - 1)
    for name, got, old, new in (("mean", mean, old_mean, saved.mean), ("var", var, old_var, factor * saved.var)):
        old, new = old.astype(np.longdouble), new.astype(np.longdouble)
        close(name, got, old + w * (new - old), 6 * unit(dtype) * (np.abs(old) + np.abs(new)), dtype)


def test_momentum_is_a_tenth_unless_given(bn):
    x = make((10, 2)).x
    saved = bn.forward(x, None, None)[1]
    mean, var = bn.update_running(np.zeros(2), np.ones(2), saved)
    assert mean == pytest.approx(0.1 * x.mean(0), rel=1e-14)
    assert var == pytest.approx(0.9 + 0.1 * x.var(0, ddof=1), rel=1e-14)


@pytest.mark.parametrize("momentum", [0, 0.0, 1, 1.0])
def test_momentum_zero_is_the_old_and_one_the_new(bn, momentum):
    x = make((7, 3), offset=2.0).x
    saved = bn.forward(x, None, None)[1]
    old = np.array([3.0, -1.0, 0.1]), np.array([0.1, 2.0, 30.0])
    mean, var = bn.update_running(*old, saved, momentum=momentum)
    want = (saved.mean, x.var(0, ddof=1)) if momentum else old
    assert mean == pytest.approx(want[0], rel=1e-13, abs=1e-14)
    assert var == pytest.approx(want[1], rel=1e-13, abs=1e-14)


def test_update_running_needs_two_examples(bn):
    saved = bn.forward(make((1, 3)).x, None, None)[1]
    with pytest.raises(ValueError, match=r"saved|count") as error:
        bn.update_running(np.zeros(3), np.ones(3), saved)
    assert "1" in str(error.value)


def test_running_averages_reach_what_training_saw(bn):
    """Sixty averages with momentum 1/2 forget where they started."""
    x = make((50, 3), offset=4.0).x
    saved = bn.forward(x, None, None)[1]
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(60):
        mean, var = bn.update_running(mean, var, saved, momentum=0.5)
    assert mean == pytest.approx(x.mean(0), rel=1e-12)
    assert var == pytest.approx(x.var(0, ddof=1), rel=1e-12)
