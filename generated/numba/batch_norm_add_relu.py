"""Batch normalization, a residual added, then the rectified linear unit: a block of He et al. (2016).

Source: Ioffe & Szegedy 2015; He et al. 2016, Figure 2.

    mean = Sum(x, i) / m
    var = Sum((x - mean)**2, i) / m
    x_hat = (x - mean) / sqrt(eps + var)
    z = beta + gamma * x_hat
    total = residual + z
    y = maximum(total, 0)

Derived, proved and printed by bnsym 0.1.0. Do not edit: change the definition and run
`regenerate-kernels`. This file needs NumPy and Numba, no more, and can be copied into another project.
What Numba compiles on a function's first call it keeps beside this file, or in the user's cache folder.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, lru_cache, partial
from numbers import Number
from typing import Any, NamedTuple

import numpy as np

try:
    import numba
    import numba.extending
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
except ImportError:
    raise ImportError(f"{__name__} needs Numba: install bnsym[numba]") from None

__all__ = [
    "Saved",
    "backward",
    "backward_jvp",
    "double_backward",
    "forward",
    "inference",
    "inference_backward",
    "jvp",
    "population",
    "update_running",
]

Array = np.ndarray[Any, np.dtype[Any]]

# Arrays of each dtype are computed in the dtype on the right; sums over them are carried on in float64.
_COMPUTE = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}


_MEANING = "mean, var, inv_std, count of each channel"


class Saved(NamedTuple):
    """What `forward` keeps for `backward`."""

    mean: Array
    var: Array
    inv_std: Array
    count: int  # type: ignore[assignment]  # the field hides tuple.count

    @property
    def _meaning(self) -> str:
        """What tells it from what another definition saves in fields of the same names."""
        return _MEANING


def forward(
    x: Array,
    residual: Array,
    gamma: Array | None,
    beta: Array | None,
    *,
    eps: float = 1e-05,
    channel_axis: int = 1,
    out: Array | None = None,
    threads: int | None = None,
) -> tuple[Array, Saved]:
    """Compute y as the definition states it (Ioffe & Szegedy 2015; He et al. 2016, Figure 2).

    Computes:
        pivot = any value near the mean: of each block, the mean of the one before
        centred = x - pivot
        offset = Sum(centred, i) / m
        mean = offset + pivot
        var = Sum(centred**2, i) / m - offset**2
        inv_std = 1 / sqrt(eps + var)
        scale = gamma * inv_std
        shift = beta - offset * scale
        z = centred * scale + shift
        total = residual + z
        y = maximum(total, 0)

    Args:
        x: float16, float32 or float64, 2 axes or more
        residual: float16, float32 or float64, 2 axes or more, as x
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        eps: a number, at least 0
        channel_axis: the axis of the channels
        out: an array that takes the result, None for a new one; it may be an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        y: shape and dtype of x
        saved: for `backward`

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    x = _array("x", x)
    residual = _array("residual", residual)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("residual", residual, "x", x)
    m = shape[0] * shape[2]
    if m == 0:
        raise ValueError(f"x has nothing to take statistics over: its shape is {x.shape}")
    kept_dtype = _kept(x.dtype)
    if out is None:
        y_result = np.empty(x.shape, x.dtype)
    else:
        (y_result,) = _results(
            out,
            [
                (x.shape, x.dtype),
            ],
            [x, residual, gamma, beta],
            in_place=True,
        )
    mean = np.empty(channels, kept_dtype)
    var = np.empty(channels, kept_dtype)
    inv_std = np.empty(channels, kept_dtype)
    gamma = _per_channel("gamma", gamma, channels, _COMPUTE[x.dtype], absent=1)
    beta = _per_channel("beta", beta, channels, _COMPUTE[x.dtype], absent=0)
    eps = _constant("eps", eps, at_least=0.0)
    threads = _threads(threads)
    _run(
        "forward",
        x.dtype,
        shape,
        arrays=[x, residual],
        vectors=[gamma, beta],
        numbers=[eps],
        outputs=[y_result],
        results=[mean, var, inv_std],
        threads=threads,
    )
    saved = Saved(
        mean,
        var,
        inv_std,
        m,
    )
    return y_result, saved


