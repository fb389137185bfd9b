"""Softmax followed by cross-entropy against one-hot targets, averaged over the examples.

Source: Ioffe & Szegedy 2015, Section 4.1: the cross-entropy loss.

    shift = Max(z, k)
    shifted = z - shift
    e = exp(shifted)
    total = Sum(e, k)
    p = e / total
    loss = Sum((log(total) - shifted) * t, n, k) / examples

Derived, proved and printed by bnsym 0.1.0. Do not edit: change the definition and run
`regenerate-kernels`. This file needs NumPy alone and can be copied into another project.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any, NamedTuple

import numpy as np

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


_MEANING = "p = e / total"


class Saved(NamedTuple):
    """What `forward` keeps for `backward`."""

    p: Array

    @property
    def _meaning(self) -> str:
        """What tells it from what another definition saves in fields of the same names."""
        return _MEANING


@np.errstate(all="ignore")
def forward(
    z: Array,
    t: Array,
    *,
    threads: int | None = None,
) -> tuple[float, Saved]:
    """Compute loss as the definition states it (Ioffe & Szegedy 2015, Section 4.1: the cross-entropy loss).

    Computes:
        shift = Max(z, k)
        shifted = z - shift
        e = exp(shifted)
        total = Sum(e, k)
        inv_total = 1 / total
        p = e * inv_total
        loss = Sum((log(total) - shifted) * t, n, k) / examples

    Args:
        z: float16, float32 or float64, shape (n, k)
        t: zeros and ones, float16, float32 or float64, shape (n, k)
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        loss: a number
        saved: for `backward`

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then

    Given that Sum(t, k) = 1, which is not checked.
    """
    z = _array("z", z)
    t = _array("t", t)
    lengths = _lengths(
        ("z", z, ("n", "k")),
        ("t", t, ("n", "k")),
    )
    examples = lengths["n"]
    if examples * lengths["k"] == 0:
        raise ValueError(f"z has nothing to take a mean or a maximum over: its shape is {z.shape}")
    dtype = _COMPUTE[z.dtype]
    z = z.astype(dtype, copy=False)
    t = t.astype(dtype, copy=False)
    shift = _largest(z, (1,))
    # shifted = z - shift
    shifted = np.subtract(z, shift.astype(dtype, copy=False)[:, None])
    # e = exp(shifted)
    e = np.exp(shifted)
    total = _sum(e, (1,))
    inv_total = 1 / total
    # p = e * inv_total
    np.multiply(e, inv_total.astype(dtype, copy=False)[:, None], out=e)
    p = e
    # loss = Sum((log(total) - shifted) * t, n, k) / examples
    np.subtract(np.log(total.astype(dtype, copy=False)[:, None]), shifted, out=shifted)
    np.multiply(shifted, t, out=shifted)
    loss = _sum(shifted, (0, 1)) / examples
    saved = Saved(
        p,
    )
    return float(loss), saved


@np.errstate(all="ignore")
def backward(
    dloss: float,
    t: Array,
    saved: Saved,
    *,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Compute the gradients of sum(dloss * loss), in closed form.

    Computes:
        scale = dloss / examples
        dz = (p - t) * scale

    Args:
        dloss: gradient of the loss to loss
        t: zeros and ones, float16, float32 or float64, shape (n, k)
        saved: what `forward` returned
        out: an array that takes the result, None for a new one; it may be an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dz: shape (n, k)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then

    Given that Sum(t, k) = 1, which is not checked.
    """
    _check_saved(saved)
    t = _array("t", t)
    lengths = _lengths(
        ("t", t, ("n", "k")),
        ("saved.p", _array("saved.p", saved.p), ("n", "k")),
    )
    examples = lengths["n"]
    if out is None:
        dz_result = np.empty((lengths["n"], lengths["k"]), t.dtype)
    else:
        (dz_result,) = _results(
            out,
            [
                ((lengths["n"], lengths["k"]), t.dtype),
            ],
            [t, *saved[:1]],
            in_place=True,
        )
    dloss = _number("dloss", dloss)
    dtype = _COMPUTE[t.dtype]
    t = t.astype(dtype, copy=False)
    p = saved.p.astype(dtype, copy=False)
    dz = _room(dz_result, dtype, True)
    scale = dloss / examples
    # dz = (p - t) * scale
    work = np.subtract(p, t)
    np.multiply(work, float(scale), out=dz)
    _deliver(dz, dz_result)
    return dz_result


