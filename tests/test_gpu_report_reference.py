"""What the report holds a GPU's results against: right by central differences, and strict."""

import numpy as np
import pytest

from tests.gpu_report import reference
from tests.gpu_report.cases import tiny


@pytest.mark.parametrize(("got", "want", "error"), [(0, 0, 0), (1, 0, np.inf), (3, 4, 0.25), (np.nan, 1, np.nan)])
def test_relative_error(got, want, error):
    found = reference.relative(np.full(5, float(got)), np.full(5, float(want)))
    assert found == pytest.approx(error, nan_ok=True)


@pytest.mark.parametrize("case", tiny(), ids=lambda case: case.name)
def test_the_reference_is_a_gradient(case):
    """By central differences, of the sum of dy * y; and a wrong result is told."""
    rng = np.random.default_rng(0)
    x, dy, tx = (rng.standard_normal(case.stored) for _ in range(3))
    gamma, beta = rng.standard_normal((2, case.channels))
    beta = beta if case.has_beta else None
    got = reference.reference(case, x, dy, gamma, beta)

    def loss(t):
        return float((dy * reference.reference(case, x + t * tx, dy, gamma, beta)["y"]).sum())

    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    assert slope == pytest.approx(float((got["dx"] * tx).sum()), rel=1e-6)
    shape, _, param = case.view()
    x_hat = reference.reference(case, x, dy, np.ones_like(gamma), None)["y"].reshape(shape)
    summed = tuple(a for a, size in enumerate(param) if size == 1)
    np.testing.assert_allclose((dy.reshape(shape) * x_hat).sum(summed).ravel(), got["dgamma"])
    with pytest.raises(reference.WrongResult, match="wrong: dx by nan"):
        reference.checked(case, got | {"dx": got["dx"] * np.nan}, got)
    with pytest.raises(reference.WrongResult, match="wrong: y by"):
        reference.checked(case, got | {"y": got["y"] * 1.1}, got)