def backward(
    dy: Array,
    x: Array,
    residual: Array,
    gamma: Array | None,
    beta: Array | None,
    saved: Saved,
    *,
    channel_axis: int = 1,
    out: Array | tuple[Array | None, ...] | None = None,
    threads: int | None = None,
) -> tuple[Array, Array, Array | None, Array | None]:
    """Compute the gradients of sum(dy * y), in closed form.

    Computes:
        x_shifted = x - mean
        mean_rounding = Sum(x_shifted, i) / m where mean**2 > 16 * var, else 0
        x_centred = x_shifted - mean_rounding
        x_hat = inv_std * x_centred
        scale = gamma * inv_std
        z = beta + gamma * x_hat
        total = residual + z
        dtotal = dy * heaviside(total, 0)
        mean_dtotal = Sum(dtotal, i) / m
        dtotal_centred = dtotal - mean_dtotal
        dgamma = Sum(dtotal_centred * x_hat, i)
        dbeta = m * mean_dtotal
        mean_dtotal_centred_x_hat = dgamma / m
        dx = (dtotal_centred - mean_dtotal_centred_x_hat * x_hat) * scale
        dresidual = dtotal

    Args:
        dy: gradient of the loss to y, 2 axes or more
        x: float16, float32 or float64, 2 axes or more
        residual: float16, float32 or float64, 2 axes or more, as x
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        saved: what `forward` returned
        channel_axis: the axis of the channels
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape and dtype of x
        dresidual: shape and dtype of x
        dgamma: shape (C,), float64 for float64 data, else float32; None where its parameter is
        dbeta: shape (C,), float64 for float64 data, else float32; None where its parameter is

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    has_gamma = gamma is not None
    has_beta = beta is not None
    dy = _array("dy", dy)
    x = _array("x", x)
    residual = _array("residual", residual)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("dy", dy, "x", x)
    _check_like("residual", residual, "x", x)
    m = shape[0] * shape[2]
    kept_dtype = _kept(x.dtype)
    if out is None:
        dx_result = np.empty(x.shape, x.dtype)
        dresidual_result = np.empty(x.shape, x.dtype)
        dgamma_result = np.empty(channels, kept_dtype)
        dbeta_result = np.empty(channels, kept_dtype)
    else:
        dx_result, dresidual_result, dgamma_result, dbeta_result = _results(
            out,
            [
                (x.shape, x.dtype),
                (x.shape, x.dtype),
                (channels, kept_dtype),
                (channels, kept_dtype),
            ],
            [dy, x, residual, gamma, beta, *saved[:3]],
            in_place=True,
        )
    gamma = _per_channel("gamma", gamma, channels, _COMPUTE[x.dtype], absent=1)
    beta = _per_channel("beta", beta, channels, _COMPUTE[x.dtype], absent=0)
    mean = _per_channel("saved.mean", saved.mean, channels, _COMPUTE[x.dtype])
    inv_std = _per_channel("saved.inv_std", saved.inv_std, channels, _COMPUTE[x.dtype])
    var = _per_channel("saved.var", saved.var, channels, _COMPUTE[x.dtype])
    _check_count(saved.count, m)
    threads = _threads(threads)
    _run(
        "backward",
        x.dtype,
        shape,
        arrays=[dy, x, residual],
        vectors=[gamma, beta, mean, inv_std, var],
        numbers=[],
        outputs=[dx_result, dresidual_result],
        results=[dgamma_result, dbeta_result],
        threads=threads,
    )
    return dx_result, dresidual_result, dgamma_result if has_gamma else None, dbeta_result if has_beta else None


@np.errstate(all="ignore")
def jvp(
    x: Array,
    residual: Array,
    gamma: Array | None,
    beta: Array | None,
    tx: Array | None,
    tresidual: Array | None,
    tgamma: Array | None,
    tbeta: Array | None,
    *,
    eps: float = 1e-05,
    channel_axis: int = 1,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute y and the derivative in the direction of the tangents (forward mode).

    Computes:
        tmean = Sum(tx, i) / m
        tx_centred = tx - tmean
        x_shifted = x - mean
        mean_rounding = Sum(x_shifted, i) / m where mean**2 > 16 * var, else 0
        x_centred = x_shifted - mean_rounding
        x_hat = inv_std * x_centred
        sum_tx_centred_x_hat = Sum(tx_centred * x_hat, i)
        z = beta + gamma * x_hat
        total = residual + z
        coef_x_hat = tgamma - gamma * inv_std * sum_tx_centred_x_hat / m
        coef_tx_centred = gamma * inv_std
        tz = coef_tx_centred * tx_centred + coef_x_hat * x_hat + tbeta
        ttotal = tresidual + tz
        ty = heaviside(total, 0) * ttotal

    Args:
        x: float16, float32 or float64, 2 axes or more
        residual: float16, float32 or float64, 2 axes or more, as x
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        tx: tangent of x, 2 axes or more; None stands for 0
        tresidual: tangent of residual, 2 axes or more; None stands for 0
        tgamma: tangent of gamma, shape (C,); None stands for 0
        tbeta: tangent of beta, shape (C,); None stands for 0
        eps: a number, at least 0
        channel_axis: the axis of the channels
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        y: shape and dtype of x
        ty: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    y_result, saved = forward(x, residual, gamma, beta, eps=eps, channel_axis=channel_axis, threads=threads)
    x = _array("x", x)
    residual = _array("residual", residual)
    tx = _optional("tx", tx, x)
    tresidual = _optional("tresidual", tresidual, x)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("residual", residual, "x", x)
    m = shape[0] * shape[2]
    ty_result = np.empty(x.shape, x.dtype)
    gamma = _vector("gamma", gamma, channels, absent=1)
    beta = _vector("beta", beta, channels, absent=0)
    tgamma = _vector("tgamma", tgamma, channels, absent=0)
    tbeta = _vector("tbeta", tbeta, channels, absent=0)
    mean = _vector("saved.mean", saved.mean, channels)
    inv_std = _vector("saved.inv_std", saved.inv_std, channels)
    var = _vector("saved.var", saved.var, channels)
    dtype = _COMPUTE[x.dtype]
    x = x.reshape(shape).astype(dtype, copy=False)
    residual = residual.reshape(shape).astype(dtype, copy=False)
    tx = tx.reshape(shape).astype(dtype, copy=False)
    tresidual = tresidual.reshape(shape).astype(dtype, copy=False)
    ty = _target(ty_result, shape)
    tmean = _sum(tx, (0, 2)) / m
    # tx_centred = tx - tmean
    tx_centred = np.subtract(tx, tmean.astype(dtype, copy=False)[:, None])
    # x_centred = x - mean
    x_centred = np.subtract(x, mean.astype(dtype, copy=False)[:, None])
    if np.count_nonzero(mean**2 > 16 * var):  # far out, the rounding of what was saved tells
        mean_rounding = _sum(x_centred, (0, 2)) / m
        # x_centred = x_centred - mean_rounding
        np.subtract(x_centred, mean_rounding.astype(dtype, copy=False)[:, None], out=x_centred)
    # x_hat = inv_std * x_centred
    np.multiply(x_centred, inv_std.astype(dtype, copy=False)[:, None], out=x_centred)
    x_hat = x_centred
    # sum_tx_centred_x_hat = Sum(tx_centred * x_hat, i)
    work = np.multiply(tx_centred, x_hat)
    sum_tx_centred_x_hat = _sum(work, (0, 2))
    # z = beta + gamma * x_hat
    np.multiply(x_hat, gamma.astype(dtype, copy=False)[:, None], out=work)
    np.add(work, beta.astype(dtype, copy=False)[:, None], out=work)
    z = work
    # total = residual + z
    np.add(residual, z, out=z)
    total = z
    coef_x_hat = tgamma - gamma * inv_std * sum_tx_centred_x_hat / m
    coef_tx_centred = gamma * inv_std
    # tz = coef_tx_centred * tx_centred + coef_x_hat * x_hat + tbeta
    np.multiply(tx_centred, coef_tx_centred.astype(dtype, copy=False)[:, None], out=tx_centred)
    np.multiply(x_hat, coef_x_hat.astype(dtype, copy=False)[:, None], out=x_hat)
    np.add(tx_centred, x_hat, out=tx_centred)
    np.add(tx_centred, tbeta.astype(dtype, copy=False)[:, None], out=tx_centred)
    tz = tx_centred
    # ttotal = tresidual + tz
    np.add(tresidual, tz, out=tz)
    ttotal = tz
    # ty = heaviside(total, 0) * ttotal
    np.heaviside(total, 0, out=total)
    np.multiply(total, ttotal, out=ty)
    _deliver(ty, ty_result)
    return y_result, ty_result


@np.errstate(all="ignore")
def double_backward(
    ddx: Array | None,
    ddresidual: Array | None,
    ddgamma: Array | None,
    ddbeta: Array | None,
    dy: Array,
    x: Array,
    residual: Array,
    gamma: Array | None,
    beta: Array | None,
    saved: Saved,
    *,
    channel_axis: int = 1,
    threads: int | None = None,
) -> tuple[Array, Array, Array, Array | None, Array | None]:
    """Compute the gradients of `backward`'s results, each weighted by what it is multiplied with.

    Computes:
        g_dmean = Sum(ddx, i) / m
        ddx_centred = ddx - g_dmean
        x_shifted = x - mean
        mean_rounding = Sum(x_shifted, i) / m where mean**2 > 16 * var, else 0
        x_centred = x_shifted - mean_rounding
        x_hat = inv_std * x_centred
        sum_ddx_centred_x_hat = Sum(ddx_centred * x_hat, i)
        g_beta = 0
        coef_dtotal_centred = ddgamma - gamma * inv_std * sum_ddx_centred_x_hat / m
        g_residual = 0
        g_dtotal_coef_ddx_centred = gamma * inv_std
        g_dtotal = coef_dtotal_centred * x_hat + ddbeta + ddresidual + ddx_centred * g_dtotal_coef_ddx_centred
        z = beta + gamma * x_hat
        total = residual + z
        step_total = heaviside(total, 0)
        g_dy = g_dtotal * step_total
        dtotal = dy * step_total
        mean_dtotal = Sum(dtotal, i) / m
        dtotal_centred = dtotal - mean_dtotal
        sum_dtotal_centred_x_hat = Sum(dtotal_centred * x_hat, i)
        sum_ddx_centred_dtotal_centred = Sum(ddx_centred * dtotal_centred, i)
        g_gamma = inv_std * (sum_ddx_centred_dtotal_centred - sum_ddx_centred_x_hat * sum_dtotal_centred_x_hat /
            m)
        coef_x_hat = 3 * gamma * inv_std * sum_ddx_centred_x_hat * sum_dtotal_centred_x_hat / m**2 - ddgamma *
            sum_dtotal_centred_x_hat / m - gamma * inv_std * sum_ddx_centred_dtotal_centred / m
        coef_ddx_centred = gamma * inv_std * sum_dtotal_centred_x_hat / m
        g_x = (coef_dtotal_centred * dtotal_centred + coef_x_hat * x_hat - coef_ddx_centred * ddx_centred) *
            inv_std

    Args:
        ddx: gradient of the loss to dx, which `backward` gives, 2 axes or more; None stands for 0
        ddresidual: gradient of the loss to dresidual, which `backward` gives, 2 axes or more; None stands for 0
        ddgamma: gradient of the loss to dgamma, which `backward` gives, shape (C,); None stands for 0
        ddbeta: gradient of the loss to dbeta, which `backward` gives, shape (C,); None stands for 0
        dy: gradient of the loss to y, 2 axes or more
        x: float16, float32 or float64, 2 axes or more
        residual: float16, float32 or float64, 2 axes or more, as x
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        saved: what `forward` returned
        channel_axis: the axis of the channels
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        g_dy: shape and dtype of x
        g_x: shape and dtype of x
        g_residual: shape and dtype of x
        g_gamma: shape (C,), float64 for float64 data, else float32; None where its parameter is
        g_beta: shape (C,), float64 for float64 data, else float32; None where its parameter is

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    has_gamma = gamma is not None
    has_beta = beta is not None
    dy = _array("dy", dy)
    x = _array("x", x)
    residual = _array("residual", residual)
    ddx = _optional("ddx", ddx, x)
    ddresidual = _optional("ddresidual", ddresidual, x)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("dy", dy, "x", x)
    _check_like("residual", residual, "x", x)
    m = shape[0] * shape[2]
    kept_dtype = _kept(x.dtype)
    g_dy_result = np.empty(x.shape, x.dtype)
    g_x_result = np.empty(x.shape, x.dtype)
    g_residual_result = np.empty(x.shape, x.dtype)
    g_gamma_result = np.empty(channels, kept_dtype)
    g_beta_result = np.empty(channels, kept_dtype)
    ddgamma = _vector("ddgamma", ddgamma, channels, absent=0)
    ddbeta = _vector("ddbeta", ddbeta, channels, absent=0)
    gamma = _vector("gamma", gamma, channels, absent=1)
    beta = _vector("beta", beta, channels, absent=0)
    mean = _vector("saved.mean", saved.mean, channels)
    inv_std = _vector("saved.inv_std", saved.inv_std, channels)
    var = _vector("saved.var", saved.var, channels)
    _check_count(saved.count, m)
    dtype = _COMPUTE[x.dtype]
    ddx = ddx.reshape(shape).astype(dtype, copy=False)
    ddresidual = ddresidual.reshape(shape).astype(dtype, copy=False)
    dy = dy.reshape(shape).astype(dtype, copy=False)
    x = x.reshape(shape).astype(dtype, copy=False)
    residual = residual.reshape(shape).astype(dtype, copy=False)
    g_dy = _target(g_dy_result, shape)
    g_x = _target(g_x_result, shape)
    g_residual = _target(g_residual_result, shape)
    g_dmean = _sum(ddx, (0, 2)) / m
    # ddx_centred = ddx - g_dmean
    ddx_centred = np.subtract(ddx, g_dmean.astype(dtype, copy=False)[:, None])
    # x_centred = x - mean
    x_centred = np.subtract(x, mean.astype(dtype, copy=False)[:, None])
    if np.count_nonzero(mean**2 > 16 * var):  # far out, the rounding of what was saved tells
        mean_rounding = _sum(x_centred, (0, 2)) / m
        # x_centred = x_centred - mean_rounding
        np.subtract(x_centred, mean_rounding.astype(dtype, copy=False)[:, None], out=x_centred)
    # x_hat = inv_std * x_centred
    np.multiply(x_centred, inv_std.astype(dtype, copy=False)[:, None], out=x_centred)
    x_hat = x_centred
    # sum_ddx_centred_x_hat = Sum(ddx_centred * x_hat, i)
    work = np.multiply(ddx_centred, x_hat)
    sum_ddx_centred_x_hat = _sum(work, (0, 2))
    g_beta = 0
    coef_dtotal_centred = ddgamma - gamma * inv_std * sum_ddx_centred_x_hat / m
    # g_residual = 0
    np.copyto(g_residual, 0)
    g_dtotal_coef_ddx_centred = gamma * inv_std
    # g_dtotal = coef_dtotal_centred * x_hat + ddbeta + ddresidual + ddx_centred * g_dtotal_coef_ddx_centred
    np.multiply(x_hat, coef_dtotal_centred.astype(dtype, copy=False)[:, None], out=work)
    g_dtotal = np.multiply(ddx_centred, g_dtotal_coef_ddx_centred.astype(dtype, copy=False)[:, None])
    np.add(work, g_dtotal, out=work)
    np.add(work, ddresidual, out=work)
    np.add(work, ddbeta.astype(dtype, copy=False)[:, None], out=work)
    g_dtotal = work
    # z = beta + gamma * x_hat
    z = np.multiply(x_hat, gamma.astype(dtype, copy=False)[:, None])
    np.add(z, beta.astype(dtype, copy=False)[:, None], out=z)
    # total = residual + z
    np.add(residual, z, out=z)
    total = z
    # step_total = heaviside(total, 0)
    np.heaviside(total, 0, out=total)
    step_total = total
    # g_dy = g_dtotal * step_total
    np.multiply(g_dtotal, step_total, out=g_dy)
    # dtotal = dy * step_total
    np.multiply(dy, step_total, out=step_total)
    dtotal = step_total
    mean_dtotal = _sum(dtotal, (0, 2)) / m
    # dtotal_centred = dtotal - mean_dtotal
    np.subtract(dtotal, mean_dtotal.astype(dtype, copy=False)[:, None], out=dtotal)
    dtotal_centred = dtotal
    # sum_dtotal_centred_x_hat = Sum(dtotal_centred * x_hat, i)
    np.multiply(dtotal_centred, x_hat, out=g_dtotal)
    sum_dtotal_centred_x_hat = _sum(g_dtotal, (0, 2))
    # sum_ddx_centred_dtotal_centred = Sum(ddx_centred * dtotal_centred, i)
    np.multiply(ddx_centred, dtotal_centred, out=g_dtotal)
    sum_ddx_centred_dtotal_centred = _sum(g_dtotal, (0, 2))
    g_gamma = inv_std * (sum_ddx_centred_dtotal_centred - sum_ddx_centred_x_hat * sum_dtotal_centred_x_hat / m)
    coef_x_hat = (
        3 * gamma * inv_std * sum_ddx_centred_x_hat * sum_dtotal_centred_x_hat / m**2
        - ddgamma * sum_dtotal_centred_x_hat / m
        - gamma * inv_std * sum_ddx_centred_dtotal_centred / m
    )
    coef_ddx_centred = gamma * inv_std * sum_dtotal_centred_x_hat / m
    # g_x = (coef_dtotal_centred * dtotal_centred + coef_x_hat * x_hat - coef_ddx_centred * ddx_centred) * inv_std
    np.multiply(dtotal_centred, coef_dtotal_centred.astype(dtype, copy=False)[:, None], out=dtotal_centred)
    np.multiply(x_hat, coef_x_hat.astype(dtype, copy=False)[:, None], out=x_hat)
    np.add(dtotal_centred, x_hat, out=dtotal_centred)
    np.multiply(ddx_centred, coef_ddx_centred.astype(dtype, copy=False)[:, None], out=ddx_centred)
    np.subtract(dtotal_centred, ddx_centred, out=dtotal_centred)
    np.multiply(dtotal_centred, inv_std.astype(dtype, copy=False)[:, None], out=g_x)
    _deliver(g_dy, g_dy_result)
    _deliver(g_x, g_x_result)
    _deliver(g_residual, g_residual_result)
    g_gamma_result[...] = g_gamma
    g_beta_result[...] = g_beta
    return (
        g_dy_result,
        g_x_result,
        g_residual_result,
        g_gamma_result if has_gamma else None,
        g_beta_result if has_beta else None,
    )