@np.errstate(all="ignore")
def jvp(
    z: Array,
    t: Array,
    tz: Array | None,
    *,
    threads: int | None = None,
) -> tuple[float, float]:
    """Compute loss and the derivative in the direction of the tangents (forward mode).

    Computes:
        sum_p_tz = Sum(p * tz, n, k)
        sum_t_tz = Sum(t * tz, n, k)
        tloss = (sum_p_tz - sum_t_tz) / examples

    Args:
        z: float16, float32 or float64, shape (n, k)
        t: zeros and ones, float16, float32 or float64, shape (n, k)
        tz: tangent of z, shape (n, k); None stands for 0
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        loss: a number
        tloss: a number

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then

    Given that Sum(t, k) = 1, which is not checked.
    """
    loss_result, saved = forward(z, t, threads=threads)
    z = _array("z", z)
    t = _array("t", t)
    tz = _optional("tz", tz, z, z.shape)
    lengths = _lengths(
        ("z", z, ("n", "k")),
        ("t", t, ("n", "k")),
        ("tz", tz, ("n", "k")),
        ("saved.p", _array("saved.p", saved.p), ("n", "k")),
    )
    examples = lengths["n"]
    dtype = _COMPUTE[z.dtype]
    t = t.astype(dtype, copy=False)
    tz = tz.astype(dtype, copy=False)
    p = saved.p.astype(dtype, copy=False)
    # sum_p_tz = Sum(p * tz, n, k)
    work = np.multiply(p, tz)
    sum_p_tz = _sum(work, (0, 1))
    # sum_t_tz = Sum(t * tz, n, k)
    np.multiply(t, tz, out=work)
    sum_t_tz = _sum(work, (0, 1))
    tloss = (sum_p_tz - sum_t_tz) / examples
    return loss_result, float(tloss)


@np.errstate(all="ignore")
def double_backward(
    ddz: Array | None,
    dloss: float,
    t: Array,
    saved: Saved,
    *,
    threads: int | None = None,
) -> tuple[float, Array]:
    """Compute the gradients of `backward`'s results, each weighted by what it is multiplied with.

    Computes:
        sum_ddz_t = Sum(ddz * t, n, k)
        sum_ddz_p_over_k = Sum(ddz * p, k)
        sum_ddz_p = Sum(sum_ddz_p_over_k, n)
        g_dloss = (sum_ddz_p - sum_ddz_t) / examples
        scale = dloss / examples
        g_z = (ddz - sum_ddz_p_over_k) * p * scale

    Args:
        ddz: gradient of the loss to dz, which `backward` gives, shape (n, k); None stands for 0
        dloss: gradient of the loss to loss
        t: zeros and ones, float16, float32 or float64, shape (n, k)
        saved: what `forward` returned
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        g_dloss: a number
        g_z: shape (n, k)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then

    Given that Sum(t, k) = 1, which is not checked.
    """
    _check_saved(saved)
    t = _array("t", t)
    ddz = _optional("ddz", ddz, t, t.shape)
    lengths = _lengths(
        ("ddz", ddz, ("n", "k")),
        ("t", t, ("n", "k")),
        ("saved.p", _array("saved.p", saved.p), ("n", "k")),
    )
    examples = lengths["n"]
    g_z_result = np.empty((lengths["n"], lengths["k"]), t.dtype)
    dloss = _number("dloss", dloss)
    dtype = _COMPUTE[t.dtype]
    ddz = ddz.astype(dtype, copy=False)
    t = t.astype(dtype, copy=False)
    p = saved.p.astype(dtype, copy=False)
    g_z = _room(g_z_result, dtype, True)
    # sum_ddz_t = Sum(ddz * t, n, k)
    work = np.multiply(ddz, t)
    sum_ddz_t = _sum(work, (0, 1))
    # sum_ddz_p_over_k = Sum(ddz * p, k)
    np.multiply(ddz, p, out=work)
    sum_ddz_p_over_k = _sum(work, (1,))
    sum_ddz_p = _sum(sum_ddz_p_over_k, (0,))
    g_dloss = (sum_ddz_p - sum_ddz_t) / examples
    scale = dloss / examples
    # g_z = (ddz - sum_ddz_p_over_k) * p * scale
    np.subtract(ddz, sum_ddz_p_over_k.astype(dtype, copy=False)[:, None], out=work)
    np.multiply(work, p, out=work)
    np.multiply(work, float(scale), out=g_z)
    _deliver(g_z, g_z_result)
    return float(g_dloss), g_z_result


