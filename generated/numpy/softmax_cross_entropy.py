"""Softmax followed by cross-entropy against one-hot targets, averaged over the examples.

Source: Ioffe & Szegedy 2015, Section 4.1: the cross-entropy loss.

    shift = Max(z, k)
    e = exp(z - shift)
    total = Sum(e, k)
    p = e / total
    loss = Sum((log(total) + shift - z) * t, n, k) / examples

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
    "forward",
]

Array = np.ndarray[Any, np.dtype[Any]]

# Arrays of each dtype are computed in the dtype on the right; sums over them are carried on in float64.
_COMPUTE = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}


class Saved(NamedTuple):
    """What `forward` keeps for `backward`."""

    p: Array


@np.errstate(all="ignore")
def forward(
    z: Array,
    t: Array,
) -> tuple[float, Saved]:
    """Compute loss as the definition states it (Ioffe & Szegedy 2015, Section 4.1: the cross-entropy loss).

    Computes:
        shift = Max(z, k)
        e = exp(z - shift)
        total = Sum(e, k)
        inv_total = 1 / total
        p = e * inv_total
        loss = Sum((log(total) + shift - z) * t, n, k) / examples

    Args:
        z: float16, float32 or float64, shape (n, k)
        t: float16, float32 or float64, shape (n, k)

    Returns:
        loss: a number
        saved: for `backward`

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    z = _array("z", z)
    t = _array("t", t)
    lengths = _lengths(
        ("z", z, ("n", "k")),
        ("t", t, ("n", "k")),
    )
    examples = lengths["n"]
    dtype = _COMPUTE[z.dtype]
    z = z.astype(dtype, copy=False)
    t = t.astype(dtype, copy=False)
    shift = _largest(z, (1,))
    # e = exp(z - shift)
    e = np.subtract(z, shift.astype(dtype, copy=False)[:, None])
    np.exp(e, out=e)
    total = _sum(e, (1,))
    inv_total = 1 / total
    # p = e * inv_total
    np.multiply(e, inv_total.astype(dtype, copy=False)[:, None], out=e)
    p = e
    # loss = Sum((log(total) + shift - z) * t, n, k) / examples
    work = np.subtract(np.log(total.astype(dtype, copy=False)[:, None]), z)
    np.add(work, shift.astype(dtype, copy=False)[:, None], out=work)
    np.multiply(work, t, out=work)
    loss = _sum(work, (0, 1)) / examples
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
) -> Array:
    """Compute the gradients of sum(dloss * loss), in closed form.

    Computes:
        scale = dloss / examples
        dz = (p - t) * scale

    Args:
        dloss: gradient of the loss to loss
        t: float16, float32 or float64, shape (n, k)
        saved: what `forward` returned
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        dz: shape (n, k)

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    t = _array("t", t)
    lengths = _lengths(
        ("t", t, ("n", "k")),
        ("saved.p", _array("saved.p", saved.p), ("n", "k")),
    )
    examples = lengths["n"]
    dz_result = np.empty((lengths["n"], lengths["k"]), t.dtype)
    if out is not None:
        (dz_result,) = _results(
            out,
            (dz_result,),
            [t, *saved[:1]],
            in_place=True,
        )
    dloss = np.float64(_constant("dloss", dloss))
    dtype = _COMPUTE[t.dtype]
    t = t.astype(dtype, copy=False)
    p = saved.p.astype(dtype, copy=False)
    dz = dz_result
    scale = dloss / examples
    # dz = (p - t) * scale
    work = np.subtract(p, t)
    np.multiply(work, scale.astype(dtype, copy=False), out=dz)
    return dz_result


def _lengths(*arrays: tuple[str, Array, tuple[str, ...]]) -> dict[str, int]:
    """The length of each named axis, the same in every array that has it."""
    lengths: dict[str, int] = {}
    first_name, first, _ = arrays[0]
    for name, value, axes in arrays:
        if value.ndim != len(axes):
            raise ValueError(f"{name} needs axes ({', '.join(axes)}), got shape {value.shape}")
        if value.dtype != first.dtype:
            raise ValueError(f"{name} needs {first_name}'s dtype {first.dtype}, got {value.dtype}")
        for axis, length in zip(axes, value.shape, strict=True):
            if lengths.setdefault(axis, length) != length:
                raise ValueError(f"{name} needs length {lengths[axis]} along axis {axis}, got shape {value.shape}")
    return lengths


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
