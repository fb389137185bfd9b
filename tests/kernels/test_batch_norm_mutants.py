"""The checks are checked: each comparison of this suite must reject results that are wrong by a little.

Where a term of a gradient is to be missing, it is left out by numbers too: the forward pass is differentiated with the
mean or the variance held fixed.
"""

import numpy as np
import pytest

from .cases import make
from .checks import check_forward, check_gradients, check_y
from .reference import LONG, Reference, affine, batch_norm, statistics

CASES = [
    make((12, 3, 2), dtype=np.float64, eps=1e-3),
    make((12, 3, 2), dtype=np.float32, eps=1e-3, offset=2.0),
    make((5, 7, 4), -1, dtype=np.float32, eps=1e-3),
]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=["float64", "float32", "channels_last"])


def over(case, vector):
    return vector.reshape([-1 if a == case.channel_axis % case.x.ndim else 1 for a in range(case.x.ndim)])


def rows_like(case, rows):
    """Rows (C, m) back in the shape and dtype of x."""
    first = np.moveaxis(np.empty(case.x.shape), case.channel_axis, 0).shape
    return np.moveaxis(rows.reshape(first), 0, case.channel_axis).astype(case.x.dtype)


FORWARD = {
    "sign": lambda c, y, s: (-y, s),
    "0.05 % off": lambda c, y, s: (y * y.dtype.type(1.0005), s),
    "one value off": lambda c, y, s: (np.where(np.arange(y.size).reshape(y.shape) == 5, y + y.dtype.type(1e-3), y), s),
    "without gamma": lambda c, y, s: (((y - over(c, c.beta)) / over(c, c.gamma) + over(c, c.beta)).astype(y.dtype), s),
    "without beta": lambda c, y, s: ((y - over(c, c.beta)).astype(y.dtype), s),
    "channels exchanged": lambda c, y, s: (np.roll(y, 1, c.channel_axis), s),
    "examples exchanged": lambda c, y, s: (np.roll(y, 1, 0), s),
    "one NaN": lambda c, y, s: (np.where(np.arange(y.size).reshape(y.shape) == 7, y.dtype.type(np.nan), y), s),
    "one Inf": lambda c, y, s: (np.where(np.arange(y.size).reshape(y.shape) == 7, y.dtype.type(np.inf), y), s),
    "dtype": lambda c, y, s: (y.astype("f8" if y.dtype == "f4" else "f4"), s),
    "shape": lambda c, y, s: (y[None], s),
    "unbiased variance": lambda c, y, s: (y, s._replace(var=s.var * s.var.dtype.type(s.count / (s.count - 1)))),
    "variance with eps": lambda c, y, s: (y, s._replace(var=s.var + s.var.dtype.type(c.eps))),
    "inv_std without eps": lambda c, y, s: (y, s._replace(inv_std=1 / np.sqrt(s.var))),
    "std": lambda c, y, s: (y, s._replace(inv_std=1 / s.inv_std)),
    "mean off": lambda c, y, s: (y, s._replace(mean=s.mean + s.mean.dtype.type(1e-4))),
    "count off": lambda c, y, s: (y, s._replace(count=s.count - 1)),
    "count no int": lambda c, y, s: (y, s._replace(count=np.int64(s.count))),
    "statistics' dtype": lambda c, y, s: (y, s._replace(mean=s.mean.astype("f2"))),
    "statistics' shape": lambda c, y, s: (y, s._replace(mean=s.mean[:, None])),
    "no named tuple": lambda c, y, s: (y, {"mean": s.mean, "var": s.var}),
}


@EVERY_CASE
@pytest.mark.parametrize("mutant", FORWARD)
def test_wrong_forward_is_rejected(bn, case, mutant):
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    check_forward(case, y, saved)
    with pytest.raises(AssertionError):
        check_forward(case, *FORWARD[mutant](case, y, saved))


def outside_of_the_root(x, gamma, beta, eps):
    mean, var = statistics(x)
    return gamma * (x - mean) / (np.sqrt(var) + eps) + beta


def unbiased(x, gamma, beta, eps):
    mean, var = statistics(x)
    m = x.shape[-1]
    return affine(x, gamma, beta, mean, var * m / (m - 1), eps)


def without_eps(x, gamma, beta, eps):
    return batch_norm(x, gamma, beta, eps * 0)


@EVERY_CASE
@pytest.mark.parametrize("wrong", [outside_of_the_root, unbiased, without_eps])
def test_another_definition_is_rejected(bn, case, wrong):
    """Forward and gradients of a plausible misreading of the paper."""
    ref, eps = Reference(case), LONG(case.eps)
    with pytest.raises(AssertionError):
        check_y(case, rows_like(case, wrong(ref.x, ref.gamma, ref.beta, eps)), ref)
    got = numeric_gradients(case, ref, lambda x, gamma, beta: wrong(x, gamma, beta, eps))
    with pytest.raises(AssertionError):
        check_gradients(case, got)


def numeric_gradients(case, ref, function):
    dx, dgamma, dbeta = ref.complex_step(function)
    return rows_like(case, dx), *(v.astype("f8" if case.x.dtype == "f8" else "f4") for v in (dgamma, dbeta))