@np.errstate(all="ignore")
def backward_jvp(
    dloss: float,
    tdloss: float | None,
    tz: Array | None,
    t: Array,
    saved: Saved,
    *,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute `backward` and its derivative in the direction of the tangents (forward over reverse).

    Computes:
        sum_p_tz = Sum(p * tz, k)
        scale = dloss / examples
        dz = (p - t) * scale
        coef_p = tdloss - dloss * sum_p_tz
        tdz_scale = 1 / examples
        tdz = (coef_p * p + dloss * p * tz - t * tdloss) * tdz_scale

    Args:
        dloss: gradient of the loss to loss
        tdloss: tangent of dloss; None stands for 0
        tz: tangent of z, shape (n, k); None stands for 0
        t: zeros and ones, float16, float32 or float64, shape (n, k)
        saved: what `forward` returned
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dz: shape (n, k)
        tdz: shape (n, k)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then

    Given that Sum(t, k) = 1, which is not checked.
    """
    _check_saved(saved)
    t = _array("t", t)
    tz = _optional("tz", tz, t, t.shape)
    lengths = _lengths(
        ("tz", tz, ("n", "k")),
        ("t", t, ("n", "k")),
        ("saved.p", _array("saved.p", saved.p), ("n", "k")),
    )
    examples = lengths["n"]
    dz_result = np.empty((lengths["n"], lengths["k"]), t.dtype)
    tdz_result = np.empty((lengths["n"], lengths["k"]), t.dtype)
    dloss = _number("dloss", dloss)
    tdloss = _number("tdloss", tdloss if tdloss is not None else 0.0)
    dtype = _COMPUTE[t.dtype]
    tz = tz.astype(dtype, copy=False)
    t = t.astype(dtype, copy=False)
    p = saved.p.astype(dtype, copy=False)
    dz = _room(dz_result, dtype, True)
    tdz = _room(tdz_result, dtype, True)
    # sum_p_tz = Sum(p * tz, k)
    work = np.multiply(p, tz)
    sum_p_tz = _sum(work, (1,))
    scale = dloss / examples
    # dz = (p - t) * scale
    np.subtract(p, t, out=work)
    np.multiply(work, float(scale), out=dz)
    coef_p = tdloss - dloss * sum_p_tz
    tdz_scale = 1 / examples
    # tdz = (coef_p * p + dloss * p * tz - t * tdloss) * tdz_scale
    np.multiply(p, coef_p.astype(dtype, copy=False)[:, None], out=work)
    work_2 = np.multiply(p, tz)
    np.multiply(work_2, float(dloss), out=work_2)
    np.add(work, work_2, out=work)
    np.multiply(t, float(tdloss), out=work_2)
    np.subtract(work, work_2, out=work)
    np.multiply(work, float(tdz_scale), out=tdz)
    _deliver(dz, dz_result)
    _deliver(tdz, tdz_result)
    return dz_result, tdz_result


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


def _largest(a: Array, axes: tuple[int, ...]) -> Array:
    return np.maximum.reduce(a, axis=axes)


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


def _check_saved(saved: Any) -> None:
    """What this module saved, or a module that means the same by it: a copy, or one with the same statistics."""
    if type(saved) is not Saved and getattr(saved, "_meaning", None) != _MEANING:
        got = getattr(saved, "_meaning", type(saved).__name__)
        raise TypeError(f"saved needs what forward returned ({_MEANING}), got {got}")
