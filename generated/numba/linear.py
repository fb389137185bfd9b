"""A linear map, `z = x w`: what a layer computes before batch normalization, which would subtract a bias again.

Source: Ioffe & Szegedy 2015, Section 3.2: W u, the bias dropped.

    z = Sum(w * x, k)

Derived, proved and printed by bnsym 0.1.0. Do not edit: change the definition and run
`regenerate-kernels`. This file needs NumPy alone and can be copied into another project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "backward",
    "backward_jvp",
    "double_backward",
    "forward",
    "jvp",
    "parameter_backward",
]

Array = np.ndarray[Any, np.dtype[Any]]

# Arrays of each dtype are computed in the dtype on the right; sums over them are carried on in float64.
_COMPUTE = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}


@np.errstate(all="ignore")
def forward(
    x: Array,
    w: Array,
    *,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Compute z as the definition states it (Ioffe & Szegedy 2015, Section 3.2: W u, the bias dropped).

    Computes:
        z = Sum(w * x, k)

    Args:
        x: float16, float32 or float64, shape (n, k)
        w: float16, float32 or float64, shape (k, o)
        out: an array that takes the result, None for a new one; it may be an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        z: shape (n, o)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    x = _array("x", x)
    w = _array("w", w)
    lengths = _lengths(
        ("x", x, ("n", "k")),
        ("w", w, ("k", "o")),
    )
    if out is None:
        z_result = np.empty((lengths["n"], lengths["o"]), x.dtype)
    else:
        (z_result,) = _results(
            out,
            [
                ((lengths["n"], lengths["o"]), x.dtype),
            ],
            [x, w],
            in_place=True,
        )
    dtype = _COMPUTE[x.dtype]
    x = x.astype(dtype, copy=False)
    w = w.astype(dtype, copy=False)
    z = _room(z_result, dtype, True)
    # z = Sum(w * x, k)
    np.matmul(x, w, out=z)
    _deliver(z, z_result)
    return z_result


@np.errstate(all="ignore")
def backward(
    dz: Array,
    x: Array,
    w: Array,
    *,
    out: Array | tuple[Array | None, ...] | None = None,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute the gradients of sum(dz * z), in closed form.

    Computes:
        dx = Sum(dz * w, o)
        dw = Sum(dz * x, n)

    Args:
        dz: gradient of the loss to z, shape (n, o)
        x: float16, float32 or float64, shape (n, k)
        w: float16, float32 or float64, shape (k, o)
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape (n, k)
        dw: shape (k, o)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dz = _array("dz", dz)
    x = _array("x", x)
    w = _array("w", w)
    lengths = _lengths(
        ("dz", dz, ("n", "o")),
        ("x", x, ("n", "k")),
        ("w", w, ("k", "o")),
    )
    kept_dtype = _kept(x.dtype)
    if out is None:
        dx_result = np.empty((lengths["n"], lengths["k"]), x.dtype)
        dw_result = np.empty((lengths["k"], lengths["o"]), kept_dtype)
    else:
        dx_result, dw_result = _results(
            out,
            [
                ((lengths["n"], lengths["k"]), x.dtype),
                ((lengths["k"], lengths["o"]), kept_dtype),
            ],
            [dz, x, w],
            in_place=True,
        )
    dtype = _COMPUTE[x.dtype]
    dz = dz.astype(dtype, copy=False)
    x = x.astype(dtype, copy=False)
    w = w.astype(dtype, copy=False)
    dx = _room(dx_result, dtype, out is None)
    dw = _room(dw_result, dtype, out is None)
    # dx = Sum(dz * w, o)
    np.matmul(dz, w.T, out=dx)
    # dw = Sum(dz * x, n)
    np.matmul(x.T, dz, out=dw)
    _deliver(dx, dx_result)
    _deliver(dw, dw_result)
    return dx_result, dw_result


@np.errstate(all="ignore")
def jvp(
    x: Array,
    w: Array,
    tx: Array | None,
    tw: Array | None,
    *,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute z and the derivative in the direction of the tangents (forward mode).

    Computes:
        sum_tw_x = Sum(tw * x, k)
        sum_tx_w = Sum(tx * w, k)
        tz = sum_tw_x + sum_tx_w

    Args:
        x: float16, float32 or float64, shape (n, k)
        w: float16, float32 or float64, shape (k, o)
        tx: tangent of x, shape (n, k); None stands for 0
        tw: tangent of w, shape (k, o); None stands for 0
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        z: shape (n, o)
        tz: shape (n, o)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    z_result = forward(x, w, threads=threads)
    x = _array("x", x)
    w = _array("w", w)
    tx = _optional("tx", tx, x, x.shape)
    tw = _optional("tw", tw, x, w.shape)
    lengths = _lengths(
        ("x", x, ("n", "k")),
        ("w", w, ("k", "o")),
        ("tx", tx, ("n", "k")),
        ("tw", tw, ("k", "o")),
    )
    tz_result = np.empty((lengths["n"], lengths["o"]), x.dtype)
    dtype = _COMPUTE[x.dtype]
    x = x.astype(dtype, copy=False)
    w = w.astype(dtype, copy=False)
    tx = tx.astype(dtype, copy=False)
    tw = tw.astype(dtype, copy=False)
    tz = _room(tz_result, dtype, True)
    # sum_tw_x = Sum(tw * x, k)
    sum_tw_x = np.matmul(x, tw)
    # sum_tx_w = Sum(tx * w, k)
    sum_tx_w = np.matmul(tx, w)
    # tz = sum_tw_x + sum_tx_w
    np.add(sum_tw_x, sum_tx_w, out=tz)
    _deliver(tz, tz_result)
    return z_result, tz_result


@np.errstate(all="ignore")
def double_backward(
    ddx: Array | None,
    ddw: Array | None,
    dz: Array,
    x: Array,
    w: Array,
    *,
    threads: int | None = None,
) -> tuple[Array, Array, Array]:
    """Compute the gradients of `backward`'s results, each weighted by what it is multiplied with.

    Computes:
        g_x = Sum(ddw * dz, o)
        g_w = Sum(ddx * dz, n)
        sum_ddw_x = Sum(ddw * x, k)
        sum_ddx_w = Sum(ddx * w, k)
        g_dz = sum_ddw_x + sum_ddx_w

    Args:
        ddx: gradient of the loss to dx, which `backward` gives, shape (n, k); None stands for 0
        ddw: gradient of the loss to dw, which `backward` gives, shape (k, o); None stands for 0
        dz: gradient of the loss to z, shape (n, o)
        x: float16, float32 or float64, shape (n, k)
        w: float16, float32 or float64, shape (k, o)
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        g_dz: shape (n, o)
        g_x: shape (n, k)
        g_w: shape (k, o)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dz = _array("dz", dz)
    x = _array("x", x)
    w = _array("w", w)
    ddx = _optional("ddx", ddx, x, x.shape)
    ddw = _optional("ddw", ddw, x, w.shape)
    lengths = _lengths(
        ("ddx", ddx, ("n", "k")),
        ("ddw", ddw, ("k", "o")),
        ("dz", dz, ("n", "o")),
        ("x", x, ("n", "k")),
        ("w", w, ("k", "o")),
    )
    kept_dtype = _kept(x.dtype)
    g_dz_result = np.empty((lengths["n"], lengths["o"]), x.dtype)
    g_x_result = np.empty((lengths["n"], lengths["k"]), x.dtype)
    g_w_result = np.empty((lengths["k"], lengths["o"]), kept_dtype)
    dtype = _COMPUTE[x.dtype]
    ddx = ddx.astype(dtype, copy=False)
    ddw = ddw.astype(dtype, copy=False)
    dz = dz.astype(dtype, copy=False)
    x = x.astype(dtype, copy=False)
    w = w.astype(dtype, copy=False)
    g_dz = _room(g_dz_result, dtype, True)
    g_x = _room(g_x_result, dtype, True)
    g_w = _room(g_w_result, dtype, True)
    # g_x = Sum(ddw * dz, o)
    np.matmul(dz, ddw.T, out=g_x)
    # g_w = Sum(ddx * dz, n)
    np.matmul(ddx.T, dz, out=g_w)
    # sum_ddw_x = Sum(ddw * x, k)
    sum_ddw_x = np.matmul(x, ddw)
    # sum_ddx_w = Sum(ddx * w, k)
    sum_ddx_w = np.matmul(ddx, w)
    # g_dz = sum_ddw_x + sum_ddx_w
    np.add(sum_ddw_x, sum_ddx_w, out=g_dz)
    _deliver(g_dz, g_dz_result)
    _deliver(g_x, g_x_result)
    _deliver(g_w, g_w_result)
    return g_dz_result, g_x_result, g_w_result


