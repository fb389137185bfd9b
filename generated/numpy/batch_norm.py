"""Batch normalization: Ioffe & Szegedy (2015), Algorithm 1.

Source: Ioffe & Szegedy 2015, Algorithm 1.

    mean = Sum(x, i) / m
    var = Sum((x - mean)**2, i) / m
    x_hat = (x - mean) / sqrt(eps + var)
    y = beta + gamma * x_hat

Derived, proved and printed by bnsym 0.1.0. Do not edit: change the definition and run
`regenerate-kernels`. This file needs NumPy alone and can be copied into another project.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Saved",
    "backward",
    "fold",
    "forward",
    "inference",
    "inference_backward",
    "population",
    "update_running",
]

Array = np.ndarray[Any, np.dtype[Any]]

# Arrays of each dtype are computed in the dtype on the right; sums over them are carried on in float64.
_COMPUTE = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}


class Saved(NamedTuple):
    """What `forward` keeps for `backward`."""

    mean: Array
    var: Array
    inv_std: Array
    count: int  # type: ignore[assignment]  # the field hides tuple.count


def _statistics(
    x: Array,
    eps: Any,
    m: Any,
    pivot: Array | None = None,
) -> tuple[Array, ...]:
    """What `forward` computes before it normalizes."""
    dtype = x.dtype
    given = pivot is not None
    if pivot is None:
        pivot = x[:1, :, :1].reshape(-1)
    # centred = x - pivot
    centred = np.subtract(x, pivot.astype(dtype, copy=False)[:, None])
    offset = _sum(centred, (0, 2)) / m
    mean = offset + pivot
    # var = Sum(centred**2, i) / m - offset**2
    work = np.square(centred)
    var = np.maximum(_sum(work, (0, 2)) / m - offset**2, 0.0)
    inv_std = 1 / np.sqrt(eps + var)
    if not given and (offset**2 > 16.0 * var).any():  # the first one lies far out: digits were lost
        return _statistics(x, eps, m, pivot=mean.astype(dtype))
    return centred, offset, mean, var, inv_std


@np.errstate(all="ignore")
def forward(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    *,
    eps: float = 1e-05,
    channel_axis: int = 1,
    out: Array | None = None,
) -> tuple[Array, Saved]:
    """Compute y as the definition states it (Ioffe & Szegedy 2015, Algorithm 1).

    Computes:
        centred = x - pivot
        offset = Sum(centred, i) / m
        mean = offset + pivot
        var = Sum(centred**2, i) / m - offset**2
        inv_std = 1 / sqrt(eps + var)
        scale = gamma * inv_std
        shift = beta - offset * scale
        y = centred * scale + shift

    Args:
        x: float16, float32 or float64, 2 axes or more
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        eps: a number, at least 0
        channel_axis: the axis of the channels
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        y: shape and dtype of x
        saved: for `backward`

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    x = _array("x", x)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    m = shape[0] * shape[2]
    if m == 0:
        raise ValueError(f"x has nothing to take statistics over: its shape is {x.shape}")
    kept_dtype = _kept(x.dtype)
    y_result = np.empty(x.shape, x.dtype)
    if out is not None:
        (y_result,) = _results(
            out,
            (y_result,),
            [x, gamma, beta],
            in_place=True,
        )
    gamma = _vector("gamma", gamma, channels, absent=1)
    beta = _vector("beta", beta, channels, absent=0)
    eps = _constant("eps", eps, at_least=0.0)
    dtype = _COMPUTE[x.dtype]
    x = x.reshape(shape).astype(dtype, copy=False)
    y = _target(y_result, shape)
    centred, offset, mean, var, inv_std = _statistics(x, eps, m)
    mean_kept = mean
    var_kept = var
    inv_std_kept = inv_std
    if eps < _SMALLEST[dtype] or not math.isfinite(np.vdot(var, var)):
        # Squares overflow or vanish: take units in which each channel's largest value is near 1.
        unit = _unit(x, (0, 2))
        centred, offset, mean, var, inv_std = _statistics(
            x * unit.astype(dtype)[:, None],
            eps * unit * unit,
            m,
        )
        mean_kept = mean / unit
        var_kept = var / unit / unit
        inv_std_kept = inv_std * unit
    scale = gamma * inv_std
    shift = beta - offset * scale
    # y = centred * scale + shift
    np.multiply(centred, scale.astype(dtype, copy=False)[:, None], out=centred)
    np.add(centred, shift.astype(dtype, copy=False)[:, None], out=y)
    _deliver(y, y_result)
    saved = Saved(
        mean_kept.astype(kept_dtype),
        var_kept.astype(kept_dtype),
        inv_std_kept.astype(kept_dtype),
        m,
    )
    return y_result, saved


