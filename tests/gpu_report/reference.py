"""What is right, in float64, from each paper's forward pass and its gradient; and how far a result is from it.

Arrays may be PyTorch's, CuPy's or NumPy's: only what they have in common is used.
"""

import math

from .cases import EPS

TOLERANCE = {"float16": 2e-3, "bfloat16": 1.5e-2, "float32": 2e-5}


class WrongResult(Exception):
    """A result that is too far from the reference to be worth a time."""


def reference(case, x, dy, gamma, beta):
    """y, dx, dgamma and dbeta (None where there is none), of float64 arrays."""
    shape, axes, param = case.view()
    x_, dy_, gamma_ = x.reshape(shape), dy.reshape(shape), gamma.reshape(param)
    centred = x_ - x_.mean(axes, keepdims=True) if case.norm != "rms_norm" else x_
    inv_std = ((centred * centred).mean(axes, keepdims=True) + EPS) ** -0.5
    x_hat = centred * inv_std
    y = x_hat * gamma_ if beta is None else x_hat * gamma_ + beta.reshape(param)
    dx_hat = dy_ * gamma_
    dx = dx_hat - x_hat * (dx_hat * x_hat).mean(axes, keepdims=True)
    if case.norm != "rms_norm":
        dx = dx - dx_hat.mean(axes, keepdims=True)
    summed = tuple(a for a, size in enumerate(param) if size == 1)
    dgamma = (dy_ * x_hat).sum(summed).reshape(-1)
    dbeta = None if beta is None else dy_.sum(summed).reshape(-1)
    return {"y": y.reshape(x.shape), "dx": (dx * inv_std).reshape(x.shape), "dgamma": dgamma, "dbeta": dbeta}


def relative(got, want):
    """The norm of the difference over the norm of what is right; NaN if there is a NaN. Beside 0 all else is far."""
    difference = got - want
    error, norm = (math.sqrt(float((v * v).sum())) for v in (difference, want))
    return error / norm if norm else error * math.inf if error else 0.0


def checked(case, got, want):
    """The relative error of each result, or WrongResult; an element that was not written is NaN, and so wrong."""
    errors = {name: relative(got[name], want[name]) for name in want if want[name] is not None}
    wrong = {name: e for name, e in errors.items() if not e < TOLERANCE[case.dtype]}
    if wrong:
        raise WrongResult("wrong: " + ", ".join(f"{name} by {e:.1e}" for name, e in wrong.items()))
    return errors