@np.errstate(all="ignore")
def backward_jvp(
    dy: Array,
    tdy: Array | None,
    x: Array,
    tx: Array | None,
    residual: Array,
    tresidual: Array | None,
    gamma: Array | None,
    tgamma: Array | None,
    beta: Array | None,
    tbeta: Array | None,
    saved: Saved,
    *,
    channel_axis: int = 1,
    threads: int | None = None,
) -> tuple[Array, Array, Array, Array, Array | None, Array | None, Array | None, Array | None]:
    """Compute `backward` and its derivative in the direction of the tangents (forward over reverse).

    Computes:
        tmean = Sum(tx, i) / m
        tx_centred = tx - tmean
        x_shifted = x - mean
        mean_rounding = Sum(x_shifted, i) / m where mean**2 > 16 * var, else 0
        x_centred = x_shifted - mean_rounding
        x_hat = inv_std * x_centred
        sum_tx_centred_x_hat = Sum(tx_centred * x_hat, i)
        scale = gamma * inv_std
        coef_dtotal_centred = tgamma - scale * sum_tx_centred_x_hat / m
        z = beta + gamma * x_hat
        total = residual + z
        step_total = heaviside(total, 0)
        dtotal = dy * step_total
        mean_dtotal = Sum(dtotal, i) / m
        dtotal_centred = dtotal - mean_dtotal
        dgamma = Sum(dtotal_centred * x_hat, i)
        sum_dtotal_centred_tx_centred = Sum(dtotal_centred * tx_centred, i)
        dbeta = m * mean_dtotal
        mean_dtotal_centred_x_hat = dgamma / m
        dx = (dtotal_centred - mean_dtotal_centred_x_hat * x_hat) * scale
        coef_tx_centred = mean_dtotal_centred_x_hat * scale
        dresidual = dtotal
        tdtotal = step_total * tdy
        mean_tdtotal = Sum(tdtotal, i) / m
        tdtotal_centred = tdtotal - mean_tdtotal
        sum_tdtotal_centred_x_hat = Sum(tdtotal_centred * x_hat, i)
        tdgamma = inv_std * sum_dtotal_centred_tx_centred + sum_tdtotal_centred_x_hat - dgamma * inv_std *
            sum_tx_centred_x_hat / m
        tdbeta = m * mean_tdtotal
        coef_x_hat = 3 * mean_dtotal_centred_x_hat * scale * sum_tx_centred_x_hat / m - gamma *
            sum_tdtotal_centred_x_hat / m - mean_dtotal_centred_x_hat * tgamma - scale *
            sum_dtotal_centred_tx_centred / m
        tdx = (coef_dtotal_centred * dtotal_centred + coef_x_hat * x_hat + gamma * tdtotal_centred -
            coef_tx_centred * tx_centred) * inv_std
        tdresidual = tdtotal

    Args:
        dy: gradient of the loss to y, 2 axes or more
        tdy: tangent of dy, 2 axes or more; None stands for 0
        x: float16, float32 or float64, 2 axes or more
        tx: tangent of x, 2 axes or more; None stands for 0
        residual: float16, float32 or float64, 2 axes or more, as x
        tresidual: tangent of residual, 2 axes or more; None stands for 0
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        tgamma: tangent of gamma, shape (C,); None stands for 0
        beta: float16, float32 or float64, shape (C,); None stands for 0
        tbeta: tangent of beta, shape (C,); None stands for 0
        saved: what `forward` returned
        channel_axis: the axis of the channels
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape and dtype of x
        tdx: shape and dtype of x
        dresidual: shape and dtype of x
        tdresidual: shape and dtype of x
        dgamma: shape (C,), float64 for float64 data, else float32; None where its parameter is
        tdgamma: shape (C,), float64 for float64 data, else float32; None where its parameter is
        dbeta: shape (C,), float64 for float64 data, else float32; None where its parameter is
        tdbeta: shape (C,), float64 for float64 data, else float32; None where its parameter is

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    has_gamma = gamma is not None
    has_beta = beta is not None
    dy = _array("dy", dy)
    x = _array("x", x)
    residual = _array("residual", residual)
    tdy = _optional("tdy", tdy, x)
    tx = _optional("tx", tx, x)
    tresidual = _optional("tresidual", tresidual, x)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("dy", dy, "x", x)
    _check_like("residual", residual, "x", x)
    m = shape[0] * shape[2]
    kept_dtype = _kept(x.dtype)
    dx_result = np.empty(x.shape, x.dtype)
    tdx_result = np.empty(x.shape, x.dtype)
    dresidual_result = np.empty(x.shape, x.dtype)
    tdresidual_result = np.empty(x.shape, x.dtype)
    dgamma_result = np.empty(channels, kept_dtype)
    tdgamma_result = np.empty(channels, kept_dtype)
    dbeta_result = np.empty(channels, kept_dtype)
    tdbeta_result = np.empty(channels, kept_dtype)
    gamma = _vector("gamma", gamma, channels, absent=1)
    tgamma = _vector("tgamma", tgamma, channels, absent=0)
    beta = _vector("beta", beta, channels, absent=0)
    tbeta = _vector("tbeta", tbeta, channels, absent=0)
    mean = _vector("saved.mean", saved.mean, channels)
    inv_std = _vector("saved.inv_std", saved.inv_std, channels)
    var = _vector("saved.var", saved.var, channels)
    _check_count(saved.count, m)
    dtype = _COMPUTE[x.dtype]
    dy = dy.reshape(shape).astype(dtype, copy=False)
    tdy = tdy.reshape(shape).astype(dtype, copy=False)
    x = x.reshape(shape).astype(dtype, copy=False)
    tx = tx.reshape(shape).astype(dtype, copy=False)
    residual = residual.reshape(shape).astype(dtype, copy=False)
    dx = _target(dx_result, shape)
    tdx = _target(tdx_result, shape)
    dresidual = _target(dresidual_result, shape)
    tdresidual = _target(tdresidual_result, shape)
    tmean = _sum(tx, (0, 2)) / m
    # tx_centred = tx - tmean
    tx_centred = np.subtract(tx, tmean.astype(dtype, copy=False)[:, None])
    # x_centred = x - mean
    x_centred = np.subtract(x, mean.astype(dtype, copy=False)[:, None])
    if np.count_nonzero(mean**2 > 16 * var):  # far out, the rounding of what was saved tells
        mean_rounding = _sum(x_centred, (0, 2)) / m
        # x_centred = x_centred - mean_rounding
        np.subtract(x_centred, mean_rounding.astype(dtype, copy=False)[:, None], out=x_centred)
    # x_hat = inv_std * x_centred
    np.multiply(x_centred, inv_std.astype(dtype, copy=False)[:, None], out=x_centred)
    x_hat = x_centred
    # sum_tx_centred_x_hat = Sum(tx_centred * x_hat, i)
    work = np.multiply(tx_centred, x_hat)
    sum_tx_centred_x_hat = _sum(work, (0, 2))
    scale = gamma * inv_std
    coef_dtotal_centred = tgamma - scale * sum_tx_centred_x_hat / m
    # z = beta + gamma * x_hat
    np.multiply(x_hat, gamma.astype(dtype, copy=False)[:, None], out=work)
    np.add(work, beta.astype(dtype, copy=False)[:, None], out=work)
    z = work
    # total = residual + z
    np.add(residual, z, out=z)
    total = z
    # step_total = heaviside(total, 0)
    np.heaviside(total, 0, out=total)
    step_total = total
    # dtotal = dy * step_total
    dtotal = np.multiply(dy, step_total)
    mean_dtotal = _sum(dtotal, (0, 2)) / m
    # dtotal_centred = dtotal - mean_dtotal
    dtotal_centred = np.subtract(dtotal, mean_dtotal.astype(dtype, copy=False)[:, None])
    # dgamma = Sum(dtotal_centred * x_hat, i)
    work_2 = np.multiply(dtotal_centred, x_hat)
    dgamma = _sum(work_2, (0, 2))
    # sum_dtotal_centred_tx_centred = Sum(dtotal_centred * tx_centred, i)
    np.multiply(dtotal_centred, tx_centred, out=work_2)
    sum_dtotal_centred_tx_centred = _sum(work_2, (0, 2))
    dbeta = m * mean_dtotal
    mean_dtotal_centred_x_hat = dgamma / m
    # dx = (dtotal_centred - mean_dtotal_centred_x_hat * x_hat) * scale
    np.multiply(x_hat, mean_dtotal_centred_x_hat.astype(dtype, copy=False)[:, None], out=work_2)
    np.subtract(dtotal_centred, work_2, out=work_2)
    np.multiply(work_2, scale.astype(dtype, copy=False)[:, None], out=dx)
    coef_tx_centred = mean_dtotal_centred_x_hat * scale
    # dresidual = dtotal
    np.copyto(dresidual, dtotal)
    # tdtotal = step_total * tdy
    np.multiply(step_total, tdy, out=step_total)
    tdtotal = step_total
    mean_tdtotal = _sum(tdtotal, (0, 2)) / m
    # tdtotal_centred = tdtotal - mean_tdtotal
    np.subtract(tdtotal, mean_tdtotal.astype(dtype, copy=False)[:, None], out=work_2)
    tdtotal_centred = work_2
    # sum_tdtotal_centred_x_hat = Sum(tdtotal_centred * x_hat, i)
    work_3 = np.multiply(tdtotal_centred, x_hat)
    sum_tdtotal_centred_x_hat = _sum(work_3, (0, 2))
    tdgamma = (
        inv_std * sum_dtotal_centred_tx_centred
        + sum_tdtotal_centred_x_hat
        - dgamma * inv_std * sum_tx_centred_x_hat / m
    )
    tdbeta = m * mean_tdtotal
    coef_x_hat = (
        3 * mean_dtotal_centred_x_hat * scale * sum_tx_centred_x_hat / m
        - gamma * sum_tdtotal_centred_x_hat / m
        - mean_dtotal_centred_x_hat * tgamma
        - scale * sum_dtotal_centred_tx_centred / m
    )
    # tdx = (coef_dtotal_centred * dtotal_centred + coef_x_hat * x_hat + gamma * tdtotal_centred - coef_tx_centred *
    #     tx_centred) * inv_std
    np.multiply(dtotal_centred, coef_dtotal_centred.astype(dtype, copy=False)[:, None], out=dtotal_centred)
    np.multiply(x_hat, coef_x_hat.astype(dtype, copy=False)[:, None], out=x_hat)
    np.add(dtotal_centred, x_hat, out=dtotal_centred)
    np.multiply(tdtotal_centred, gamma.astype(dtype, copy=False)[:, None], out=tdtotal_centred)
    np.add(dtotal_centred, tdtotal_centred, out=dtotal_centred)
    np.multiply(tx_centred, coef_tx_centred.astype(dtype, copy=False)[:, None], out=tx_centred)
    np.subtract(dtotal_centred, tx_centred, out=dtotal_centred)
    np.multiply(dtotal_centred, inv_std.astype(dtype, copy=False)[:, None], out=tdx)
    # tdresidual = tdtotal
    np.copyto(tdresidual, tdtotal)
    _deliver(dx, dx_result)
    _deliver(tdx, tdx_result)
    _deliver(dresidual, dresidual_result)
    _deliver(tdresidual, tdresidual_result)
    dgamma_result[...] = dgamma
    tdgamma_result[...] = tdgamma
    dbeta_result[...] = dbeta
    tdbeta_result[...] = tdbeta
    return (
        dx_result,
        tdx_result,
        dresidual_result,
        tdresidual_result,
        dgamma_result if has_gamma else None,
        tdgamma_result if has_gamma else None,
        dbeta_result if has_beta else None,
        tdbeta_result if has_beta else None,
    )


def inference(
    x: Array,
    residual: Array,
    gamma: Array | None,
    beta: Array | None,
    mean: Array,
    var: Array,
    *,
    eps: float = 1e-05,
    channel_axis: int = 1,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Compute y with given statistics, such as those of `population`.

    Computes:
        inv_std = 1 / sqrt(eps + var)
        scale = gamma * inv_std
        z = beta + (x - mean) * scale
        total = residual + z
        y = maximum(total, 0)

    Args:
        x: float16, float32 or float64, 2 axes or more
        residual: float16, float32 or float64, 2 axes or more, as x
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        mean: float16, float32 or float64, shape (C,)
        var: float16, float32 or float64, shape (C,)
        eps: a number, at least 0
        channel_axis: the axis of the channels
        out: an array that takes the result, None for a new one; it may be an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        y: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    x = _array("x", x)
    residual = _array("residual", residual)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("residual", residual, "x", x)
    if out is None:
        y_result = np.empty(x.shape, x.dtype)
    else:
        (y_result,) = _results(
            out,
            [
                (x.shape, x.dtype),
            ],
            [x, residual, gamma, beta, mean, var],
            in_place=True,
        )
    gamma = _per_channel("gamma", gamma, channels, _COMPUTE[x.dtype], absent=1)
    beta = _per_channel("beta", beta, channels, _COMPUTE[x.dtype], absent=0)
    mean = _per_channel("mean", mean, channels, _COMPUTE[x.dtype])
    var = _per_channel("var", var, channels, _COMPUTE[x.dtype])
    eps = _constant("eps", eps, at_least=0.0)
    threads = _threads(threads)
    _run(
        "inference",
        x.dtype,
        shape,
        arrays=[x, residual],
        vectors=[gamma, beta, mean, var],
        numbers=[eps],
        outputs=[y_result],
        results=[],
        threads=threads,
    )
    return y_result


def inference_backward(
    dy: Array,
    x: Array,
    residual: Array,
    gamma: Array | None,
    beta: Array | None,
    mean: Array,
    var: Array,
    *,
    eps: float = 1e-05,
    channel_axis: int = 1,
    out: Array | tuple[Array | None, ...] | None = None,
    threads: int | None = None,
) -> tuple[Array, Array, Array | None, Array | None]:
    """Compute the gradients of `inference`, its statistics held fixed.

    Computes:
        inv_std = 1 / sqrt(eps + var)
        x_hat = (x - mean) * inv_std
        z = beta + gamma * x_hat
        total = residual + z
        step_total = heaviside(total, 0)
        dgamma = Sum(dy * step_total * x_hat, i)
        dbeta = Sum(dy * step_total, i)
        scale = gamma * inv_std
        dx = dy * scale * step_total
        dresidual = dy * step_total

    Args:
        dy: gradient of the loss to y, 2 axes or more
        x: float16, float32 or float64, 2 axes or more
        residual: float16, float32 or float64, 2 axes or more, as x
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        mean: float16, float32 or float64, shape (C,)
        var: float16, float32 or float64, shape (C,)
        eps: a number, at least 0
        channel_axis: the axis of the channels
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape and dtype of x
        dresidual: shape and dtype of x
        dgamma: shape (C,), float64 for float64 data, else float32; None where its parameter is
        dbeta: shape (C,), float64 for float64 data, else float32; None where its parameter is

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    has_gamma = gamma is not None
    has_beta = beta is not None
    dy = _array("dy", dy)
    x = _array("x", x)
    residual = _array("residual", residual)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("dy", dy, "x", x)
    _check_like("residual", residual, "x", x)
    kept_dtype = _kept(x.dtype)
    if out is None:
        dx_result = np.empty(x.shape, x.dtype)
        dresidual_result = np.empty(x.shape, x.dtype)
        dgamma_result = np.empty(channels, kept_dtype)
        dbeta_result = np.empty(channels, kept_dtype)
    else:
        dx_result, dresidual_result, dgamma_result, dbeta_result = _results(
            out,
            [
                (x.shape, x.dtype),
                (x.shape, x.dtype),
                (channels, kept_dtype),
                (channels, kept_dtype),
            ],
            [dy, x, residual, gamma, beta, mean, var],
            in_place=True,
        )
    gamma = _per_channel("gamma", gamma, channels, _COMPUTE[x.dtype], absent=1)
    beta = _per_channel("beta", beta, channels, _COMPUTE[x.dtype], absent=0)
    mean = _per_channel("mean", mean, channels, _COMPUTE[x.dtype])
    var = _per_channel("var", var, channels, _COMPUTE[x.dtype])
    eps = _constant("eps", eps, at_least=0.0)
    threads = _threads(threads)
    _run(
        "inference_backward",
        x.dtype,
        shape,
        arrays=[dy, x, residual],
        vectors=[gamma, beta, mean, var],
        numbers=[eps],
        outputs=[dx_result, dresidual_result],
        results=[dgamma_result, dbeta_result],
        threads=threads,
    )
    return dx_result, dresidual_result, dgamma_result if has_gamma else None, dbeta_result if has_beta else None