@np.errstate(all="ignore")
def backward(
    dy: Array,
    x: Array,
    gamma: Array | None,
    saved: Saved,
    *,
    channel_axis: int = 1,
    out: Array | tuple[Array | None, ...] | None = None,
) -> tuple[Array, Array | None, Array]:
    """Compute the gradients of sum(dy * y), in closed form.

    Computes:
        x_hat = (x - mean) * inv_std
        dgamma = Sum(dy * x_hat, i)
        dbeta = Sum(dy, i)
        mean_dy_x_hat = dgamma / m
        mean_dy = dbeta / m
        scale = gamma * inv_std
        dx = (dy - mean_dy - mean_dy_x_hat * x_hat) * scale

    Args:
        dy: gradient of the loss to y, 2 axes or more
        x: float16, float32 or float64, 2 axes or more
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        saved: what `forward` returned
        channel_axis: the axis of the channels
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        dx: shape and dtype of x
        dgamma: shape (C,), float64 for float64 data, else float32; None where its parameter is
        dbeta: shape (C,), float64 for float64 data, else float32

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    dy = _array("dy", dy)
    x = _array("x", x)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("dy", dy, "x", x)
    m = shape[0] * shape[2]
    kept_dtype = _kept(x.dtype)
    dx_result = np.empty(x.shape, x.dtype)
    dgamma_result = np.empty(channels, kept_dtype)
    dbeta_result = np.empty(channels, kept_dtype)
    if out is not None:
        dx_result, dgamma_result, dbeta_result = _results(
            out,
            (dx_result, dgamma_result, dbeta_result),
            [dy, x, gamma, *saved[:3]],
            in_place=True,
        )
    has_gamma = gamma is not None
    gamma = _vector("gamma", gamma, channels, absent=1)
    mean = _vector("saved.mean", saved.mean, channels)
    inv_std = _vector("saved.inv_std", saved.inv_std, channels)
    if saved.count != m:
        raise ValueError(f"saved.count needs to be {m}, as many as x has, got {saved.count!r}")
    dtype = _COMPUTE[x.dtype]
    dy = dy.reshape(shape).astype(dtype, copy=False)
    x = x.reshape(shape).astype(dtype, copy=False)
    dx = _target(dx_result, shape)
    # x_hat = (x - mean) * inv_std
    x_hat = np.subtract(x, mean.astype(dtype, copy=False)[:, None])
    np.multiply(x_hat, inv_std.astype(dtype, copy=False)[:, None], out=x_hat)
    # dgamma = Sum(dy * x_hat, i)
    work = np.multiply(dy, x_hat)
    dgamma = _sum(work, (0, 2))
    dbeta = _sum(dy, (0, 2))
    mean_dy_x_hat = dgamma / m
    mean_dy = dbeta / m
    scale = gamma * inv_std
    # dx = (dy - mean_dy - mean_dy_x_hat * x_hat) * scale
    np.multiply(x_hat, mean_dy_x_hat.astype(dtype, copy=False)[:, None], out=x_hat)
    np.subtract(dy, x_hat, out=x_hat)
    np.subtract(x_hat, mean_dy.astype(dtype, copy=False)[:, None], out=x_hat)
    np.multiply(x_hat, scale.astype(dtype, copy=False)[:, None], out=dx)
    _deliver(dx, dx_result)
    dgamma_result[...] = dgamma
    dbeta_result[...] = dbeta
    return dx_result, dgamma_result if has_gamma else None, dbeta_result


@np.errstate(all="ignore")
def inference(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    mean: Array,
    var: Array,
    *,
    eps: float = 1e-05,
    channel_axis: int = 1,
    out: Array | None = None,
) -> Array:
    """Compute y with given statistics, such as those of `population`.

    Computes:
        inv_std = 1 / sqrt(eps + var)
        scale = gamma * inv_std
        y = beta + (x - mean) * scale

    Args:
        x: float16, float32 or float64, 2 axes or more
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        mean: float16, float32 or float64, shape (C,)
        var: float16, float32 or float64, shape (C,)
        eps: a number, at least 0
        channel_axis: the axis of the channels
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        y: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    x = _array("x", x)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    y_result = np.empty(x.shape, x.dtype)
    if out is not None:
        (y_result,) = _results(
            out,
            (y_result,),
            [x, gamma, beta, mean, var],
            in_place=True,
        )
    gamma = _vector("gamma", gamma, channels, absent=1)
    beta = _vector("beta", beta, channels, absent=0)
    mean = _vector("mean", mean, channels)
    var = _vector("var", var, channels)
    eps = _constant("eps", eps, at_least=0.0)
    dtype = _COMPUTE[x.dtype]
    x = x.reshape(shape).astype(dtype, copy=False)
    y = _target(y_result, shape)
    inv_std = 1 / np.sqrt(eps + var)
    scale = gamma * inv_std
    # y = beta + (x - mean) * scale
    work = np.subtract(x, mean.astype(dtype, copy=False)[:, None])
    np.multiply(work, scale.astype(dtype, copy=False)[:, None], out=work)
    np.add(work, beta.astype(dtype, copy=False)[:, None], out=y)
    _deliver(y, y_result)
    return y_result


