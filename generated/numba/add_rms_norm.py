"""A residual added, then RMS normalization.

Source: Zhang & Sennrich 2019, after a residual.

    total = residual + x
    mean_square = Sum(total**2, d) / features
    x_hat = total / sqrt(eps + mean_square)
    y = gamma * x_hat

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
    "jvp",
]

Array = np.ndarray[Any, np.dtype[Any]]

# Arrays of each dtype are computed in the dtype on the right; sums over them are carried on in float64.
_COMPUTE = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}


_MEANING = "mean_square, inv_rms, count of each row"


class Saved(NamedTuple):
    """What `forward` keeps for `backward`."""

    mean_square: Array
    inv_rms: Array
    count: int  # type: ignore[assignment]  # the field hides tuple.count

    @property
    def _meaning(self) -> str:
        """What tells it from what another definition saves in fields of the same names."""
        return _MEANING


def forward(
    x: Array,
    residual: Array,
    gamma: Array | None,
    *,
    eps: float = 1e-06,
    normalized_ndim: int | None = None,
    out: Array | None = None,
    threads: int | None = None,
) -> tuple[Array, Saved]:
    """Compute y as the definition states it (Zhang & Sennrich 2019, after a residual).

    Computes:
        total = residual + x
        mean_square = Sum(total**2, d) / features
        inv_rms = 1 / sqrt(eps + mean_square)
        x_hat = inv_rms * total
        y = gamma * x_hat

    Args:
        x: float16, float32 or float64, 1 axis or more
        residual: float16, float32 or float64, 1 axis or more, as x
        gamma: float16, float32 or float64, the trailing axes' shape; None stands for 1
        eps: a number, at least 0
        normalized_ndim: how many trailing axes to normalize over, where no parameter says it
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
    leading, trailing = _rows(x, normalized_ndim, None, gamma=gamma)
    shape = (math.prod(leading), math.prod(trailing))
    _check_like("residual", residual, "x", x)
    features = shape[1]
    if features == 0:
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
            [x, residual, gamma],
            in_place=True,
        )
    mean_square = np.empty(leading, kept_dtype)
    inv_rms = np.empty(leading, kept_dtype)
    gamma = _per_channel("gamma", gamma, trailing, _COMPUTE[x.dtype], absent=1)
    eps = _constant("eps", eps, at_least=0.0)
    threads = _threads(threads)
    _run(
        "forward",
        x.dtype,
        shape,
        arrays=[x, residual],
        vectors=[gamma],
        numbers=[eps],
        outputs=[y_result],
        results=[mean_square, inv_rms],
        threads=threads,
    )
    saved = Saved(
        mean_square,
        inv_rms,
        features,
    )
    return y_result, saved