@np.errstate(all="ignore")
def population(
    means: Array,
    variances: Array,
    count: int,
) -> tuple[Array, Array]:
    """Average the statistics of mini-batches of `count` examples, made unbiased.

    Computes:
        mean = Sum(means, batch) / batches
        var = Sum(variances, batch) * count / (batches * (count - 1))

    Args:
        means: float16, float32 or float64, shape (batch, C)
        variances: float16, float32 or float64, shape (batch, C)
        count: examples (and locations) in each mini-batch, at least 2

    Returns:
        mean: shape (C,), float64 for float64 data, else float32
        var: shape (C,), float64 for float64 data, else float32

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    means = _array("means", means)
    shape, dtype = means.shape, _kept(means.dtype)
    if len(shape) < 2 or shape[0] == 0:
        raise ValueError(f"means needs a row for each batch and at least one, got shape {shape}")
    batches = shape[0]
    means = _vector("means", means, shape)
    variances = _vector("variances", variances, shape)
    count = _count("count", count)
    mean = _sum(means, (0,)) / batches
    var = _sum(variances, (0,)) * count / (batches * (count - 1))
    return np.broadcast_to(mean, shape[1:]).astype(dtype), np.broadcast_to(var, shape[1:]).astype(dtype)


@np.errstate(all="ignore")
def update_running(
    mean: Array,
    var: Array,
    saved: Saved,
    *,
    momentum: float = 0.1,
) -> tuple[Array, Array]:
    """Move running statistics towards those of a mini-batch, made unbiased.

    Computes:
        new_mean = batch_mean * momentum + (1 - momentum) * mean
        new_var = batch_var * count * momentum / (count - 1) + (1 - momentum) * var

    Args:
        mean: float16, float32 or float64, shape (C,)
        var: float16, float32 or float64, shape (C,)
        saved: what `forward` returned
        momentum: from 0 to 1, the weight of the NEW value

    Returns:
        mean: shape (C,), float64 for float64 data, else float32
        var: shape (C,), float64 for float64 data, else float32

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    mean = _array("mean", mean)
    shape, dtype = mean.shape, _kept(mean.dtype)
    if len(shape) != 1:
        raise ValueError(f"mean needs 1 axis, got shape {shape}")
    _check_saved(saved)
    mean = _vector("mean", mean, shape)
    var = _vector("var", var, shape)
    batch_mean = _vector("saved.mean", saved.mean, shape)
    batch_var = _vector("saved.var", saved.var, shape)
    count = _count("saved.count", saved.count)
    momentum = _constant("momentum", momentum, at_least=0.0, at_most=1.0)
    new_mean = batch_mean * momentum + (1 - momentum) * mean
    new_var = batch_var * count * momentum / (count - 1) + (1 - momentum) * var
    return np.broadcast_to(new_mean, shape).astype(dtype), np.broadcast_to(new_var, shape).astype(dtype)


class _Apart(CompilerBase):
    """Numba's own compiler, told that arrays share no memory: else few loops over more than three are vectorised.

    A result may take the place of an input; but then each element is read once, before it is written.
    """

    def define_pipelines(self) -> list[Any]:
        self.state.flags.noalias = True
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


# Of the freedoms of fast mathematics one alone: a product and a sum may be rounded once. NaN and Inf are what they are.
_compiled = numba.njit(
    pipeline_class=_Apart,
    nogil=True,
    cache=True,
    no_cfunc_wrapper=True,
    _nrt=False,
    error_model="numpy",
    fastmath={"contract"},
)


_inlined = numba.njit(nogil=True, error_model="numpy")


_BLOCK = 4096  # elements that are added up in the data's dtype at most


_PROBE = 32  # elements side by side that a pivot is taken from


_ROWS = 16  # rows of which each column is added up in it