@EVERY_CASE
@pytest.mark.parametrize("held", ["mean", "var", "both", "mean within var"])
def test_a_missing_term_is_rejected(case, held):
    """All but the mean within the variance: that term is zero, so a gradient without it is right."""
    ref, eps = Reference(case), LONG(case.eps)

    def function(x, gamma, beta):
        (mean, var), (fixed_mean, fixed_var) = statistics(x), statistics(x.real)
        if held == "mean within var":
            var = ((x - fixed_mean) ** 2).sum(-1, keepdims=True) / x.shape[-1]
        mean = fixed_mean if held in ("mean", "both") else mean
        var = fixed_var if held in ("var", "both") else var
        return affine(x, gamma, beta, mean, var, eps)

    got = numeric_gradients(case, ref, function)
    if held == "mean within var":
        check_gradients(case, got)
        return
    with pytest.raises(AssertionError, match="dx"):
        check_gradients(case, got)


BACKWARD = {
    "sign of dx": lambda c, m, dx, dg, db: (-dx, dg, db),
    "sign of dgamma": lambda c, m, dx, dg, db: (dx, -dg, db),
    "sign of dbeta": lambda c, m, dx, dg, db: (dx, dg, -db),
    "0.05 % off": lambda c, m, dx, dg, db: (dx * dx.dtype.type(1.0005), dg, db),
    "dgamma 0.05 % off": lambda c, m, dx, dg, db: (dx, dg * dg.dtype.type(1.0005), db),
    "dbeta 0.05 % off": lambda c, m, dx, dg, db: (dx, dg, db * db.dtype.type(1.0005)),
    "(m - 1) / m": lambda c, m, dx, dg, db: (dx * dx.dtype.type((m - 1) / m), dg, db),
    "without gamma": lambda c, m, dx, dg, db: ((dx / over(c, c.gamma)).astype(dx.dtype), dg, db),
    "averages for sums": lambda c, m, dx, dg, db: (dx, dg / dg.dtype.type(m), db / db.dtype.type(m)),
    "dgamma and dbeta exchanged": lambda c, m, dx, dg, db: (dx, db, dg),
    "channels exchanged": lambda c, m, dx, dg, db: (dx, np.roll(dg, 1), db),
    "not centred": lambda c, m, dx, dg, db: (dx + dx.dtype.type(1e-3), dg, db),
    "one NaN": lambda c, m, dx, dg, db: (np.where(dx == dx.max(), dx.dtype.type(np.nan), dx), dg, db),
    "no dgamma": lambda c, m, dx, dg, db: (dx, None, db),
    "no dbeta": lambda c, m, dx, dg, db: (dx, dg, None),
    "dtype": lambda c, m, dx, dg, db: (dx.astype("f2"), dg, db),
    "dtype of dgamma": lambda c, m, dx, dg, db: (dx, dg.astype("f2"), db),
    "shape of dbeta": lambda c, m, dx, dg, db: (dx, dg, db[None]),
}


@EVERY_CASE
@pytest.mark.parametrize("mutant", BACKWARD)
def test_wrong_backward_is_rejected(bn, case, mutant):
    saved = bn.forward(case.x, case.gamma, case.beta, **case.options)[1]
    got = bn.backward(case.dy, case.x, case.gamma, saved, **case.axis)
    check_gradients(case, got)
    with pytest.raises(AssertionError):
        check_gradients(case, BACKWARD[mutant](case, saved.count, *got))


def test_a_gradient_for_a_parameter_that_is_not_there_is_rejected(bn):
    case = make((8, 3), parameters=("absent", "absent"))
    saved = bn.forward(case.x, None, None)[1]
    dx, dgamma, dbeta = bn.backward(case.dy, case.x, None, saved)
    check_gradients(case, (dx, dgamma, dbeta))
    with pytest.raises(AssertionError):
        check_gradients(case, (dx, dbeta, dbeta))


def careless_y(x, how):
    """Forward with gamma = 1 and beta = 0 in float32, as it loses digits when the mean is far from 0."""
    mean = x.mean(0, dtype=np.float64)
    if how == "raw moments":
        var = np.maximum((x * x).mean(0) - x.mean(0) ** 2, 0)
    else:
        var = x.var(0, dtype=np.float64).astype(np.float32)
    scale = 1 / np.sqrt(var + np.float32(1e-5))
    if how == "mean rounded early":
        return (x - mean.astype(np.float32)) * scale
    if how == "scale and shift":
        return x * scale - (mean * scale).astype(np.float32)
    return ((x - mean) * scale).astype(np.float32)


@pytest.mark.parametrize("offset", [1e3, 1e4, 1e6])
def test_careless_arithmetic_is_rejected(offset):
    case = make((64, 8), dtype=np.float32, offset=offset, parameters=("absent", "absent"))
    check_y(case, careless_y(case.x, "careful"), Reference(case))
    for how in ("raw moments", "mean rounded early", "scale and shift"):
        with pytest.raises(AssertionError, match="y:"):
            check_y(case, careless_y(case.x, how), Reference(case))