def backward(
    dy: Array,
    x: Array,
    residual: Array,
    gamma: Array | None,
    saved: Saved,
    *,
    normalized_ndim: int | None = None,
    out: Array | tuple[Array | None, ...] | None = None,
    threads: int | None = None,
) -> tuple[Array, Array, Array | None]:
    """Compute the gradients of sum(dy * y), in closed form.

    Computes:
        total = residual + x
        x_hat = inv_rms * total
        dgamma = Sum(dy * x_hat, n)
        dx_hat = dy * gamma
        sum_dx_hat_x_hat = Sum(dx_hat * x_hat, d)
        mean_dx_hat_x_hat = sum_dx_hat_x_hat / features
        dtotal = (dx_hat - mean_dx_hat_x_hat * x_hat) * inv_rms
        dx = dtotal
        dresidual = dtotal

    Args:
        dy: gradient of the loss to y, 1 axis or more
        x: float16, float32 or float64, 1 axis or more
        residual: float16, float32 or float64, 1 axis or more, as x
        gamma: float16, float32 or float64, the trailing axes' shape; None stands for 1
        saved: what `forward` returned
        normalized_ndim: how many trailing axes to normalize over, where no parameter says it
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape and dtype of x
        dresidual: shape and dtype of x
        dgamma: the trailing axes' shape, float64 for float64 data, else float32; None where its parameter is

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    has_gamma = gamma is not None
    dy = _array("dy", dy)
    x = _array("x", x)
    residual = _array("residual", residual)
    leading = _saved_shape(saved, "inv_rms")
    leading, trailing = _rows(x, normalized_ndim, leading, gamma=gamma)
    shape = (math.prod(leading), math.prod(trailing))
    _check_like("dy", dy, "x", x)
    _check_like("residual", residual, "x", x)
    features = shape[1]
    kept_dtype = _kept(x.dtype)
    if out is None:
        dx_result = np.empty(x.shape, x.dtype)
        dresidual_result = np.empty(x.shape, x.dtype)
        dgamma_result = np.empty(trailing, kept_dtype)
    else:
        dx_result, dresidual_result, dgamma_result = _results(
            out,
            [
                (x.shape, x.dtype),
                (x.shape, x.dtype),
                (trailing, kept_dtype),
            ],
            [dy, x, residual, gamma, *saved[:2]],
            in_place=True,
        )
    gamma = _per_channel("gamma", gamma, trailing, _COMPUTE[x.dtype], absent=1)
    inv_rms = _per_channel("saved.inv_rms", saved.inv_rms, leading, _COMPUTE[x.dtype])
    _check_count(saved.count, features)
    threads = _threads(threads)
    _run(
        "backward",
        x.dtype,
        shape,
        arrays=[dy, x, residual],
        vectors=[gamma, inv_rms],
        numbers=[],
        outputs=[dx_result, dresidual_result],
        results=[dgamma_result],
        threads=threads,
    )
    return dx_result, dresidual_result, dgamma_result if has_gamma else None


@np.errstate(all="ignore")
def jvp(
    x: Array,
    residual: Array,
    gamma: Array | None,
    tx: Array | None,
    tresidual: Array | None,
    tgamma: Array | None,
    *,
    eps: float = 1e-06,
    normalized_ndim: int | None = None,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute y and the derivative in the direction of the tangents (forward mode).

    Computes:
        total = residual + x
        x_hat = inv_rms * total
        ttotal = tresidual + tx
        sum_ttotal_x_hat = Sum(ttotal * x_hat, d)
        mean_ttotal_x_hat = sum_ttotal_x_hat / features
        tx_hat = (ttotal - mean_ttotal_x_hat * x_hat) * inv_rms
        ty = gamma * tx_hat + tgamma * x_hat

    Args:
        x: float16, float32 or float64, 1 axis or more
        residual: float16, float32 or float64, 1 axis or more, as x
        gamma: float16, float32 or float64, the trailing axes' shape; None stands for 1
        tx: tangent of x, 1 axis or more; None stands for 0
        tresidual: tangent of residual, 1 axis or more; None stands for 0
        tgamma: tangent of gamma, the trailing axes' shape; None stands for 0
        eps: a number, at least 0
        normalized_ndim: how many trailing axes to normalize over, where no parameter says it
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        y: shape and dtype of x
        ty: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    y_result, saved = forward(x, residual, gamma, eps=eps, normalized_ndim=normalized_ndim, threads=threads)
    x = _array("x", x)
    residual = _array("residual", residual)
    tx = _optional("tx", tx, x)
    tresidual = _optional("tresidual", tresidual, x)
    leading, trailing = _rows(x, normalized_ndim, None, gamma=gamma, tgamma=tgamma)
    shape = (math.prod(leading), math.prod(trailing))
    _check_like("residual", residual, "x", x)
    features = shape[1]
    ty_result = np.empty(x.shape, x.dtype)
    gamma = _vector("gamma", gamma, trailing, absent=1).reshape(-1)
    tgamma = _vector("tgamma", tgamma, trailing, absent=0).reshape(-1)
    inv_rms = _vector("saved.inv_rms", saved.inv_rms, leading).reshape(-1)
    dtype = _COMPUTE[x.dtype]
    x = x.reshape(shape).astype(dtype, copy=False)
    residual = residual.reshape(shape).astype(dtype, copy=False)
    tx = tx.reshape(shape).astype(dtype, copy=False)
    tresidual = tresidual.reshape(shape).astype(dtype, copy=False)
    ty = _target(ty_result, shape)
    # total = residual + x
    total = np.add(residual, x)
    # x_hat = inv_rms * total
    np.multiply(total, inv_rms.astype(dtype, copy=False)[:, None], out=total)
    x_hat = total
    # ttotal = tresidual + tx
    ttotal = np.add(tresidual, tx)
    # sum_ttotal_x_hat = Sum(ttotal * x_hat, d)
    work = np.multiply(ttotal, x_hat)
    sum_ttotal_x_hat = _sum(work, (1,))
    mean_ttotal_x_hat = sum_ttotal_x_hat / features
    # tx_hat = (ttotal - mean_ttotal_x_hat * x_hat) * inv_rms
    np.multiply(x_hat, mean_ttotal_x_hat.astype(dtype, copy=False)[:, None], out=work)
    np.subtract(ttotal, work, out=ttotal)
    np.multiply(ttotal, inv_rms.astype(dtype, copy=False)[:, None], out=ttotal)
    tx_hat = ttotal
    # ty = gamma * tx_hat + tgamma * x_hat
    np.multiply(tx_hat, gamma.astype(dtype, copy=False), out=tx_hat)
    np.multiply(x_hat, tgamma.astype(dtype, copy=False), out=x_hat)
    np.add(tx_hat, x_hat, out=ty)
    _deliver(ty, ty_result)
    return y_result, ty_result


@np.errstate(all="ignore")
def double_backward(
    ddx: Array | None,
    ddresidual: Array | None,
    ddgamma: Array | None,
    dy: Array,
    x: Array,
    residual: Array,
    gamma: Array | None,
    saved: Saved,
    *,
    normalized_ndim: int | None = None,
    threads: int | None = None,
) -> tuple[Array, Array, Array, Array | None]:
    """Compute the gradients of `backward`'s results, each weighted by what it is multiplied with.

    Computes:
        total = residual + x
        x_hat = inv_rms * total
        dx_hat = dy * gamma
        sum_dx_hat_x_hat = Sum(dx_hat * x_hat, d)
        coef_g_dtotal = inv_rms * sum_dx_hat_x_hat / features
        g_dtotal = ddresidual + ddx
        sum_g_dtotal_x_hat = Sum(g_dtotal * x_hat, d)
        sum_dx_hat_g_dtotal = Sum(dx_hat * g_dtotal, d)
        mean_g_dtotal_x_hat = sum_g_dtotal_x_hat / features
        g_dx_hat = (g_dtotal - mean_g_dtotal_x_hat * x_hat) * inv_rms
        g_gamma = Sum(dy * g_dx_hat, n)
        g_dy = ddgamma * x_hat + g_dx_hat * gamma
        coef_dx_hat = inv_rms * mean_g_dtotal_x_hat
        g_x_hat = ddgamma * dy
        sum_g_x_hat_x_hat = Sum(g_x_hat * x_hat, d)
        coef_x_hat = 3 * inv_rms * mean_g_dtotal_x_hat * sum_dx_hat_x_hat / features - inv_rms *
            sum_dx_hat_g_dtotal / features - sum_g_x_hat_x_hat / features
        g_total = (coef_x_hat * x_hat + g_x_hat - coef_dx_hat * dx_hat - coef_g_dtotal * g_dtotal) * inv_rms
        g_x = g_total
        g_residual = g_total

    Args:
        ddx: gradient of the loss to dx, which `backward` gives, 1 axis or more; None stands for 0
        ddresidual: gradient of the loss to dresidual, which `backward` gives, 1 axis or more; None stands for 0
        ddgamma: gradient of the loss to dgamma, which `backward` gives, the trailing axes' shape; None stands
            for 0
        dy: gradient of the loss to y, 1 axis or more
        x: float16, float32 or float64, 1 axis or more
        residual: float16, float32 or float64, 1 axis or more, as x
        gamma: float16, float32 or float64, the trailing axes' shape; None stands for 1
        saved: what `forward` returned
        normalized_ndim: how many trailing axes to normalize over, where no parameter says it
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        g_dy: shape and dtype of x
        g_x: shape and dtype of x
        g_residual: shape and dtype of x
        g_gamma: the trailing axes' shape, float64 for float64 data, else float32; None where its parameter is

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    has_gamma = gamma is not None
    dy = _array("dy", dy)
    x = _array("x", x)
    residual = _array("residual", residual)
    ddx = _optional("ddx", ddx, x)
    ddresidual = _optional("ddresidual", ddresidual, x)
    leading = _saved_shape(saved, "inv_rms")
    leading, trailing = _rows(x, normalized_ndim, leading, ddgamma=ddgamma, gamma=gamma)
    shape = (math.prod(leading), math.prod(trailing))
    _check_like("dy", dy, "x", x)
    _check_like("residual", residual, "x", x)
    features = shape[1]
    kept_dtype = _kept(x.dtype)
    g_dy_result = np.empty(x.shape, x.dtype)
    g_x_result = np.empty(x.shape, x.dtype)
    g_residual_result = np.empty(x.shape, x.dtype)
    g_gamma_result = np.empty(trailing, kept_dtype)
    ddgamma = _vector("ddgamma", ddgamma, trailing, absent=0).reshape(-1)
    gamma = _vector("gamma", gamma, trailing, absent=1).reshape(-1)
    inv_rms = _vector("saved.inv_rms", saved.inv_rms, leading).reshape(-1)
    _check_count(saved.count, features)
    dtype = _COMPUTE[x.dtype]
    ddx = ddx.reshape(shape).astype(dtype, copy=False)
    ddresidual = ddresidual.reshape(shape).astype(dtype, copy=False)
    dy = dy.reshape(shape).astype(dtype, copy=False)
    x = x.reshape(shape).astype(dtype, copy=False)
    residual = residual.reshape(shape).astype(dtype, copy=False)
    g_dy = _target(g_dy_result, shape)
    g_x = _target(g_x_result, shape)
    g_residual = _target(g_residual_result, shape)
    # total = residual + x
    total = np.add(residual, x)
    # x_hat = inv_rms * total
    np.multiply(total, inv_rms.astype(dtype, copy=False)[:, None], out=total)
    x_hat = total
    # dx_hat = dy * gamma
    dx_hat = np.multiply(dy, gamma.astype(dtype, copy=False))
    # sum_dx_hat_x_hat = Sum(dx_hat * x_hat, d)
    work = np.multiply(dx_hat, x_hat)
    sum_dx_hat_x_hat = _sum(work, (1,))
    coef_g_dtotal = inv_rms * sum_dx_hat_x_hat / features
    # g_dtotal = ddresidual + ddx
    np.add(ddresidual, ddx, out=work)
    g_dtotal = work
    # sum_g_dtotal_x_hat = Sum(g_dtotal * x_hat, d)
    work_2 = np.multiply(g_dtotal, x_hat)
    sum_g_dtotal_x_hat = _sum(work_2, (1,))
    # sum_dx_hat_g_dtotal = Sum(dx_hat * g_dtotal, d)
    np.multiply(dx_hat, g_dtotal, out=work_2)
    sum_dx_hat_g_dtotal = _sum(work_2, (1,))
    mean_g_dtotal_x_hat = sum_g_dtotal_x_hat / features
    # g_dx_hat = (g_dtotal - mean_g_dtotal_x_hat * x_hat) * inv_rms
    np.multiply(x_hat, mean_g_dtotal_x_hat.astype(dtype, copy=False)[:, None], out=work_2)
    np.subtract(g_dtotal, work_2, out=work_2)
    np.multiply(work_2, inv_rms.astype(dtype, copy=False)[:, None], out=work_2)
    g_dx_hat = work_2
    # g_gamma = Sum(dy * g_dx_hat, n)
    work_3 = np.multiply(dy, g_dx_hat)
    g_gamma = _sum(work_3, (0,))
    # g_dy = ddgamma * x_hat + g_dx_hat * gamma
    np.multiply(x_hat, ddgamma.astype(dtype, copy=False), out=work_3)
    np.multiply(g_dx_hat, gamma.astype(dtype, copy=False), out=g_dx_hat)
    np.add(work_3, g_dx_hat, out=g_dy)
    coef_dx_hat = inv_rms * mean_g_dtotal_x_hat
    # g_x_hat = ddgamma * dy
    np.multiply(dy, ddgamma.astype(dtype, copy=False), out=g_dx_hat)
    g_x_hat = g_dx_hat
    # sum_g_x_hat_x_hat = Sum(g_x_hat * x_hat, d)
    np.multiply(g_x_hat, x_hat, out=work_3)
    sum_g_x_hat_x_hat = _sum(work_3, (1,))
    coef_x_hat = (
        3 * inv_rms * mean_g_dtotal_x_hat * sum_dx_hat_x_hat / features
        - inv_rms * sum_dx_hat_g_dtotal / features
        - sum_g_x_hat_x_hat / features
    )
    # g_total = (coef_x_hat * x_hat + g_x_hat - coef_dx_hat * dx_hat - coef_g_dtotal * g_dtotal) * inv_rms
    np.multiply(x_hat, coef_x_hat.astype(dtype, copy=False)[:, None], out=x_hat)
    np.multiply(dx_hat, coef_dx_hat.astype(dtype, copy=False)[:, None], out=dx_hat)
    np.subtract(x_hat, dx_hat, out=x_hat)
    np.multiply(g_dtotal, coef_g_dtotal.astype(dtype, copy=False)[:, None], out=g_dtotal)
    np.subtract(x_hat, g_dtotal, out=x_hat)
    np.add(x_hat, g_x_hat, out=x_hat)
    np.multiply(x_hat, inv_rms.astype(dtype, copy=False)[:, None], out=x_hat)
    g_total = x_hat
    # g_x = g_total
    np.copyto(g_x, g_total)
    # g_residual = g_total
    np.copyto(g_residual, g_total)
    _deliver(g_dy, g_dy_result)
    _deliver(g_x, g_x_result)
    _deliver(g_residual, g_residual_result)
    g_gamma_result[...] = g_gamma.reshape(trailing)
    return g_dy_result, g_x_result, g_residual_result, g_gamma_result if has_gamma else None


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
    saved: Saved,
    *,
    normalized_ndim: int | None = None,
    threads: int | None = None,
) -> tuple[Array, Array, Array, Array, Array | None, Array | None]:
    """Compute `backward` and its derivative in the direction of the tangents (forward over reverse).

    Computes:
        total = residual + x
        x_hat = inv_rms * total
        dgamma = Sum(dy * x_hat, n)
        sum_tdy_x_hat = Sum(tdy * x_hat, n)
        ttotal = tresidual + tx
        sum_ttotal_x_hat = Sum(ttotal * x_hat, d)
        mean_ttotal_x_hat = sum_ttotal_x_hat / features
        tx_hat = (ttotal - mean_ttotal_x_hat * x_hat) * inv_rms
        sum_dy_tx_hat = Sum(dy * tx_hat, n)
        tdgamma = sum_dy_tx_hat + sum_tdy_x_hat
        coef_dx_hat = inv_rms * mean_ttotal_x_hat
        dx_hat = dy * gamma
        sum_dx_hat_x_hat = Sum(dx_hat * x_hat, d)
        sum_dx_hat_ttotal = Sum(dx_hat * ttotal, d)
        mean_dx_hat_x_hat = sum_dx_hat_x_hat / features
        dtotal = (dx_hat - mean_dx_hat_x_hat * x_hat) * inv_rms
        dx = dtotal
        dresidual = dtotal
        coef_ttotal = inv_rms * mean_dx_hat_x_hat
        tdx_hat = dy * tgamma + gamma * tdy
        sum_tdx_hat_x_hat = Sum(tdx_hat * x_hat, d)
        coef_x_hat = 3 * inv_rms * mean_dx_hat_x_hat * mean_ttotal_x_hat - inv_rms * sum_dx_hat_ttotal /
            features - sum_tdx_hat_x_hat / features
        tdtotal = (coef_x_hat * x_hat + tdx_hat - coef_dx_hat * dx_hat - coef_ttotal * ttotal) * inv_rms
        tdx = tdtotal
        tdresidual = tdtotal

    Args:
        dy: gradient of the loss to y, 1 axis or more
        tdy: tangent of dy, 1 axis or more; None stands for 0
        x: float16, float32 or float64, 1 axis or more
        tx: tangent of x, 1 axis or more; None stands for 0
        residual: float16, float32 or float64, 1 axis or more, as x
        tresidual: tangent of residual, 1 axis or more; None stands for 0
        gamma: float16, float32 or float64, the trailing axes' shape; None stands for 1
        tgamma: tangent of gamma, the trailing axes' shape; None stands for 0
        saved: what `forward` returned
        normalized_ndim: how many trailing axes to normalize over, where no parameter says it
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape and dtype of x
        tdx: shape and dtype of x
        dresidual: shape and dtype of x
        tdresidual: shape and dtype of x
        dgamma: the trailing axes' shape, float64 for float64 data, else float32; None where its parameter is
        tdgamma: the trailing axes' shape, float64 for float64 data, else float32; None where its parameter is

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    has_gamma = gamma is not None
    dy = _array("dy", dy)
    x = _array("x", x)
    residual = _array("residual", residual)
    tdy = _optional("tdy", tdy, x)
    tx = _optional("tx", tx, x)
    tresidual = _optional("tresidual", tresidual, x)
    leading = _saved_shape(saved, "inv_rms")
    leading, trailing = _rows(x, normalized_ndim, leading, gamma=gamma, tgamma=tgamma)
    shape = (math.prod(leading), math.prod(trailing))
    _check_like("dy", dy, "x", x)
    _check_like("residual", residual, "x", x)
    features = shape[1]
    kept_dtype = _kept(x.dtype)
    dx_result = np.empty(x.shape, x.dtype)
    tdx_result = np.empty(x.shape, x.dtype)
    dresidual_result = np.empty(x.shape, x.dtype)
    tdresidual_result = np.empty(x.shape, x.dtype)
    dgamma_result = np.empty(trailing, kept_dtype)
    tdgamma_result = np.empty(trailing, kept_dtype)
    gamma = _vector("gamma", gamma, trailing, absent=1).reshape(-1)
    tgamma = _vector("tgamma", tgamma, trailing, absent=0).reshape(-1)
    inv_rms = _vector("saved.inv_rms", saved.inv_rms, leading).reshape(-1)
    _check_count(saved.count, features)
    dtype = _COMPUTE[x.dtype]
    dy = dy.reshape(shape).astype(dtype, copy=False)
    tdy = tdy.reshape(shape).astype(dtype, copy=False)
    x = x.reshape(shape).astype(dtype, copy=False)
    tx = tx.reshape(shape).astype(dtype, copy=False)
    residual = residual.reshape(shape).astype(dtype, copy=False)
    tresidual = tresidual.reshape(shape).astype(dtype, copy=False)
    dx = _target(dx_result, shape)
    tdx = _target(tdx_result, shape)
    dresidual = _target(dresidual_result, shape)
    tdresidual = _target(tdresidual_result, shape)
    # total = residual + x
    total = np.add(residual, x)
    # x_hat = inv_rms * total
    np.multiply(total, inv_rms.astype(dtype, copy=False)[:, None], out=total)
    x_hat = total
    # dgamma = Sum(dy * x_hat, n)
    work = np.multiply(dy, x_hat)
    dgamma = _sum(work, (0,))
    # sum_tdy_x_hat = Sum(tdy * x_hat, n)
    np.multiply(tdy, x_hat, out=work)
    sum_tdy_x_hat = _sum(work, (0,))
    # ttotal = tresidual + tx
    np.add(tresidual, tx, out=work)
    ttotal = work
    # sum_ttotal_x_hat = Sum(ttotal * x_hat, d)
    work_2 = np.multiply(ttotal, x_hat)
    sum_ttotal_x_hat = _sum(work_2, (1,))
    mean_ttotal_x_hat = sum_ttotal_x_hat / features
    # tx_hat = (ttotal - mean_ttotal_x_hat * x_hat) * inv_rms
    np.multiply(x_hat, mean_ttotal_x_hat.astype(dtype, copy=False)[:, None], out=work_2)
    np.subtract(ttotal, work_2, out=work_2)
    np.multiply(work_2, inv_rms.astype(dtype, copy=False)[:, None], out=work_2)
    tx_hat = work_2
    # sum_dy_tx_hat = Sum(dy * tx_hat, n)
    np.multiply(dy, tx_hat, out=tx_hat)
    sum_dy_tx_hat = _sum(tx_hat, (0,))
    tdgamma = sum_dy_tx_hat + sum_tdy_x_hat
    coef_dx_hat = inv_rms * mean_ttotal_x_hat
    # dx_hat = dy * gamma
    np.multiply(dy, gamma.astype(dtype, copy=False), out=tx_hat)
    dx_hat = tx_hat
    # sum_dx_hat_x_hat = Sum(dx_hat * x_hat, d)
    work_3 = np.multiply(dx_hat, x_hat)
    sum_dx_hat_x_hat = _sum(work_3, (1,))
    # sum_dx_hat_ttotal = Sum(dx_hat * ttotal, d)
    np.multiply(dx_hat, ttotal, out=work_3)
    sum_dx_hat_ttotal = _sum(work_3, (1,))
    mean_dx_hat_x_hat = sum_dx_hat_x_hat / features
    # dtotal = (dx_hat - mean_dx_hat_x_hat * x_hat) * inv_rms
    np.multiply(x_hat, mean_dx_hat_x_hat.astype(dtype, copy=False)[:, None], out=work_3)
    np.subtract(dx_hat, work_3, out=work_3)
    np.multiply(work_3, inv_rms.astype(dtype, copy=False)[:, None], out=work_3)
    dtotal = work_3
    # dx = dtotal
    np.copyto(dx, dtotal)
    # dresidual = dtotal
    np.copyto(dresidual, dtotal)
    coef_ttotal = inv_rms * mean_dx_hat_x_hat
    # tdx_hat = dy * tgamma + gamma * tdy
    tdx_hat = np.multiply(dy, tgamma.astype(dtype, copy=False))
    work_4 = np.multiply(tdy, gamma.astype(dtype, copy=False))
    np.add(tdx_hat, work_4, out=tdx_hat)
    # sum_tdx_hat_x_hat = Sum(tdx_hat * x_hat, d)
    np.multiply(tdx_hat, x_hat, out=work_4)
    sum_tdx_hat_x_hat = _sum(work_4, (1,))
    coef_x_hat = (
        3 * inv_rms * mean_dx_hat_x_hat * mean_ttotal_x_hat
        - inv_rms * sum_dx_hat_ttotal / features
        - sum_tdx_hat_x_hat / features
    )
    # tdtotal = (coef_x_hat * x_hat + tdx_hat - coef_dx_hat * dx_hat - coef_ttotal * ttotal) * inv_rms
    np.multiply(x_hat, coef_x_hat.astype(dtype, copy=False)[:, None], out=x_hat)
    np.multiply(dx_hat, coef_dx_hat.astype(dtype, copy=False)[:, None], out=dx_hat)
    np.subtract(x_hat, dx_hat, out=x_hat)
    np.multiply(ttotal, coef_ttotal.astype(dtype, copy=False)[:, None], out=ttotal)
    np.subtract(x_hat, ttotal, out=x_hat)
    np.add(x_hat, tdx_hat, out=x_hat)
    np.multiply(x_hat, inv_rms.astype(dtype, copy=False)[:, None], out=x_hat)
    tdtotal = x_hat
    # tdx = tdtotal
    np.copyto(tdx, tdtotal)
    # tdresidual = tdtotal
    np.copyto(tdresidual, tdtotal)
    _deliver(dx, dx_result)
    _deliver(tdx, tdx_result)
    _deliver(dresidual, dresidual_result)
    _deliver(tdresidual, tdresidual_result)
    dgamma_result[...] = dgamma.reshape(trailing)
    tdgamma_result[...] = tdgamma.reshape(trailing)
    return (
        dx_result,
        tdx_result,
        dresidual_result,
        tdresidual_result,
        dgamma_result if has_gamma else None,
        tdgamma_result if has_gamma else None,
    )


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


_BLOCK = 4096  # elements that are added up in the data's dtype at most


_ROWS = 16  # rows of which each column is added up in it


@numba.extending.intrinsic
def _plus(context: Any, a: Any, b: Any) -> Any:
    """a + b in any order: a sum in which each lane of a vector may have its own share."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.fadd(*given, flags=("reassoc", "nsz", "contract"))

    return a(a, a), code