@numba.extending.intrinsic
def _plus(context: Any, a: Any, b: Any) -> Any:
    """a + b in any order: a sum in which each lane of a vector may have its own share."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.fadd(*given, flags=("reassoc", "nsz", "contract"))

    return a(a, a), code


@_inlined
def _larger(a: Any, b: Any) -> Any:
    return a if a > b or a != a else b


@_inlined
def _step(a: Any) -> Any:
    return a if a != a else type(a)(a > 0)


@_compiled
def _forward_1_along(
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    y_all,
    mean_all,
    var_all,
    inv_std_all,
    eps_given,
    shape,
    slots,
    pivots,
    sums,
    units,
    again,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """y: some channels, some parts of them, some steps."""
    real = x_all.dtype.type
    pivot_slot, scale_slot, shift_slot = slots
    single = x_all.itemsize == 4
    smallest, tiny = (1.1754943508222875e-38, 1e-30) if single else (2.2250738585072014e-308, 1e-290)
    kept, run, runs = shape[1], shape[2], 1
    total = shape[0] * runs * run
    misfits = 0
    for k in range(first, last):
        at = k * keep
        unit = units[k]
        # 0: pivots, 1: sums of x
        for step in range(max(first_step, 0), min(last_step, 2)):
            skip, limit = (probe, _PROBE) if step == 0 else (0, _BLOCK)
            pivot_of_x = pivots[0][at] if step == 1 else real(0)
            for item in range(2):
                sums[item, at] = 0
            begin, end = first_part, min(last_part, total)
            taken = 0
            while begin < end:
                sum_of_x = real(0)
                product_of_x = real(0)
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, min(end - begin, limit))
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    x = x_all[e] * unit
                    from_x = x - pivot_of_x
                    sum_of_x = _plus(sum_of_x, from_x)
                    product_of_x = _plus(product_of_x, from_x * from_x)
                sums[0, at] += sum_of_x
                sums[1, at] += product_of_x
                begin += n + skip
                taken += n
            if step == 0:
                other = float(taken)
                near = real(sums[0, at] / other + pivot_of_x)
                pivots[0][at] = near if np.isfinite(near) else real(0)
        # what follows from the sums of x
        if first_step <= 2 < last_step:
            count = float(total)
            unit = float(units[k])
            beta = beta_all[k]
            eps = eps_given * unit * unit
            gamma = gamma_all[k]
            pivot = float(real(float(pivots[0][at]) + sums[0, at] / count))
            total_x = sums[0, at] + count * (float(pivots[0][at]) - pivot)
            moment_x = np.maximum(sums[1, at] - sums[0, at] * (sums[0, at] / count), 0.0)
            m = float(shape[0] * shape[2])
            offset = total_x / m
            mean = offset + pivot
            var = np.maximum(moment_x / m, 0.0)
            inv_std = 1 / math.sqrt(eps + var)
            scale = gamma * inv_std
            shift = beta - offset * scale
            fits = np.isfinite(var)
            vanished = eps_given < smallest and abs(var) < tiny
            if not again and (vanished or not fits):
                units[k] = 0  # squares overflowed or vanished: in other units they do not
                misfits += 1
                continue
            mean_all[k] = mean / unit
            var_all[k] = var / unit / unit
            inv_std_all[k] = inv_std * unit
            pivot_slot[at] = pivot
            scale_slot[at] = scale
            shift_slot[at] = shift
        # y
        if first_step <= 3 < last_step:
            pivot = pivot_slot[at]
            scale = scale_slot[at]
            shift = shift_slot[at]
            begin, end = first_part, min(last_part, total)
            while begin < end:
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, end - begin)
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    x = x_all[e] * unit
                    residual = residual_all[e]
                    centred = x - pivot
                    z = centred * scale + shift
                    total_ = residual + z
                    y = _larger(total_, real(0))
                    y_all[e] = y
                begin += n
    return misfits


@_compiled
def _forward_1_across(
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    y_all,
    mean_all,
    var_all,
    inv_std_all,
    eps_given,
    shape,
    slots,
    pivots,
    sums,
    work,
    units,
    again,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """y: some channels, some parts of them, some steps."""
    real = x_all.dtype.type
    pivot_slot, scale_slot, shift_slot = slots
    single = x_all.itemsize == 4
    smallest, tiny = (1.1754943508222875e-38, 1e-30) if single else (2.2250738585072014e-308, 1e-290)
    rows, width = shape[0], shape[1] * shape[2]
    total = rows * shape[2]
    columns, misfits = last - first, 0
    # 0: pivots, 1: sums of x
    for step in range(max(first_step, 0), min(last_step, 2)):
        sum_of_x = work[0]
        product_of_x = work[1]
        pivot_of_x = pivots[0]
        skip = probe if step == 0 else 1
        begin, end = first_part, min(last_part, rows)
        if step == 0:
            for j in range(columns):
                pivot_of_x[j] = 0
        for j in range(columns):
            for item in range(2):
                sums[item, j] = 0
        for begin_rows in range(begin, end, skip * _ROWS):
            for j in range(columns):
                sum_of_x[j] = 0
                product_of_x[j] = 0
            for o in range(begin_rows, min(begin_rows + skip * _ROWS, end), skip):
                first_e = o * width + first
                for j in range(columns):
                    e = np.uintp(first_e + j)
                    k = j
                    at = k
                    unit = units[k]
                    x = x_all[e] * unit
                    from_x = x - pivot_of_x[k]
                    sum_of_x[j] += from_x
                    product_of_x[j] += from_x * from_x
            for j in range(columns):
                sums[0, j] += sum_of_x[j]
                sums[1, j] += product_of_x[j]
        if step == 0:
            for k in range(columns):
                other = float((end - begin - 1) // skip + 1)
                near = real(sums[0, k] / other + pivot_of_x[k])
                pivot_of_x[k] = near if np.isfinite(near) else real(0)
    # what follows from the sums of x
    if first_step <= 2 < last_step:
        for k in range(columns // shape[2]):
            at = k
            count = float(total)
            unit = float(units[k])
            beta = beta_all[k]
            eps = eps_given * unit * unit
            gamma = gamma_all[k]
            pivot = float(real(float(pivots[0][at]) + sums[0, at] / count))
            total_x = sums[0, at] + count * (float(pivots[0][at]) - pivot)
            moment_x = np.maximum(sums[1, at] - sums[0, at] * (sums[0, at] / count), 0.0)
            m = float(shape[0] * shape[2])
            offset = total_x / m
            mean = offset + pivot
            var = np.maximum(moment_x / m, 0.0)
            inv_std = 1 / math.sqrt(eps + var)
            scale = gamma * inv_std
            shift = beta - offset * scale
            fits = np.isfinite(var)
            vanished = eps_given < smallest and abs(var) < tiny
            if not again and (vanished or not fits):
                units[k] = 0  # squares overflowed or vanished: in other units they do not
                misfits += 1
                continue
            mean_all[k] = mean / unit
            var_all[k] = var / unit / unit
            inv_std_all[k] = inv_std * unit
            pivot_slot[at] = pivot
            scale_slot[at] = scale
            shift_slot[at] = shift
        if misfits:
            return misfits
    # y
    if first_step <= 3 < last_step:
        for o in range(min(last_part, rows) - 1, first_part - 1, -1):  # the last read are still near
            first_e = o * width + first
            for j in range(columns):
                e = np.uintp(first_e + j)
                k = j
                at = k
                unit = units[k]
                pivot = pivot_slot[at]
                scale = scale_slot[at]
                shift = shift_slot[at]
                x = x_all[e] * unit
                residual = residual_all[e]
                centred = x - pivot
                z = centred * scale + shift
                total_ = residual + z
                y = _larger(total_, real(0))
                y_all[e] = y
    return misfits


@_compiled
def _backward_1_along(
    dy_all,
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    mean_all,
    inv_std_all,
    var_all,
    dx_all,
    dresidual_all,
    dgamma_all,
    dbeta_all,
    shape,
    slots,
    pivots,
    sums,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """dx and dresidual: some channels, some parts of them, some steps."""
    real = dy_all.dtype.type
    mean_dtotal_slot, mean_dtotal_centred_x_hat_slot, mean_rounding_slot = slots
    kept, run, runs = shape[1], shape[2], 1
    total = shape[0] * runs * run
    misfits = 0
    for k in range(first, last):
        at = k * keep
        # sums of x_shifted
        if first_step <= 0 < last_step:
            limit = _BLOCK
            mean = mean_all[k]
            for item in range(1):
                sums[item, at] = 0
            begin, end = first_part, min(last_part, total)
            mean = mean_all[k]
            var = var_all[k]
            if not mean * mean > 16 * var:
                end = begin
            while begin < end:
                sum_of_x_shifted = real(0)
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, min(end - begin, limit))
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    x = x_all[e]
                    x_shifted = x - mean
                    sum_of_x_shifted = _plus(sum_of_x_shifted, x_shifted)
                sums[0, at] += sum_of_x_shifted
                begin += n
        # what follows from the sums of x_shifted
        if first_step <= 1 < last_step:
            count = float(total)
            total_x_shifted = sums[0, at]
            m = float(shape[0] * shape[2])
            mean_rounding = total_x_shifted / m
            mean_rounding_slot[at] = mean_rounding
        # 2: pivots, 3: sums of dtotal, x_hat
        for step in range(max(first_step, 2), min(last_step, 4)):
            skip, limit = (probe, _PROBE) if step == 2 else (0, _BLOCK)
            mean = mean_all[k]
            mean_rounding = mean_rounding_slot[at]
            inv_std = inv_std_all[k]
            beta = beta_all[k]
            gamma = gamma_all[k]
            pivot_of_dtotal = pivots[0][at] if step == 3 else real(0)
            pivot_of_x_hat = pivots[1][at] if step == 3 else real(0)
            for item in range(3):
                sums[item, at] = 0
            begin, end = first_part, min(last_part, total)
            taken = 0
            while begin < end:
                sum_of_dtotal = real(0)
                sum_of_x_hat = real(0)
                product_of_dtotal_x_hat = real(0)
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, min(end - begin, limit))
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    dy = dy_all[e]
                    x = x_all[e]
                    residual = residual_all[e]
                    x_shifted = x - mean
                    x_centred = x_shifted - mean_rounding
                    x_hat = inv_std * x_centred
                    z = gamma * x_hat + beta
                    total_ = residual + z
                    dtotal = dy * _step(total_)
                    from_dtotal = dtotal - pivot_of_dtotal
                    sum_of_dtotal = _plus(sum_of_dtotal, from_dtotal)
                    from_x_hat = x_hat - pivot_of_x_hat
                    sum_of_x_hat = _plus(sum_of_x_hat, from_x_hat)
                    product_of_dtotal_x_hat = _plus(product_of_dtotal_x_hat, from_dtotal * from_x_hat)
                sums[0, at] += sum_of_dtotal
                sums[1, at] += sum_of_x_hat
                sums[2, at] += product_of_dtotal_x_hat
                begin += n + skip
                taken += n
            if step == 2:
                other = float(taken)
                near = real(sums[0, at] / other + pivot_of_dtotal)
                pivots[0][at] = near if np.isfinite(near) else real(0)
                near = real(sums[1, at] / other + pivot_of_x_hat)
                pivots[1][at] = near if np.isfinite(near) else real(0)
        # what follows from the sums of dtotal, x_hat
        if first_step <= 4 < last_step:
            count = float(total)
            total_dtotal = sums[0, at] + count * float(pivots[0][at])
            moment_dtotal_x_hat = sums[2, at] - sums[0, at] * (sums[1, at] / count)
            m = float(shape[0] * shape[2])
            mean_dtotal = total_dtotal / m
            dgamma = moment_dtotal_x_hat
            dbeta = m * mean_dtotal
            mean_dtotal_centred_x_hat = dgamma / m
            dgamma_all[k] = dgamma
            dbeta_all[k] = dbeta
            mean_dtotal_slot[at] = mean_dtotal
            mean_dtotal_centred_x_hat_slot[at] = mean_dtotal_centred_x_hat
        # dx and dresidual
        if first_step <= 5 < last_step:
            mean = mean_all[k]
            mean_rounding = mean_rounding_slot[at]
            inv_std = inv_std_all[k]
            beta = beta_all[k]
            gamma = gamma_all[k]
            mean_dtotal = mean_dtotal_slot[at]
            mean_dtotal_centred_x_hat = mean_dtotal_centred_x_hat_slot[at]
            scale = gamma * inv_std
            scale = real(scale)
            begin, end = first_part, min(last_part, total)
            while begin < end:
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, end - begin)
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    dy = dy_all[e]
                    x = x_all[e]
                    residual = residual_all[e]
                    x_shifted = x - mean
                    x_centred = x_shifted - mean_rounding
                    x_hat = inv_std * x_centred
                    z = gamma * x_hat + beta
                    total_ = residual + z
                    dtotal = dy * _step(total_)
                    dtotal_centred = dtotal - mean_dtotal
                    dx = (dtotal_centred - mean_dtotal_centred_x_hat * x_hat) * scale
                    dresidual = dtotal
                    dx_all[e] = dx
                    dresidual_all[e] = dresidual
                begin += n
    return misfits


@_compiled
def _backward_1_across(
    dy_all,
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    mean_all,
    inv_std_all,
    var_all,
    dx_all,
    dresidual_all,
    dgamma_all,
    dbeta_all,
    shape,
    slots,
    pivots,
    sums,
    work,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """dx and dresidual: some channels, some parts of them, some steps."""
    real = dy_all.dtype.type
    mean_dtotal_slot, mean_dtotal_centred_x_hat_slot, mean_rounding_slot = slots
    rows, width = shape[0], shape[1] * shape[2]
    total = rows * shape[2]
    columns, misfits = last - first, 0
    # sums of x_shifted
    if first_step <= 0 < last_step:
        sum_of_x_shifted = work[0]
        skip = 1
        begin, end = first_part, min(last_part, rows)
        needed = False
        for k in range(columns):
            at = k
            mean = mean_all[k]
            var = var_all[k]
            needed |= mean * mean > 16 * var
        if not needed:
            end = begin
        for j in range(columns):
            for item in range(1):
                sums[item, j] = 0
        for begin_rows in range(begin, end, skip * _ROWS):
            for j in range(columns):
                sum_of_x_shifted[j] = 0
            for o in range(begin_rows, min(begin_rows + skip * _ROWS, end), skip):
                first_e = o * width + first
                for j in range(columns):
                    e = np.uintp(first_e + j)
                    k = j
                    at = k
                    mean = mean_all[k]
                    x = x_all[e]
                    x_shifted = x - mean
                    sum_of_x_shifted[j] += x_shifted
            for j in range(columns):
                sums[0, j] += sum_of_x_shifted[j]
    # what follows from the sums of x_shifted
    if first_step <= 1 < last_step:
        for k in range(columns // shape[2]):
            at = k
            count = float(total)
            total_x_shifted = sums[0, at]
            m = float(shape[0] * shape[2])
            mean_rounding = total_x_shifted / m
            mean_rounding_slot[at] = mean_rounding
    # 2: pivots, 3: sums of dtotal, x_hat
    for step in range(max(first_step, 2), min(last_step, 4)):
        sum_of_dtotal = work[0]
        sum_of_x_hat = work[1]
        product_of_dtotal_x_hat = work[2]
        pivot_of_dtotal = pivots[0]
        pivot_of_x_hat = pivots[1]
        skip = probe if step == 2 else 1
        begin, end = first_part, min(last_part, rows)
        if step == 2:
            for j in range(columns):
                pivot_of_dtotal[j] = 0
                pivot_of_x_hat[j] = 0
        for j in range(columns):
            for item in range(3):
                sums[item, j] = 0
        for begin_rows in range(begin, end, skip * _ROWS):
            for j in range(columns):
                sum_of_dtotal[j] = 0
                sum_of_x_hat[j] = 0
                product_of_dtotal_x_hat[j] = 0
            for o in range(begin_rows, min(begin_rows + skip * _ROWS, end), skip):
                first_e = o * width + first
                for j in range(columns):
                    e = np.uintp(first_e + j)
                    k = j
                    at = k
                    mean = mean_all[k]
                    mean_rounding = mean_rounding_slot[at]
                    inv_std = inv_std_all[k]
                    beta = beta_all[k]
                    gamma = gamma_all[k]
                    dy = dy_all[e]
                    x = x_all[e]
                    residual = residual_all[e]
                    x_shifted = x - mean
                    x_centred = x_shifted - mean_rounding
                    x_hat = inv_std * x_centred
                    z = gamma * x_hat + beta
                    total_ = residual + z
                    dtotal = dy * _step(total_)
                    from_dtotal = dtotal - pivot_of_dtotal[k]
                    sum_of_dtotal[j] += from_dtotal
                    from_x_hat = x_hat - pivot_of_x_hat[k]
                    sum_of_x_hat[j] += from_x_hat
                    product_of_dtotal_x_hat[j] += from_dtotal * from_x_hat
            for j in range(columns):
                sums[0, j] += sum_of_dtotal[j]
                sums[1, j] += sum_of_x_hat[j]
                sums[2, j] += product_of_dtotal_x_hat[j]
        if step == 2:
            for k in range(columns):
                other = float((end - begin - 1) // skip + 1)
                near = real(sums[0, k] / other + pivot_of_dtotal[k])
                pivot_of_dtotal[k] = near if np.isfinite(near) else real(0)
                near = real(sums[1, k] / other + pivot_of_x_hat[k])
                pivot_of_x_hat[k] = near if np.isfinite(near) else real(0)
    # what follows from the sums of dtotal, x_hat
    if first_step <= 4 < last_step:
        for k in range(columns // shape[2]):
            at = k
            count = float(total)
            total_dtotal = sums[0, at] + count * float(pivots[0][at])
            moment_dtotal_x_hat = sums[2, at] - sums[0, at] * (sums[1, at] / count)
            m = float(shape[0] * shape[2])
            mean_dtotal = total_dtotal / m
            dgamma = moment_dtotal_x_hat
            dbeta = m * mean_dtotal
            mean_dtotal_centred_x_hat = dgamma / m
            dgamma_all[k] = dgamma
            dbeta_all[k] = dbeta
            mean_dtotal_slot[at] = mean_dtotal
            mean_dtotal_centred_x_hat_slot[at] = mean_dtotal_centred_x_hat
    # dx and dresidual
    if first_step <= 5 < last_step:
        for o in range(min(last_part, rows) - 1, first_part - 1, -1):  # the last read are still near
            first_e = o * width + first
            for j in range(columns):
                e = np.uintp(first_e + j)
                k = j
                at = k
                mean = mean_all[k]
                mean_rounding = mean_rounding_slot[at]
                inv_std = inv_std_all[k]
                beta = beta_all[k]
                gamma = gamma_all[k]
                mean_dtotal = mean_dtotal_slot[at]
                mean_dtotal_centred_x_hat = mean_dtotal_centred_x_hat_slot[at]
                scale = gamma * inv_std
                scale = real(scale)
                dy = dy_all[e]
                x = x_all[e]
                residual = residual_all[e]
                x_shifted = x - mean
                x_centred = x_shifted - mean_rounding
                x_hat = inv_std * x_centred
                z = gamma * x_hat + beta
                total_ = residual + z
                dtotal = dy * _step(total_)
                dtotal_centred = dtotal - mean_dtotal
                dx = (dtotal_centred - mean_dtotal_centred_x_hat * x_hat) * scale
                dresidual = dtotal
                dx_all[e] = dx
                dresidual_all[e] = dresidual
    return misfits


@_compiled
def _inference_1_along(
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    mean_all,
    var_all,
    y_all,
    eps_given,
    shape,
    slots,
    pivots,
    sums,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """y: some channels, some parts of them, some steps."""
    real = x_all.dtype.type
    kept, run, runs = shape[1], shape[2], 1
    total = shape[0] * runs * run
    misfits = 0
    for k in range(first, last):
        # y
        if first_step <= 0 < last_step:
            beta = beta_all[k]
            mean = mean_all[k]
            eps = eps_given
            var = var_all[k]
            gamma = gamma_all[k]
            inv_std = 1 / math.sqrt(eps + var)
            scale = gamma * inv_std
            scale = real(scale)
            begin, end = first_part, min(last_part, total)
            while begin < end:
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, end - begin)
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    x = x_all[e]
                    residual = residual_all[e]
                    z = (x - mean) * scale + beta
                    total_ = residual + z
                    y = _larger(total_, real(0))
                    y_all[e] = y
                begin += n
    return misfits


@_compiled
def _inference_1_across(
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    mean_all,
    var_all,
    y_all,
    eps_given,
    shape,
    slots,
    pivots,
    sums,
    work,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """y: some channels, some parts of them, some steps."""
    real = x_all.dtype.type
    rows, width = shape[0], shape[1] * shape[2]
    columns, misfits = last - first, 0
    # y
    if first_step <= 0 < last_step:
        for o in range(min(last_part, rows) - 1, first_part - 1, -1):  # the last read are still near
            first_e = o * width + first
            for j in range(columns):
                e = np.uintp(first_e + j)
                k = j
                beta = beta_all[k]
                mean = mean_all[k]
                eps = eps_given
                var = var_all[k]
                gamma = gamma_all[k]
                inv_std = 1 / math.sqrt(eps + var)
                scale = gamma * inv_std
                scale = real(scale)
                x = x_all[e]
                residual = residual_all[e]
                z = (x - mean) * scale + beta
                total_ = residual + z
                y = _larger(total_, real(0))
                y_all[e] = y
    return misfits


@_compiled
def _inference_backward_1_along(
    dy_all,
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    mean_all,
    var_all,
    dx_all,
    dresidual_all,
    dgamma_all,
    dbeta_all,
    eps_given,
    shape,
    slots,
    pivots,
    sums,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """dx and dresidual: some channels, some parts of them, some steps."""
    real = dy_all.dtype.type
    kept, run, runs = shape[1], shape[2], 1
    total = shape[0] * runs * run
    misfits = 0
    for k in range(first, last):
        at = k * keep
        # sums of dy_step_total_x_hat, dy_step_total and dx and dresidual
        if first_step <= 0 < last_step:
            limit = _BLOCK
            mean = mean_all[k]
            beta = beta_all[k]
            gamma = gamma_all[k]
            eps = eps_given
            var = var_all[k]
            inv_std = 1 / math.sqrt(eps + var)
            scale = gamma * inv_std
            inv_std = real(inv_std)
            scale = real(scale)
            for item in range(2):
                sums[item, at] = 0
            begin, end = first_part, min(last_part, total)
            while begin < end:
                sum_of_dy_step_total_x_hat = real(0)
                sum_of_dy_step_total = real(0)
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, min(end - begin, limit))
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    dy = dy_all[e]
                    x = x_all[e]
                    residual = residual_all[e]
                    x_hat = (x - mean) * inv_std
                    z = gamma * x_hat + beta
                    total_ = residual + z
                    step_total = _step(total_)
                    dx = dy * scale * step_total
                    dresidual = dy * step_total
                    sum_of_dy_step_total_x_hat = _plus(sum_of_dy_step_total_x_hat, dy * step_total * x_hat)
                    sum_of_dy_step_total = _plus(sum_of_dy_step_total, dy * step_total)
                    dx_all[e] = dx
                    dresidual_all[e] = dresidual
                sums[0, at] += sum_of_dy_step_total_x_hat
                sums[1, at] += sum_of_dy_step_total
                begin += n
        # what follows from the sums of dy_step_total_x_hat, dy_step_total
        if first_step <= 1 < last_step:
            total_dy_step_total_x_hat = sums[0, at]
            total_dy_step_total = sums[1, at]
            dgamma = total_dy_step_total_x_hat
            dbeta = total_dy_step_total
            dgamma_all[k] = dgamma
            dbeta_all[k] = dbeta
    return misfits


@_compiled
def _inference_backward_1_across(
    dy_all,
    x_all,
    residual_all,
    gamma_all,
    beta_all,
    mean_all,
    var_all,
    dx_all,
    dresidual_all,
    dgamma_all,
    dbeta_all,
    eps_given,
    shape,
    slots,
    pivots,
    sums,
    work,
    keep,
    probe,
    first,
    last,
    first_part,
    last_part,
    first_step,
    last_step,
):
    """dx and dresidual: some channels, some parts of them, some steps."""
    real = dy_all.dtype.type
    rows, width = shape[0], shape[1] * shape[2]
    columns, misfits = last - first, 0
    # sums of dy_step_total_x_hat, dy_step_total and dx and dresidual
    if first_step <= 0 < last_step:
        sum_of_dy_step_total_x_hat = work[0]
        sum_of_dy_step_total = work[1]
        skip = 1
        begin, end = first_part, min(last_part, rows)
        for j in range(columns):
            for item in range(2):
                sums[item, j] = 0
        for begin_rows in range(begin, end, skip * _ROWS):
            for j in range(columns):
                sum_of_dy_step_total_x_hat[j] = 0
                sum_of_dy_step_total[j] = 0
            for o in range(begin_rows, min(begin_rows + skip * _ROWS, end), skip):
                first_e = o * width + first
                for j in range(columns):
                    e = np.uintp(first_e + j)
                    k = j
                    at = k
                    mean = mean_all[k]
                    beta = beta_all[k]
                    gamma = gamma_all[k]
                    eps = eps_given
                    var = var_all[k]
                    inv_std = 1 / math.sqrt(eps + var)
                    scale = gamma * inv_std
                    inv_std = real(inv_std)
                    scale = real(scale)
                    dy = dy_all[e]
                    x = x_all[e]
                    residual = residual_all[e]
                    x_hat = (x - mean) * inv_std
                    z = gamma * x_hat + beta
                    total_ = residual + z
                    step_total = _step(total_)
                    dx = dy * scale * step_total
                    dresidual = dy * step_total
                    sum_of_dy_step_total_x_hat[j] += dy * step_total * x_hat
                    sum_of_dy_step_total[j] += dy * step_total
                    dx_all[e] = dx
                    dresidual_all[e] = dresidual
            for j in range(columns):
                sums[0, j] += sum_of_dy_step_total_x_hat[j]
                sums[1, j] += sum_of_dy_step_total[j]
    # what follows from the sums of dy_step_total_x_hat, dy_step_total
    if first_step <= 1 < last_step:
        for k in range(columns // shape[2]):
            at = k
            total_dy_step_total_x_hat = sums[0, at]
            total_dy_step_total = sums[1, at]
            dgamma = total_dy_step_total_x_hat
            dbeta = total_dy_step_total
            dgamma_all[k] = dgamma
            dbeta_all[k] = dbeta
    return misfits


class _Stage(NamedTuple):
    """Sweeps over the same dimensions of the view: those it sums over first, those it keeps, those it sums over last.

    `sums`: how many numbers of each channel are added up; `pivots`: over how many; `largest`: those that are maxima.
    """

    along: Any
    across: Any
    outer: tuple[int, ...]
    kept: tuple[int, ...]
    inner: tuple[int, ...]
    steps: tuple[str, ...]
    sums: int
    pivots: int
    largest: tuple[int, ...]


class _Function(NamedTuple):
    """How many numbers of each channel sweeps hand on, and its stages.

    `scaled`: the arrays that may be in units; `constants`: the numbers that are added to their squares.
    """

    slots: int
    stages: tuple[_Stage, ...]
    scaled: tuple[int, ...] = ()
    constants: tuple[int, ...] = ()


_FUNCTIONS = {
    "forward": _Function(
        3,
        (
            _Stage(
                _forward_1_along,
                _forward_1_across,
                (0,),
                (1,),
                (2,),
                ("probe", "sum", "settle", "write"),
                2,
                1,
                (),
            ),
        ),
        scaled=(0,),
        constants=(0,),
    ),
    "backward": _Function(
        3,
        (
            _Stage(
                _backward_1_along,
                _backward_1_across,
                (0,),
                (1,),
                (2,),
                ("sum", "settle", "probe", "sum", "settle", "write"),
                3,
                2,
                (),
            ),
        ),
    ),
    "inference": _Function(
        0,
        (
            _Stage(
                _inference_1_along,
                _inference_1_across,
                (0,),
                (1,),
                (2,),
                ("write",),
                0,
                0,
                (),
            ),
        ),
    ),
    "inference_backward": _Function(
        0,
        (
            _Stage(
                _inference_backward_1_along,
                _inference_backward_1_across,
                (0,),
                (1,),
                (2,),
                ("sum", "settle"),
                2,
                0,
                (),
            ),
        ),
    ),
}


@np.errstate(all="ignore")
def _run(
    function: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    arrays: list[Array],
    vectors: list[Array],
    numbers: list[float],
    outputs: list[Array],
    results: list[Array],
    threads: int,
) -> None:
    """Compute a function on arrays of any layout; what is computed beside a result is copied into it.

    Where the data are empty, sums over nothing are 0.
    """
    if 0 in shape:
        for result in (*outputs, *results):
            result.fill(0)
        return
    compute = np.dtype(_COMPUTE[dtype])
    given = [_flat(a, a.dtype if a.dtype == bool else compute) for a in arrays]
    written = [_room(o, compute) for o in outputs]
    kept = [_room(r, r.dtype) for r in results]
    made = _FUNCTIONS[function]
    several = max(math.prod(shape[d] for d in s.kept) for s in made.stages) if len(made.stages) > 1 else 1
    slots = tuple(np.empty((made.slots, several), compute))
    vectors = [_flat(v, compute) for v in vectors]
    call = _Call(made, shape, given, vectors, written, kept, slots, numbers, compute, threads)
    for stage in made.stages:
        _go(call, stage)
    for room, result in zip([*written, *kept], [*outputs, *results], strict=True):
        if not np.may_share_memory(room, result):
            result[...] = room.reshape(result.shape)


def _flat(array: Array, dtype: Any) -> Array:
    """The elements one after the other, where compiled code can read them, in a dtype."""
    if array.dtype != dtype or not array.flags.carray:
        read_only = array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned
        with np.errstate(all="ignore"):
            array = np.asarray(_Writeable(array)) if read_only else array.astype(dtype, order="C")
    return array.reshape(-1)


class _Writeable:
    """A read-only array as one that could be written to, which nothing does: else it would be compiled for anew."""

    def __init__(self, array: Array):
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}
        self.array = array


def _room(result: Array, dtype: Any) -> Array:
    """The result itself, or, where it cannot be written to in order, room beside it."""
    direct = result.dtype == dtype and result.flags.carray
    return result.reshape(-1) if direct else np.empty(result.size, dtype)


_SMALL = 1 << 18  # bytes of data that one thread is done with before others have begun
_PART = 1 << 16  # elements that are worth a part of their own
_TILE = 1 << 12  # columns that are worked on side by side at most, where a channel has several
_NEAR = 1 << 21  # bytes that a core keeps near


class _Call(NamedTuple):
    """A call of one function: what it is given, flat, where its results go, and how many threads share the work."""

    made: _Function
    shape: tuple[int, ...]
    arrays: list[Array]
    vectors: list[Array]
    outputs: list[Array]
    results: list[Array]
    slots: tuple[Array, ...]
    numbers: list[float]
    dtype: np.dtype[Any]
    threads: int


class _Way(NamedTuple):
    """How a stage goes over its data: across channels or along them; so many channels at a time, in so many parts.

    The shape alone decides, so that the bits are the same for any number of threads.
    """

    across: bool
    outer: int
    kept: int
    inner: int
    length: int
    unit: int
    parts: int


@lru_cache(maxsize=1024)
def _way(
    outer: tuple[int, ...],
    kept: tuple[int, ...],
    inner: tuple[int, ...],
    across: bool,
    along: bool,
    alone: bool,
    size: int,
) -> _Way:
    """A stage whose dimensions have these lengths; `size` is that of an element of all arrays."""
    rows, channels, columns = math.prod(outer), math.prod(kept), math.prod(inner)
    if across and not (along and (inner[-1] >= 64 or rows < 8)):
        unit = max(_TILE // columns, 1)
        whole = alone and (columns > 1 or rows * channels * size <= _NEAR)
        parts = 1 if whole else max(min(rows * channels * columns // _PART, rows // 64, 8), 1)
        return _Way(True, rows, channels, columns, rows, unit if whole else channels, parts)
    total = rows * columns
    parts = 1 if channels >= 16 else max(min(total // _PART, 8), 1)
    return _Way(False, rows, channels, columns, total, 1 if parts == 1 else channels, parts)


def _go(call: _Call, stage: _Stage) -> None:
    """Take the data through one stage: each unit of channels through all steps, several of them at a time."""
    lengths = [tuple(call.shape[d] for d in dims) for dims in (stage.outer, stage.kept, stage.inner)]
    size = call.dtype.itemsize * len(call.arrays)
    alone = len(call.made.stages) == 1
    way = _way(*lengths, stage.across is not None, stage.along is not None, alone, size)
    threads = call.threads if way.outer * way.kept * way.inner * size > _SMALL else 1
    units = np.ones(way.kept if call.made.scaled else 0, call.dtype)
    if way.parts > 1 or (way.across and not alone):
        _Unit(call, stage, way, 0, way.kept, units, threads).go()
        return
    step = min(way.unit, -(-way.kept // threads)) if way.across else -(-way.kept // (4 * threads if threads > 1 else 1))
    ranges = [(first, min(first + step, way.kept)) for first in range(0, way.kept, step)]
    _together([_Unit(call, stage, way, *r, units, 1).go for r in ranges], threads)


class _Unit:
    """Some channels of a stage, which are taken through all of its steps."""

    def __init__(self, call: _Call, stage: _Stage, way: _Way, first: int, last: int, units: Array, threads: int):
        self.call, self.stage, self.way, self.first, self.last, self.threads = call, stage, way, first, last, threads
        self.alone = len(call.made.stages) == 1
        self.sliced = way.across and self.alone
        self.wide = self.sliced and way.inner > 1
        self.keep = 0 if self.alone and not way.across and way.parts == 1 else 1
        self.channels = last - first if way.across else way.kept if self.keep else 1
        self.columns = self.channels * way.inner if way.across else self.channels
        self.slots = tuple(np.empty((len(call.slots), self.channels), call.dtype)) if self.alone else call.slots
        self.pivots = tuple(np.empty((stage.pivots, self.columns), call.dtype))
        self.sums = np.empty((stage.sums, self.columns))
        self.units = units[first:last] if self.sliced else units
        self.again = False

    @np.errstate(all="ignore")
    def go(self) -> None:
        """All steps: at once, or one after the other where parts of the data are put together between them."""
        end, all_of_it = len(self.stage.steps), (0, self.way.length)
        if self.way.parts > 1 or self.wide:
            self._one_by_one()
        elif self._steps(0, end, all_of_it, self.sums):
            self._take_units()
            self._steps(0, end, all_of_it, self.sums)

    def _one_by_one(self) -> None:
        n = start = 0
        while n < len(self.stage.steps):
            kind = self.stage.steps[n]
            if kind == "probe":
                self._probe(n)
            elif kind == "sum":
                self._sum(n)
            elif kind == "settle":
                pivots = self.pivots
                if self.wide:
                    self.pivots = tuple(p[:: self.way.inner].copy() for p in pivots)
                misfits = self._steps(n, n + 1, (0, 0), self.sums)
                self.pivots = pivots
                if misfits:
                    self._take_units()
                    n = start
                    continue
                start = n + 1
            else:
                _together([partial(self._steps, n, n + 1, p, self.sums) for p in self._parts()], self.threads)
            n += 1

    def _probe(self, n: int) -> None:
        self.sums = np.empty((self.stage.sums, self.columns))
        self._steps(n, n + 1, (0, self.way.length), self.sums)
        for p in self.pivots if self.wide else ():  # the columns of a channel have one pivot
            p[:] = np.repeat(p.reshape(self.channels, self.way.inner).mean(axis=1), self.way.inner)

    def _sum(self, n: int) -> None:
        """The sums of the parts, then of these, in their order."""
        parts = self._parts()
        sums = np.empty((len(parts), self.stage.sums, self.columns))
        _together([partial(self._steps, n, n + 1, p, s) for p, s in zip(parts, sums, strict=True)], self.threads)
        several = sums.reshape(len(parts), self.stage.sums, self.channels, -1)
        self.sums = several.sum(axis=(0, 3))
        for k in self.stage.largest:
            self.sums[k] = several[:, k].max(axis=(0, 2))

    def _parts(self) -> list[tuple[int, int]]:
        step = -(-self.way.length // self.way.parts)
        return [(at, min(at + step, self.way.length)) for at in range(0, self.way.length, step)]

    def _steps(self, first_step: int, last_step: int, part: tuple[int, int], sums: Array) -> int:
        """Have compiled code take some steps; how many channels were found that need other units."""
        call, way = self.call, self.way
        vectors, results, slots = call.vectors, call.results, self.slots
        units = self.units
        if self.sliced:
            vectors = [v[self.first : self.last] for v in vectors]
            results = [r[self.first : self.last] for r in results]
        if self.wide and self.stage.steps[first_step] != "settle":
            vectors = [np.repeat(v, way.inner) for v in vectors]
            slots = tuple(np.repeat(s, way.inner) for s in slots)
            units = np.repeat(units, way.inner)
        given = [*call.arrays, *vectors, *call.outputs, *results, *call.numbers, call.shape, slots, self.pivots, sums]
        wanted = int(math.sqrt(way.length))
        first, last = self.first, self.last
        if way.across:
            given.append(tuple(np.empty((self.stage.sums, self.columns), call.dtype)))
            first, last, probe = first * way.inner, last * way.inner, max(way.length // max(wanted, 8), 1)
        else:
            probe = max(way.length // -(-wanted // 32) - 32, 0)
        given += [units, self.again] if call.made.scaled else []
        compiled = self.stage.across if way.across else self.stage.along
        found: int = compiled(*given, self.keep, probe, first, last, *part, first_step, last_step)
        return found

    def _take_units(self) -> None:
        """The channels whose squares overflowed or vanished get units in which they do not: powers of two, so exact.

        These enlarge only where squares may vanish: a constant, which they are added to, could overflow.
        """
        call, way = self.call, self.way
        misfits = np.flatnonzero(self.units == 0)
        at = misfits + (self.first if self.sliced else 0)
        info, view = np.finfo(call.dtype), (way.outer, way.kept, way.inner)
        largest = np.zeros(len(misfits))
        taken = next((m.reshape(view)[:, at] for m in call.arrays if m.dtype == bool), True)
        for n in call.made.scaled:
            values = np.where(taken, call.arrays[n].reshape(view)[:, at], 0)
            largest = np.maximum(largest, np.maximum(values.max(axis=(0, 2)), -values.min(axis=(0, 2))))
        vanish = all(call.numbers[n] < info.tiny for n in call.made.constants)
        exponent = np.clip(np.frexp(largest)[1], 2 - info.maxexp if vanish else 0, info.maxexp - 2)
        fits = np.isfinite(largest) & (largest > 0)
        self.units[misfits] = np.where(fits, np.ldexp(1.0, -exponent), 1.0)
        self.again = True


def _together(tasks: list[Callable[[], Any]], threads: int) -> None:
    """Do all tasks, in as many threads as are wanted."""
    left = iter(tasks)

    def work() -> None:
        for task in left:
            task()

    others = _submitted(work, min(threads, len(tasks)) - 1)
    try:
        work()
    finally:
        for other in others:
            other.result()


@cache
def _pool(process: int, workers: int) -> ThreadPoolExecutor:
    """Threads of this process: one that was forked from another has none of its."""
    return ThreadPoolExecutor(workers, thread_name_prefix="bnsym")


def _submitted(work: Callable[[], None], workers: int) -> list[Future[None]]:
    """Work that other threads have been given: none at the end of the process, when there are no more to be had."""
    if workers < 1:
        return []
    try:
        pool = _pool(os.getpid(), workers)
        return [pool.submit(work) for _ in range(workers)]
    except RuntimeError:
        return []


def _threads(threads: int | None) -> int:
    """How many threads may share the work: BNSYM_NUM_THREADS, or as many as there are processors."""
    if threads is not None:
        wanted, name = _whole("threads", threads), "threads"
    else:
        given, name = os.environ.get("BNSYM_NUM_THREADS", ""), "BNSYM_NUM_THREADS"
        if not given:
            return _processors()
        wanted = int(given) if given.isdecimal() else 0
    if wanted < 1:
        raise ValueError(f"{name} needs at least 1 thread, got {threads if threads is not None else given}")
    return wanted


@cache
def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _per_channel(name: str, value: Any, shape: tuple[int, ...], dtype: Any, absent: float | None = None) -> Array:
    """A number for each channel in the dtype that is computed in; None is what an absent parameter stands for."""
    if value is None and absent is not None:
        return np.full(math.prod(shape), absent, dtype)
    value = _array(name, value)
    if value.shape != shape:
        raise ValueError(f"{name} needs shape {shape}, got {value.shape}")
    return _flat(value, dtype)


_BLOCK = 128
_ONES = {np.dtype(dtype): np.ones(_BLOCK, dtype) for dtype in (np.float32, np.float64)}


def _sum(a: Array, axes: tuple[int, ...]) -> Any:
    """The sum over axes: in blocks in a's own dtype, the blocks in float64; the same order every time."""
    if axes[-1] == a.ndim - 1 and (a.shape[-1] == 1 or a.strides[-1] == a.itemsize):
        a, axes = _sum_last(a), axes[:-1]
    if not axes:
        return a.astype(np.float64)  # a copy: what it is a view of may be written to before it is used
    if axes != tuple(range(len(axes))):
        a = np.moveaxis(a, axes, range(len(axes)))
    if a.ndim == 2 and axes == (0,):
        return _sum_rows(a)
    kept = a.shape[len(axes) :]
    return _sum_rows(a.reshape(math.prod(a.shape[: len(axes)]), math.prod(kept))).reshape(kept)


