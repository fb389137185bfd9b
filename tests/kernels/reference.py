"""Batch normalization as the paper writes it, slow and plain, and its derivatives by numbers alone.

No gradient is typed in here: each is taken from the forward definition by a central difference (in float64, or in
60-digit arithmetic, where a step of 1e-20 leaves some 30 right digits) or by a complex step (exact to rounding).
Arrays are (C, m): one row a channel. Channels do not mix, so one perturbation serves all of them at once.
"""

from functools import cached_property

import mpmath
import numpy as np

LONG, COMPLEX = np.longdouble, np.clongdouble
DIGITS = 60
_sqrt_digits = np.frompyfunc(mpmath.sqrt, 1, 1)


def root(value):
    return _sqrt_digits(value) if value.dtype == object else np.sqrt(value)


def statistics(x):
    m = x.shape[-1]
    mean = x.sum(-1, keepdims=True) / m
    var = ((x - mean) ** 2).sum(-1, keepdims=True) / m
    return mean, var


def batch_norm(x, gamma, beta, eps):
    """Algorithm 1."""
    mean, var = statistics(x)
    return affine(x, gamma, beta, mean, var, eps)


def affine(x, gamma, beta, mean, var, eps):
    """Algorithm 2's last line; with the batch's own statistics also Algorithm 1's."""
    x_hat = (x - mean) / root(var + eps)
    return gamma * x_hat + beta


def complex_step(loss):
    h = LONG("1e-150")
    return loss(COMPLEX(1j) * h).imag / h


def central(h):
    return lambda loss: (loss(h) - loss(-h)) / (2 * h)


def gradients(f, dy, x, gamma, beta, derivative, length, positions=slice(None)):
    """Derivatives of sum(dy * f(x, gamma, beta)) in x (C, m), gamma (C,) and beta (C,).

    `length` (C, 1) is a step's unit for x: where f bends is a matter of standard deviations. `positions` picks the
    examples whose derivative is wanted.
    """

    def loss(x, gamma, beta):
        return (dy * f(x, gamma, beta)).sum(-1)

    m = np.arange(x.shape[-1])
    each = (m[positions, None] == m).astype(int)[:, None, :] * length  # moves one position, in every channel at once
    dx = derivative(lambda t: loss(x + t * each, gamma, beta)).T / length
    return dx, derivative(lambda t: loss(x, gamma + t, beta)), derivative(lambda t: loss(x, gamma, beta + t))


def to_rows(a, channel_axis):
    a = np.moveaxis(np.asarray(a), channel_axis, 0)
    return a.reshape(a.shape[0], -1)


def to_digits(a):
    """The same numbers as mpmath's, exactly."""
    return np.frompyfunc(lambda v: mpmath.mpf(float(v)), 1, 1)(np.asarray(a))


class Reference:
    """What the definition gives for one case, in long double; `mean` and `var` given make it the inference form."""

    def __init__(self, case, mean=None, var=None):
        self.case, self.given = case, (mean, var)
        channels = case.x.shape[case.channel_axis]
        self.pivot = self.data[:, :1]
        self.gamma = self.column(case.gamma, channels, 1)
        self.beta = self.column(case.beta, channels, 0)

    @staticmethod
    def column(values, channels, absent):
        return (np.full(channels, absent) if values is None else np.asarray(values)).astype(LONG)[:, None]

    @cached_property
    def data(self):
        return to_rows(self.case.x, self.case.channel_axis).astype(LONG)

    @cached_property
    def x(self):
        """x less its first value, which loses nothing in long double; a mean of 1e7 standard deviations would."""
        return self.data - self.pivot

    @cached_property
    def dy(self):
        return to_rows(self.case.dy, self.case.channel_axis).astype(LONG)

    @cached_property
    def statistics(self):
        if self.given[0] is None:
            return statistics(self.x)
        mean, var = (np.asarray(v).astype(LONG)[:, None] for v in self.given)
        return mean - self.pivot, var

    @cached_property
    def mean(self):
        return self.statistics[0] + self.pivot

    @cached_property
    def var(self):
        return self.statistics[1]

    @cached_property
    def inv_std(self):
        return 1 / root(self.var + LONG(self.case.eps))

    @cached_property
    def x_hat(self):
        return (self.x - self.statistics[0]) * self.inv_std

    @cached_property
    def y(self):
        return self.function(self.x, self.gamma, self.beta)

    def function(self, x, gamma, beta):
        """In the precision of its arguments, which are NumPy's."""
        eps = x.real.dtype.type(self.case.eps)
        if self.given[0] is None:
            return batch_norm(x, gamma, beta, eps)
        return affine(x, gamma, beta, *(v.astype(x.real.dtype) for v in self.statistics), eps)

    def complex_step(self, function=None, positions=slice(None)):
        arrays = (self.dy, self.x, self.gamma, self.beta)
        return gradients(function or self.function, *arrays, complex_step, 1 / self.inv_std, positions)

    def central(self):
        """In float64."""
        *arrays, length = (v.astype(np.float64) for v in (self.dy, self.x, self.gamma, self.beta, 1 / self.inv_std))
        return gradients(self.function, *arrays, central(1e-5), length)

    def in_digits(self):
        """y and the three gradients with some 30 right digits, from x itself, without the pivot."""
        with mpmath.workdps(DIGITS):
            eps = mpmath.mpf(float(self.case.eps))
            x, dy = (to_digits(to_rows(a, self.case.channel_axis)) for a in (self.case.x, self.case.dy))
            gamma, beta = to_digits(self.gamma), to_digits(self.beta)
            given = None if self.given[0] is None else [to_digits(v)[:, None] for v in self.given]

            def function(x, gamma, beta):
                return batch_norm(x, gamma, beta, eps) if given is None else affine(x, gamma, beta, *given, eps)

            length = root((statistics(x) if given is None else given)[1] + eps)
            derivative = central(mpmath.mpf("1e-20"))
            found = (function(x, gamma, beta), *gradients(function, dy, x, gamma, beta, derivative, length))
            return [np.array([LONG(mpmath.nstr(v, 25)) for v in a.flat], LONG).reshape(a.shape) for a in found]