@_compiled
def _forward_1_along(
    x_all,
    residual_all,
    gamma_all,
    y_all,
    mean_square_all,
    inv_rms_all,
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
    (inv_rms_slot,) = slots
    single = x_all.itemsize == 4
    smallest, tiny = (1.1754943508222875e-38, 1e-30) if single else (2.2250738585072014e-308, 1e-290)
    kept, run, runs = shape[0], shape[1], 1
    total = 1 * runs * run
    misfits = 0
    for k in range(first, last):
        at = k * keep
        unit = units[k]
        # sums of total
        if first_step <= 0 < last_step:
            limit = _BLOCK
            for item in range(1):
                sums[item, at] = 0
            begin, end = first_part, min(last_part, total)
            while begin < end:
                sum_of_total = real(0)
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, min(end - begin, limit))
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    x = x_all[e] * unit
                    residual = residual_all[e] * unit
                    total_ = residual + x
                    sum_of_total = _plus(sum_of_total, total_ * total_)
                sums[0, at] += sum_of_total
                begin += n
        # what follows from the sums of total
        if first_step <= 1 < last_step:
            unit = float(units[k])
            eps = eps_given * unit * unit
            total_total = sums[0, at]
            features = float(shape[1])
            mean_square = np.maximum(total_total / features, 0.0)
            inv_rms = 1 / math.sqrt(eps + mean_square)
            fits = np.isfinite(mean_square)
            vanished = eps_given < smallest and abs(mean_square) < tiny
            if not again and (vanished or not fits):
                units[k] = 0  # squares overflowed or vanished: in other units they do not
                misfits += 1
                continue
            mean_square_all[k] = mean_square / unit / unit
            inv_rms_all[k] = inv_rms * unit
            inv_rms_slot[at] = inv_rms
        # y
        if first_step <= 2 < last_step:
            inv_rms = inv_rms_slot[at]
            begin, end = first_part, min(last_part, total)
            while begin < end:
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, end - begin)
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    gamma = gamma_all[np.uintp(i + j)]
                    x = x_all[e] * unit
                    residual = residual_all[e] * unit
                    total_ = residual + x
                    x_hat = inv_rms * total_
                    y = gamma * x_hat
                    y_all[e] = y
                begin += n
    return misfits