def _sum_last(a: Array) -> Array:
    """The sum over the last axis, whose elements lie side by side: NumPy adds such ones in pairs, BLAS few of them."""
    size = a.shape[-1]
    if size == 1:
        return a[..., 0]
    if size > _BLOCK:
        return np.add.reduce(a, axis=-1)
    return a.reshape(math.prod(a.shape[:-1]), size).dot(_ONES[a.dtype][:size]).reshape(a.shape[:-1])


def _sum_rows(a: Array) -> Array:
    """The sum over the first of two axes, as products with ones, which BLAS does."""
    rows, ones = len(a), _ONES[a.dtype]
    if rows <= _BLOCK:
        return ones[:rows].dot(a).astype(np.float64)
    whole = rows - rows % _BLOCK
    blocks = np.matmul(ones, a[:whole].reshape(whole // _BLOCK, _BLOCK, a.shape[1]))
    return np.add.reduce(blocks, axis=0, dtype=np.float64) + ones[: rows - whole].dot(a[whole:])


def _channels(x: Array, channel_axis: int) -> tuple[int, int, int]:
    """The view of x: what comes before the channel axis, the channels, and what comes after."""
    if x.ndim < 2:
        raise ValueError(f"x needs at least 2 axes, got shape {x.shape}")
    axis = _whole("channel_axis", channel_axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"channel_axis needs an axis of x, which has shape {x.shape}, got {axis}")
    axis %= x.ndim
    return math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])