@np.errstate(all="ignore")
def backward_jvp(
    dz: Array,
    tdz: Array | None,
    x: Array,
    tx: Array | None,
    w: Array,
    tw: Array | None,
    *,
    threads: int | None = None,
) -> tuple[Array, Array, Array, Array]:
    """Compute `backward` and its derivative in the direction of the tangents (forward over reverse).

    Computes:
        dx = Sum(dz * w, o)
        dw = Sum(dz * x, n)
        sum_dz_tw = Sum(dz * tw, o)
        sum_tdz_w = Sum(tdz * w, o)
        sum_dz_tx = Sum(dz * tx, n)
        sum_tdz_x = Sum(tdz * x, n)
        tdx = sum_dz_tw + sum_tdz_w
        tdw = sum_dz_tx + sum_tdz_x

    Args:
        dz: gradient of the loss to z, shape (n, o)
        tdz: tangent of dz, shape (n, o); None stands for 0
        x: float16, float32 or float64, shape (n, k)
        tx: tangent of x, shape (n, k); None stands for 0
        w: float16, float32 or float64, shape (k, o)
        tw: tangent of w, shape (k, o); None stands for 0
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape (n, k)
        tdx: shape (n, k)
        dw: shape (k, o)
        tdw: shape (k, o)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dz = _array("dz", dz)
    x = _array("x", x)
    w = _array("w", w)
    tdz = _optional("tdz", tdz, x, dz.shape)
    tx = _optional("tx", tx, x, x.shape)
    tw = _optional("tw", tw, x, w.shape)
    lengths = _lengths(
        ("dz", dz, ("n", "o")),
        ("tdz", tdz, ("n", "o")),
        ("x", x, ("n", "k")),
        ("tx", tx, ("n", "k")),
        ("w", w, ("k", "o")),
        ("tw", tw, ("k", "o")),
    )
    kept_dtype = _kept(x.dtype)
    dx_result = np.empty((lengths["n"], lengths["k"]), x.dtype)
    tdx_result = np.empty((lengths["n"], lengths["k"]), x.dtype)
    dw_result = np.empty((lengths["k"], lengths["o"]), kept_dtype)
    tdw_result = np.empty((lengths["k"], lengths["o"]), kept_dtype)
    dtype = _COMPUTE[x.dtype]
    dz = dz.astype(dtype, copy=False)
    tdz = tdz.astype(dtype, copy=False)
    x = x.astype(dtype, copy=False)
    tx = tx.astype(dtype, copy=False)
    w = w.astype(dtype, copy=False)
    tw = tw.astype(dtype, copy=False)
    dx = _room(dx_result, dtype, True)
    tdx = _room(tdx_result, dtype, True)
    dw = _room(dw_result, dtype, True)
    tdw = _room(tdw_result, dtype, True)
    # dx = Sum(dz * w, o)
    np.matmul(dz, w.T, out=dx)
    # dw = Sum(dz * x, n)
    np.matmul(x.T, dz, out=dw)
    # sum_dz_tw = Sum(dz * tw, o)
    sum_dz_tw = np.matmul(dz, tw.T)
    # sum_tdz_w = Sum(tdz * w, o)
    sum_tdz_w = np.matmul(tdz, w.T)
    # sum_dz_tx = Sum(dz * tx, n)
    sum_dz_tx = np.matmul(tx.T, dz)
    # sum_tdz_x = Sum(tdz * x, n)
    sum_tdz_x = np.matmul(x.T, tdz)
    # tdx = sum_dz_tw + sum_tdz_w
    np.add(sum_dz_tw, sum_tdz_w, out=tdx)
    # tdw = sum_dz_tx + sum_tdz_x
    np.add(sum_dz_tx, sum_tdz_x, out=tdw)
    _deliver(dx, dx_result)
    _deliver(tdx, tdx_result)
    _deliver(dw, dw_result)
    _deliver(tdw, tdw_result)
    return dx_result, tdx_result, dw_result, tdw_result


@np.errstate(all="ignore")
def parameter_backward(
    dz: Array,
    x: Array,
    *,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Compute the gradients to the parameters alone, as `backward` does.

    Computes:
        dw = Sum(dz * x, n)

    Args:
        dz: gradient of the loss to z, shape (n, o)
        x: float16, float32 or float64, shape (n, k)
        out: an array that takes the result, None for a new one; it may be an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dw: shape (k, o)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dz = _array("dz", dz)
    x = _array("x", x)
    lengths = _lengths(
        ("dz", dz, ("n", "o")),
        ("x", x, ("n", "k")),
    )
    kept_dtype = _kept(x.dtype)
    if out is None:
        dw_result = np.empty((lengths["k"], lengths["o"]), kept_dtype)
    else:
        (dw_result,) = _results(
            out,
            [
                ((lengths["k"], lengths["o"]), kept_dtype),
            ],
            [dz, x],
            in_place=True,
        )
    dtype = _COMPUTE[x.dtype]
    dz = dz.astype(dtype, copy=False)
    x = x.astype(dtype, copy=False)
    dw = _room(dw_result, dtype, True)
    # dw = Sum(dz * x, n)
    np.matmul(x.T, dz, out=dw)
    _deliver(dw, dw_result)
    return dw_result


def _lengths(*arrays: tuple[str, Array, tuple[str, ...]]) -> dict[str, int]:
    """The length of each named axis, the same in every array that has it."""
    lengths: dict[str, int] = {}
    first_name, first, _ = arrays[0]
    for name, value, axes in arrays:
        if value.ndim != len(axes):
            raise ValueError(f"{name} needs axes ({', '.join(axes)}), got shape {value.shape}")
        if value.dtype != first.dtype and not name.startswith("saved."):  # what is saved keeps what digits it has
            raise ValueError(f"{name} needs {first_name}'s dtype {first.dtype}, got {value.dtype}")
        for axis, length in zip(axes, value.shape, strict=True):
            if lengths.setdefault(axis, length) != length:
                raise ValueError(f"{name} needs length {lengths[axis]} along axis {axis}, got shape {value.shape}")
    return lengths


def _room(result: Array, dtype: Any, direct: bool) -> Array:
    """The result itself, or, where it cannot be computed in, room beside it."""
    return result if direct and result.dtype == dtype else np.empty(result.shape, dtype)


def _deliver(room: Array, result: Array) -> None:
    """What was computed beside a result is copied into it."""
    if not np.may_share_memory(room, result):
        np.copyto(result, room, casting="same_kind")


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


def _optional(name: str, value: Any, like: Array, shape: tuple[int, ...], absent: float = 0.0) -> Array:
    """An array of the dtype and shape that are wanted; None is what an absent one stands for, zero for a tangent."""
    return np.full(shape, absent, like.dtype) if value is None else _array(name, value)


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