@_compiled
def _backward_1_along(
    dy_all,
    x_all,
    residual_all,
    gamma_all,
    inv_rms_all,
    dx_all,
    dresidual_all,
    dgamma_all,
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
    """the sums: some channels, some parts of them, some steps."""
    real = dy_all.dtype.type
    (mean_dx_hat_x_hat_slot,) = slots
    kept, run, runs = shape[0], shape[1], 1
    total = 1 * runs * run
    misfits = 0
    for k in range(first, last):
        at = k * keep
        # sums of dx_hat_x_hat
        if first_step <= 0 < last_step:
            limit = _BLOCK
            inv_rms = inv_rms_all[k]
            for item in range(1):
                sums[item, at] = 0
            begin, end = first_part, min(last_part, total)
            while begin < end:
                sum_of_dx_hat_x_hat = real(0)
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, min(end - begin, limit))
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    gamma = gamma_all[np.uintp(i + j)]
                    dy = dy_all[e]
                    x = x_all[e]
                    residual = residual_all[e]
                    total_ = residual + x
                    x_hat = inv_rms * total_
                    dx_hat = dy * gamma
                    sum_of_dx_hat_x_hat = _plus(sum_of_dx_hat_x_hat, dx_hat * x_hat)
                sums[0, at] += sum_of_dx_hat_x_hat
                begin += n
        # what follows from the sums of dx_hat_x_hat
        if first_step <= 1 < last_step:
            total_dx_hat_x_hat = sums[0, at]
            features = float(shape[1])
            sum_dx_hat_x_hat = total_dx_hat_x_hat
            mean_dx_hat_x_hat = sum_dx_hat_x_hat / features
            mean_dx_hat_x_hat_slot[at] = mean_dx_hat_x_hat
    return misfits