def _target(result: Array, shape: tuple[int, ...]) -> Array:
    """The result as a view of the shape that is computed in, or, where there is no such view, room beside it."""
    return result.reshape(shape) if result.flags.c_contiguous else np.empty(shape, result.dtype)


def _deliver(target: Array, result: Array) -> None:
    """What was computed beside a result is copied into it."""
    if not np.may_share_memory(target, result):
        np.copyto(result, target.reshape(result.shape))


def _check_like(name: str, value: Array, other_name: str, other: Array) -> None:
    if value.shape != other.shape:
        raise ValueError(f"{name} needs {other_name}'s shape {other.shape}, got {value.shape}")
    if value.dtype != other.dtype:
        raise ValueError(f"{name} needs {other_name}'s dtype {other.dtype}, got {value.dtype}")


def _array(name: str, value: Any) -> Array:
    """A plain array of a supported dtype."""
    if type(value) is np.ndarray and value.dtype in _COMPUTE:
        return value
    wanted = "a NumPy array of float16, float32 or float64 in native byte order"
    if not isinstance(value, np.ndarray) or isinstance(value, (np.matrix, np.ma.MaskedArray)):
        raise TypeError(f"{name} needs {wanted}, got {type(value).__name__}")
    if value.dtype not in _COMPUTE:
        raise TypeError(f"{name} needs {wanted}, got dtype {value.dtype}")
    return np.asarray(value)