@np.errstate(all="ignore")
def inference_backward(
    dy: Array,
    x: Array,
    gamma: Array | None,
    mean: Array,
    var: Array,
    *,
    eps: float = 1e-05,
    channel_axis: int = 1,
    out: Array | tuple[Array | None, ...] | None = None,
) -> tuple[Array, Array | None, Array]:
    """Compute the gradients of `inference`, its statistics held fixed.

    Computes:
        inv_std = 1 / sqrt(eps + var)
        x_hat = (x - mean) * inv_std
        dgamma = Sum(dy * x_hat, i)
        dbeta = Sum(dy, i)
        scale = gamma * inv_std
        dx = dy * scale

    Args:
        dy: gradient of the loss to y, 2 axes or more
        x: float16, float32 or float64, 2 axes or more
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        mean: float16, float32 or float64, shape (C,)
        var: float16, float32 or float64, shape (C,)
        eps: a number, at least 0
        channel_axis: the axis of the channels
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        dx: shape and dtype of x
        dgamma: shape (C,), float64 for float64 data, else float32; None where its parameter is
        dbeta: shape (C,), float64 for float64 data, else float32

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dy = _array("dy", dy)
    x = _array("x", x)
    shape = _channels(x, channel_axis)
    channels = shape[1:2]
    _check_like("dy", dy, "x", x)
    kept_dtype = _kept(x.dtype)
    dx_result = np.empty(x.shape, x.dtype)
    dgamma_result = np.empty(channels, kept_dtype)
    dbeta_result = np.empty(channels, kept_dtype)
    if out is not None:
        dx_result, dgamma_result, dbeta_result = _results(
            out,
            (dx_result, dgamma_result, dbeta_result),
            [dy, x, gamma, mean, var],
            in_place=True,
        )
    has_gamma = gamma is not None
    gamma = _vector("gamma", gamma, channels, absent=1)
    mean = _vector("mean", mean, channels)
    var = _vector("var", var, channels)
    eps = _constant("eps", eps, at_least=0.0)
    dtype = _COMPUTE[x.dtype]
    dy = dy.reshape(shape).astype(dtype, copy=False)
    x = x.reshape(shape).astype(dtype, copy=False)
    dx = _target(dx_result, shape)
    inv_std = 1 / np.sqrt(eps + var)
    # x_hat = (x - mean) * inv_std
    x_hat = np.subtract(x, mean.astype(dtype, copy=False)[:, None])
    np.multiply(x_hat, inv_std.astype(dtype, copy=False)[:, None], out=x_hat)
    # dgamma = Sum(dy * x_hat, i)
    np.multiply(dy, x_hat, out=x_hat)
    dgamma = _sum(x_hat, (0, 2))
    dbeta = _sum(dy, (0, 2))
    scale = gamma * inv_std
    # dx = dy * scale
    np.multiply(dy, scale.astype(dtype, copy=False)[:, None], out=dx)
    _deliver(dx, dx_result)
    dgamma_result[...] = dgamma
    dbeta_result[...] = dbeta
    return dx_result, dgamma_result if has_gamma else None, dbeta_result


@np.errstate(all="ignore")
def fold(
    gamma: Array | None,
    beta: Array | None,
    mean: Array,
    var: Array,
    *,
    eps: float = 1e-05,
) -> tuple[Array, Array]:
    """Fold `inference` into y = scale * x + shift.

    Computes:
        inv_std = 1 / sqrt(eps + var)
        scale = gamma * inv_std
        shift = beta - mean * scale

    Args:
        gamma: float16, float32 or float64, shape (C,); None stands for 1
        beta: float16, float32 or float64, shape (C,); None stands for 0
        mean: float16, float32 or float64, shape (C,)
        var: float16, float32 or float64, shape (C,)
        eps: a number, at least 0

    Returns:
        scale: shape (C,), float64 for float64 data, else float32
        shift: shape (C,), float64 for float64 data, else float32

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then

    Where mean is large beside the standard deviation this loses digits; `inference` does not.
    """
    mean = _array("mean", mean)
    shape, dtype = mean.shape, _kept(mean.dtype)
    gamma = _vector("gamma", gamma, shape, absent=1)
    beta = _vector("beta", beta, shape, absent=0)
    mean = _vector("mean", mean, shape)
    var = _vector("var", var, shape)
    eps = _constant("eps", eps, at_least=0.0)
    inv_std = 1 / np.sqrt(eps + var)
    scale = gamma * inv_std
    shift = beta - mean * scale
    return scale.astype(dtype), shift.astype(dtype)


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
        means: float16, float32 or float64, shape (batch, C,)
        variances: float16, float32 or float64, shape (batch, C,)
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
    count = _whole("count", count)
    mean = _sum(means, (0,)) / batches
    var = _sum(variances, (0,)) * count / (batches * (count - 1))
    return mean.astype(dtype), var.astype(dtype)


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
    _check_saved(saved)
    mean = _vector("mean", mean, shape)
    var = _vector("var", var, shape)
    batch_mean = _vector("saved.mean", saved.mean, shape)
    batch_var = _vector("saved.var", saved.var, shape)
    count = _whole("saved.count", saved.count)
    momentum = _constant("momentum", momentum, at_least=0.0, at_most=1.0)
    new_mean = batch_mean * momentum + (1 - momentum) * mean
    new_var = batch_var * count * momentum / (count - 1) + (1 - momentum) * var
    return new_mean.astype(dtype), new_var.astype(dtype)


def _channels(x: Array, channel_axis: int) -> tuple[int, int, int]:
    """The view of x: what comes before the channel axis, the channels, and what comes after."""
    if x.ndim < 2:
        raise ValueError(f"x needs at least 2 axes, got shape {x.shape}")
    if not isinstance(channel_axis, (int, np.integer)) or isinstance(channel_axis, bool):
        raise TypeError(f"channel_axis needs an integer, got {channel_axis!r}")
    if not -x.ndim <= channel_axis < x.ndim:
        raise ValueError(f"channel_axis needs an axis of x, which has shape {x.shape}, got {channel_axis}")
    axis = int(channel_axis) % x.ndim
    return math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])


def _target(result: Array, shape: tuple[int, ...]) -> Array:
    """The result as a view of the shape that is computed in, or, where there is no such view, room beside it."""
    return result.reshape(shape) if result.flags.c_contiguous else np.empty(shape, result.dtype)


def _deliver(target: Array, result: Array) -> None:
    """What was computed beside a result is copied into it."""
    if not result.flags.c_contiguous:
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


def _vector(name: str, value: Any, shape: tuple[int, ...], absent: float | None = None) -> Array:
    """A per-channel array in float64; None is what an absent parameter stands for."""
    if value is None and absent is not None:
        return np.full((1,), float(absent))
    value = _array(name, value)
    if value.shape != shape:
        raise ValueError(f"{name} needs shape {shape}, got {value.shape}")
    return value.astype(np.float64, copy=False)


def _constant(name: str, value: Any, at_least: float = -math.inf, at_most: float = math.inf) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} needs a number, got {value!r}") from None
    if not at_least <= number <= at_most:
        raise ValueError(f"{name} needs a number from {at_least} to {at_most}, got {value!r}")
    return number


def _results(
    out: Any,
    results: tuple[Array, ...],
    inputs: Sequence[Array | None],
    in_place: bool,
) -> list[Array]:
    """The arrays of `out` after checks, and new results where it has None. The first may be an input, if `in_place`."""
    given = out if isinstance(out, tuple) else (out, *(None for _ in results[1:]))
    if len(given) != len(results):
        raise ValueError(f"out needs {len(results)} arrays, got {len(given)}")
    taken = [a for a in inputs if a is not None]
    chosen = []
    for array, result in zip(given, results, strict=True):
        if array is not None:
            _check_out(array, result)
            for other in taken:
                if np.may_share_memory(array, other) and _overlap(array, other, in_place and not chosen):
                    raise ValueError("out needs memory of its own, got memory of another array of the call")
            taken.append(array)
        chosen.append(result if array is None else array)
    return chosen


def _check_out(array: Any, result: Array) -> None:
    _array("out", array)
    if array.shape != result.shape or array.dtype != result.dtype:
        wanted, got = (f"shape {a.shape} and dtype {a.dtype}" for a in (result, array))
        raise ValueError(f"out needs {wanted}, got {got}")
    flags = array.flags
    if not flags.writeable:
        raise ValueError("out needs a writeable array, got a read-only one")
    if not flags.c_contiguous and any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True)):
        raise ValueError("out needs an array of its own memory, got a broadcast one")


def _overlap(array: Array, other: Array, in_place: bool) -> bool:
    """Whether two arrays share memory without being, where that is allowed, one and the same."""
    first, second = array.__array_interface__, other.__array_interface__
    same = all(first[key] == second[key] for key in ("data", "strides", "shape", "typestr"))
    return not (in_place and same) and np.shares_memory(array, other)


def _kept(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Statistics and parameter gradients: float64 for float64 data, else float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def _check_saved(saved: Any) -> None:
    if getattr(saved, "_fields", None) != Saved._fields:
        raise TypeError(f"saved needs what forward returned, got {type(saved).__name__}")


def _whole(name: str, value: Any) -> int:
    """A number of examples from which a variance can be told: m / (m - 1) needs two."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{name} needs an integer, got {value!r}")
    if value < 2:
        raise ValueError(f"{name} needs at least 2 examples for an unbiased variance, got {value}")
    return int(value)