@_compiled
def _backward_2_across(
    dy_all,
    x_all,
    residual_all,
    gamma_all,
    inv_rms_all,
    dx_all,
    dresidual_all,
    dgamma_all,
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
    (mean_dx_hat_x_hat_slot,) = slots
    rows, width = shape[0], shape[1] * 1
    columns, misfits = last - first, 0
    # sums of dy_x_hat and dx and dresidual
    if first_step <= 0 < last_step:
        sum_of_dy_x_hat = work[0]
        skip = 1
        begin, end = first_part, min(last_part, rows)
        for j in range(columns):
            for item in range(1):
                sums[item, j] = 0
        for begin_rows in range(begin, end, skip * _ROWS):
            for j in range(columns):
                sum_of_dy_x_hat[j] = 0
            for o in range(begin_rows, min(begin_rows + skip * _ROWS, end), skip):
                first_e = o * width + first
                inv_rms = inv_rms_all[o]
                mean_dx_hat_x_hat = mean_dx_hat_x_hat_slot[(o) * keep]
                for j in range(columns):
                    e = np.uintp(first_e + j)
                    k = j
                    at = k
                    gamma = gamma_all[k]
                    dy = dy_all[e]
                    x = x_all[e]
                    residual = residual_all[e]
                    total_ = residual + x
                    x_hat = inv_rms * total_
                    dx_hat = dy * gamma
                    dtotal = (dx_hat - mean_dx_hat_x_hat * x_hat) * inv_rms
                    dx = dtotal
                    dresidual = dtotal
                    sum_of_dy_x_hat[j] += dy * x_hat
                    dx_all[e] = dx
                    dresidual_all[e] = dresidual
            for j in range(columns):
                sums[0, j] += sum_of_dy_x_hat[j]
    # what follows from the sums of dy_x_hat
    if first_step <= 1 < last_step:
        for k in range(columns // 1):
            at = k
            total_dy_x_hat = sums[0, at]
            dgamma = total_dy_x_hat
            dgamma_all[k] = dgamma
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
        1,
        (
            _Stage(
                _forward_1_along,
                None,
                (),
                (0,),
                (1,),
                ("sum", "settle", "write"),
                1,
                0,
                (),
            ),
        ),
        scaled=(0, 1),
        constants=(0,),
    ),
    "backward": _Function(
        1,
        (
            _Stage(
                _backward_1_along,
                None,
                (),
                (0,),
                (1,),
                ("sum", "settle"),
                1,
                0,
                (),
            ),
            _Stage(
                None,
                _backward_2_across,
                (0,),
                (1,),
                (),
                ("sum", "settle"),
                1,
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


def _rows(
    x: Array, normalized_ndim: Any, rows: tuple[int, ...] | None, /, **parameters: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The leading axes of x, each position a row, and the trailing axes, over which statistics are taken.

    How many trailing axes: as many as a parameter has, else `normalized_ndim`, else what the saved rows leave, else 1.
    """
    if x.ndim < 1:
        raise ValueError(f"x needs at least 1 axis, got shape {x.shape}")
    name, ndim = "saved", 1 if rows is None else x.ndim - len(rows)
    if normalized_ndim is not None:
        name, ndim = "normalized_ndim", _whole("normalized_ndim", normalized_ndim)
    for parameter, value in parameters.items():
        if value is not None:
            name, ndim = parameter, _array(parameter, value).ndim
            break
    if not 1 <= ndim <= x.ndim:
        raise ValueError(f"{name} needs 1 to {x.ndim} axes to normalize over, as x has shape {x.shape}, got {ndim}")
    if normalized_ndim is not None and normalized_ndim != ndim:
        raise ValueError(f"normalized_ndim needs to be {ndim}, as many axes as {name} has, got {normalized_ndim}")
    return x.shape[: x.ndim - ndim], x.shape[x.ndim - ndim :]


def _saved_shape(saved: Any, field: str) -> tuple[int, ...]:
    """The shape of what was saved, which tells how the data lay."""
    value = getattr(saved, field)
    if not isinstance(value, np.ndarray):
        raise TypeError(f"saved.{field} needs a NumPy array, got {type(value).__name__}")
    return value.shape


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