def _optional(name: str, value: Any, like: Array, absent: float = 0.0) -> Array:
    """An array of the data's shape and dtype; None is what an absent one stands for, zero for a tangent."""
    if value is None:
        return np.full_like(like, absent)
    value = _array(name, value)
    _check_like(name, value, "x", like)
    return value


def _vector(name: str, value: Any, shape: tuple[int, ...], absent: float | None = None) -> Array:
    """A per-channel array in float64; None is what an absent parameter stands for."""
    if value is None and absent is not None:
        return np.full(shape, float(absent))
    value = _array(name, value)
    if value.shape != shape:
        raise ValueError(f"{name} needs shape {shape}, got {value.shape}")
    return value.astype(np.float64, copy=False)


def _number(name: str, value: Any) -> float:
    """A real number of any kind, infinite or NaN ones as well; an array without axes holds one."""
    if type(value) is float:
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, Number) or isinstance(value, (bool, complex, np.complexfloating)):
        raise TypeError(f"{name} needs a real number, got {type(value).__name__}")
    try:
        return float(value)  # type: ignore[arg-type]  # a number that is not complex
    except (ValueError, OverflowError):
        raise ValueError(f"{name} needs a number within float64's range, got a larger {type(value).__name__}") from None


def _constant(name: str, value: Any, at_least: float, at_most: float = math.inf) -> float:
    number = _number(name, value)
    if at_least <= number <= at_most and number < math.inf:
        return number
    wanted = f"number from {at_least} to {at_most}" if at_most < math.inf else f"finite number of at least {at_least}"
    raise ValueError(f"{name} needs a {wanted}, got {number}")


def _whole(name: str, value: Any) -> int:
    """An integer of any kind; an array without axes may hold it."""
    given: Any = None if isinstance(value, bool) else value
    try:
        return operator.index(given)
    except TypeError:
        raise TypeError(f"{name} needs an integer, got {type(value).__name__}") from None


def _count(name: str, value: Any) -> int:
    """A number of examples from which a variance can be told: m / (m - 1) needs two."""
    count = _whole(name, value)
    if count < 2:
        raise ValueError(f"{name} needs at least 2 examples for an unbiased variance, got {count}")
    return count


def _results(
    out: Any,
    wanted: Sequence[tuple[tuple[int, ...], np.dtype[Any]]],
    inputs: Sequence[Array | None],
    in_place: bool,
) -> list[Array]:
    """The arrays of `out` after checks, and new ones where it has None. The first may be an input, if `in_place`."""
    given = out if isinstance(out, tuple) else (out, *(None for _ in wanted[1:]))
    if len(given) != len(wanted):
        raise ValueError(f"out needs {len(wanted)} arrays, got {len(given)}")
    taken = [a for a in inputs if a is not None]
    results: list[Array] = []
    for array, (shape, dtype) in zip(given, wanted, strict=True):
        if array is None:
            results.append(np.empty(shape, dtype))
            continue
        _check_out(array, shape, dtype)
        for other in taken:
            if np.may_share_memory(array, other) and _overlap(array, other, in_place and not results):
                raise ValueError("out needs memory of its own, got memory of another array of the call")
        taken.append(array)
        results.append(array)
    return results


def _check_out(array: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    _array("out", array)
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"out needs shape {shape} and dtype {dtype}, got shape {array.shape} and dtype {array.dtype}")
    flags = array.flags
    if not flags.writeable:
        raise ValueError("out needs a writeable array, got a read-only one")
    if not flags.c_contiguous and any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True)):
        raise ValueError("out needs an array of its own memory, got a broadcast one")


def _overlap(array: Array, other: Array, in_place: bool) -> bool:
    """Whether two arrays share memory without being, where that is allowed, one and the same."""
    first, second = array.__array_interface__, other.__array_interface__
    same = first["data"][0] == second["data"][0] and all(first[k] == second[k] for k in ("strides", "shape", "typestr"))
    return not (in_place and same) and np.shares_memory(array, other)


def _kept(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Statistics and parameter gradients: float64 for float64 data, else float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def _check_saved(saved: Any) -> None:
    """What this module saved, or a module that means the same by it: a copy, or one with the same statistics."""
    if type(saved) is not Saved and getattr(saved, "_meaning", None) != _MEANING:
        got = getattr(saved, "_meaning", type(saved).__name__)
        raise TypeError(f"saved needs what forward returned ({_MEANING}), got {got}")


def _check_count(value: Any, count: int) -> None:
    if _whole("saved.count", value) != count:
        raise ValueError(f"saved.count needs to be {count}, the number of elements in each statistic, got {value}")