_BLOCK = 128
_ONES = {np.dtype(dtype): np.ones(_BLOCK, dtype) for dtype in (np.float32, np.float64)}


def _sum(a: Array, axes: tuple[int, ...]) -> Any:
    """The sum over axes: in blocks in a's own dtype, the blocks in float64; the same order every time."""
    if axes[-1] == a.ndim - 1:
        a = a[..., 0] if a.shape[-1] == 1 else np.add.reduce(a, axis=-1)
        axes = axes[:-1]
    if not axes:
        return a.astype(np.float64, copy=False)
    if a.ndim == 2:
        return _sum_rows(a)
    kept = a.shape[len(axes) :]
    return _sum_rows(a.reshape(math.prod(a.shape[: len(axes)]), math.prod(kept))).reshape(kept)


def _sum_rows(a: Array) -> Array:
    """The sum over the first of two axes, as products with ones, which BLAS does."""
    rows, ones = len(a), _ONES[a.dtype]
    if rows <= _BLOCK:
        return (ones[:rows] @ a).astype(np.float64)
    whole = rows - rows % _BLOCK
    blocks = np.matmul(ones, a[:whole].reshape(-1, _BLOCK, a.shape[1]))
    return np.add.reduce(blocks, axis=0, dtype=np.float64) + ones[: rows - whole] @ a[whole:]


def _largest(a: Array, axes: tuple[int, ...]) -> Array:
    return np.maximum.reduce(a, axis=axes)


_SMALLEST = {np.float32: float(np.finfo(np.float32).tiny), np.float64: float(np.finfo(np.float64).tiny)}


def _unit(x: Array, axes: tuple[int, ...]) -> Array:
    """For each channel a power of two that brings its largest value near 1: scaling by it is exact."""
    largest = np.maximum.reduce(np.absolute(x), axis=axes, initial=0.0)
    limit = np.finfo(x.dtype).maxexp - 2
    exponent = np.clip(np.frexp(largest)[1], -limit, limit)
    return np.where(np.isfinite(largest) & (largest > 0), np.ldexp(1.0, -exponent), 1.0)
