"""The peer that tutorials write: NumPy, line by line, with nothing reused.

It is a peer and no part of bnsym: its gradients are typed by hand, as courses have people type them. Nothing of bnsym
is made from them, and they are checked against the reference like every other peer's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bnsym.bench.arrays import Array, Given, Missing
from bnsym.bench.modules import eps_of, load
from bnsym.bench.subject import Call, Subject

__all__ = ["Naive"]

Cache = tuple[Any, ...]


def batch_norm_forward(x: Array, gamma: Array, beta: Array, eps: float) -> tuple[Array, Cache]:
    """Of x with its channels on axis 1."""
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *(1,) * (x.ndim - 2))
    mean = x.mean(axis=axes, keepdims=True)
    var = x.var(axis=axes, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    y = gamma.reshape(shape) * x_hat + beta.reshape(shape)
    return y, (x_hat, inv_std, gamma.reshape(shape), axes)


def batch_norm_backward(dy: Array, cache: Cache) -> tuple[Array, ...]:
    """The gradient as it is simplified on paper."""
    x_hat, inv_std, gamma, axes = cache
    m = x_hat.size // gamma.size
    dbeta = dy.sum(axis=axes, keepdims=True)
    dgamma = (dy * x_hat).sum(axis=axes, keepdims=True)
    dx = gamma * inv_std / m * (m * dy - dbeta - x_hat * dgamma)
    return dx, dgamma.ravel(), dbeta.ravel()


def layer_norm_forward(x: Array, gamma: Array, beta: Array, eps: float) -> tuple[Array, Cache]:
    """Over the last axis."""
    mean = x.mean(axis=-1, keepdims=True)
    var = x.var(axis=-1, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    return gamma * x_hat + beta, (x_hat, inv_std, gamma)


def layer_norm_backward(dy: Array, cache: Cache) -> tuple[Array, ...]:
    """As for batch norm, over the other axis."""
    x_hat, inv_std, gamma = cache
    rows = tuple(range(dy.ndim - 1))
    dbeta, dgamma = dy.sum(axis=rows), (dy * x_hat).sum(axis=rows)
    dx_hat = dy * gamma
    mean = dx_hat.mean(axis=-1, keepdims=True)
    dx = inv_std * (dx_hat - mean - x_hat * (dx_hat * x_hat).mean(axis=-1, keepdims=True))
    return dx, dgamma, dbeta


def rms_norm_forward(x: Array, gamma: Array, eps: float) -> tuple[Array, Cache]:
    """Over the last axis."""
    inv_rms = 1 / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)
    x_hat = x * inv_rms
    return gamma * x_hat, (x_hat, inv_rms, gamma)


def rms_norm_backward(dy: Array, cache: Cache) -> tuple[Array, ...]:
    """As for layer norm, with no mean."""
    x_hat, inv_rms, gamma = cache
    dgamma = (dy * x_hat).sum(axis=tuple(range(dy.ndim - 1)))
    dx_hat = dy * gamma
    return inv_rms * (dx_hat - x_hat * (dx_hat * x_hat).mean(axis=-1, keepdims=True)), dgamma


FORWARD = {"batch_norm": batch_norm_forward, "layer_norm": layer_norm_forward, "rms_norm": rms_norm_forward}
BACKWARD = {"batch_norm": batch_norm_backward, "layer_norm": layer_norm_backward, "rms_norm": rms_norm_backward}


class Naive(Subject):
    """Forward and backward as above."""

    reports_memory = True

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """One; backward has forward's x_hat at hand."""
        norm = given.case.norm
        if norm not in FORWARD or function not in ("forward", "backward"):
            raise Missing(f"nobody's tutorial has {function} of {norm} here")
        names = ("x", "gamma") if norm == "rms_norm" else ("x", "gamma", "beta")
        arguments, eps = [given(name) for name in names], eps_of(load("numpy", norm))
        forward: Any = FORWARD[norm]
        if function == "forward":
            return {"": lambda: forward(*arguments, eps)[0]}
        dy, cache = given("dy"), forward(*arguments, eps)[1]
        return {"": lambda: BACKWARD[norm](dy, cache)}
