"""Is a result what the definition gives? The bounds follow from the dtype and the conditioning of the case.

u is the unit roundoff of the dtype the kernel computes in (float32 for float16). A sum of m terms in it errs by about
sqrt(m) u times the sum of their magnitudes (rounding errors are independent; Higham & Mary 2019), and some eight more
operations follow: that is `growth(m) u`. What it multiplies:

- y and var carry no |mean| / std: x - pivot is exact to rounding for a pivot among the data, so a large offset costs
  nothing. (Rounding the mean to float32 before the subtraction would cost 0.03 at offset 1e6.)
- A gradient starts from saved.mean, which is rounded to its dtype. That error, in standard deviations, is `shift`;
  x_hat is off by it in every example, and the products of x_hat are off accordingly.
Each result is then rounded once to its own dtype.
"""

import numpy as np

from .reference import LONG, Reference, to_rows


def statistics_dtype(x):
    return np.dtype(np.float64 if x.dtype == np.float64 else np.float32)


def unit(dtype):
    return LONG(np.finfo(dtype).eps) / 2


def growth(m):
    return 8 + 2 * np.sqrt(LONG(m))


def close(name, got, want, bound, dtype, shape=None):
    """Assert got == want within bound and one rounding; NaN and Inf must be where they are in want, and only there."""
    assert isinstance(got, np.ndarray), f"{name}: {type(got)}"
    assert got.dtype == dtype, f"{name}: dtype {got.dtype}, expected {np.dtype(dtype)}"
    want, bound = np.broadcast_arrays(np.asarray(want, LONG), np.asarray(bound, LONG))
    assert got.shape == (want.shape if shape is None else shape), f"{name}: shape {got.shape}"
    info = np.finfo(dtype)
    with np.errstate(all="ignore"):
        allowed = bound + unit(dtype) * np.abs(want) + LONG(info.smallest_subnormal)
        value = got.astype(LONG)
        right = np.abs(value - want) <= allowed
        right |= (np.isnan(value) & np.isnan(want)) | (value == want)
        overflow = np.abs(want) + allowed > LONG(info.max)
        right |= overflow & np.isinf(value) & (np.sign(value) == np.sign(want))
        worst = np.nanmax(np.where(right, 0, np.abs(value - want) / allowed), initial=0)
    assert right.all(), f"{name}: {np.sum(~right)} of {right.size} wrong, at worst {worst:.3g} times the bound"


def flat(vector):
    return np.asarray(vector)[:, 0]


class Bounds:
    """The bounds of one case, each of shape (C, 1) or (C, m)."""

    def __init__(self, ref):
        case = ref.case
        self.dtype = statistics_dtype(case.x)
        self.u, self.m = unit(self.dtype), ref.x.shape[1]
        self.ku = growth(self.m) * self.u
        std = np.sqrt(ref.var)
        rounded_mean = np.abs(ref.mean - ref.mean.astype(self.dtype))
        self.mean = rounded_mean + 2 * self.ku * std
        self.var, self.inv_std = 2 * self.ku * ref.var, 2 * self.ku * ref.inv_std
        self.y = np.abs(ref.gamma) * self.ku * (1 + np.abs(ref.x_hat)) + 2 * self.u * (np.abs(ref.beta) + np.abs(ref.y))
        shift = ref.inv_std * rounded_mean
        if ref.given[0] is not None:  # a mean handed in is rounded to the dtype the kernel computes in
            self.y = self.y + np.abs(ref.gamma) * shift
        self.gradients(ref, shift)

    def gradients(self, ref, shift):
        dy = np.abs(ref.dy)
        top = dy.max(1, keepdims=True)
        x_hat = np.abs(ref.x_hat)
        relative = self.ku * (3 + x_hat) + shift * (1 + x_hat + shift)
        self.dx_scale = np.abs(ref.gamma) * ref.inv_std * top * (1 + x_hat.max(1, keepdims=True))
        self.sum_scale = (dy * (1 + x_hat)).sum(1)
        self.dx = np.abs(ref.gamma) * ref.inv_std * top * relative
        self.dgamma = (dy * (self.ku * (3 + x_hat) + shift)).sum(1)
        self.dbeta = self.ku * dy.sum(1)


def check_saved(case, saved, ref):
    bounds = Bounds(ref)
    assert isinstance(saved, tuple)
    assert saved._fields == ("mean", "var", "inv_std", "count")
    assert type(saved.count) is int
    assert saved.count == bounds.m
    close("saved.mean", saved.mean, flat(ref.mean), flat(bounds.mean), bounds.dtype)
    close("saved.var", saved.var, flat(ref.var), flat(bounds.var), bounds.dtype)
    close("saved.inv_std", saved.inv_std, flat(ref.inv_std), flat(bounds.inv_std), bounds.dtype)


def check_y(case, y, ref, want=None):
    assert y.shape == case.x.shape
    want = ref.y if want is None else want
    close("y", to_rows(y, case.channel_axis), want, Bounds(ref).y, case.x.dtype)


def check_forward(case, y, saved, want=None, ref=None):
    ref = ref or Reference(case)
    check_y(case, y, ref, want)
    check_saved(case, saved, ref)


def check_gradients(case, got, want=None, ref=None, slack=0.0):
    """`slack` is the error of `want` itself, relative to the magnitude a gradient can have in its channel."""
    ref = ref or Reference(case)
    want, bounds = want or ref.complex_step(), Bounds(ref)
    dx, dgamma, dbeta = got
    want_dx, want_dgamma, want_dbeta = want
    assert dx.shape == case.x.shape

    def loose(bound, scale):
        return bound + slack * scale

    close("dx", to_rows(dx, case.channel_axis), want_dx, loose(bounds.dx, bounds.dx_scale), case.x.dtype)
    if case.gamma is None:
        assert dgamma is None
    else:
        close("dgamma", dgamma, want_dgamma, loose(bounds.dgamma, bounds.sum_scale), bounds.dtype)
    close("dbeta", dbeta, want_dbeta, loose(bounds.dbeta, bounds.sum_scale), bounds.dtype)
