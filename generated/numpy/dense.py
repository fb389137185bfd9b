"""A fully connected layer, `z = x w + b`: its sums are matrix products.

Source: a fully connected layer, Ioffe & Szegedy 2015, Section 3.2: W u + b.

    z = Sum(w * x, k) + b

Derived, proved and printed by bnsym 0.1.0. Do not edit: change the definition and run
`regenerate-kernels`. This file needs NumPy alone and can be copied into another project.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "backward",
    "forward",
    "parameter_backward",
]

Array = np.ndarray[Any, np.dtype[Any]]

# Arrays of each dtype are computed in the dtype on the right; sums over them are carried on in float64.
_COMPUTE = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}


@np.errstate(all="ignore")
def forward(
    x: Array,
    w: Array,
    b: Array | None,
    *,
    out: Array | None = None,
) -> Array:
    """Compute z as the definition states it (a fully connected layer, Ioffe & Szegedy 2015, Section 3.2: W u + b).

    Computes:
        z = Sum(w * x, k) + b

    Args:
        x: float16, float32 or float64, shape (n, k)
        w: float16, float32 or float64, shape (k, o)
        b: float16, float32 or float64, shape (o,); None stands for 0
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

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
    (z_result,) = _results(
        out,
        [
            ("z", (lengths["n"], lengths["o"]), x.dtype),
        ],
        [x, w, b],
        in_place=True,
    )
    b = _vector("b", b, (lengths["o"],), absent=0)
    dtype = _COMPUTE[x.dtype]
    x = x.astype(dtype, copy=False)
    w = w.astype(dtype, copy=False)
    z = z_result
    # z = Sum(w * x, k) + b
    np.matmul(x, w, out=z)
    np.add(z, b.astype(dtype, copy=False), out=z)
    return z_result


@np.errstate(all="ignore")
def backward(
    dz: Array,
    x: Array,
    w: Array,
    *,
    out: Array | tuple[Array | None, ...] | None = None,
) -> tuple[Array, Array, Array]:
    """Compute the gradients of sum(dz * z), in closed form.

    Computes:
        db = Sum(dz, n)
        dx = Sum(dz * w, o)
        dw = Sum(dz * x, n)

    Args:
        dz: gradient of the loss to z, shape (n, o)
        x: float16, float32 or float64, shape (n, k)
        w: float16, float32 or float64, shape (k, o)
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        dx: shape (n, k)
        dw: shape (k, o)
        db: shape (o,), float64 for float64 data, else float32

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
    dx_result, dw_result, db_result = _results(
        out,
        [
            ("dx", (lengths["n"], lengths["k"]), x.dtype),
            ("dw", (lengths["k"], lengths["o"]), x.dtype),
            ("db", (lengths["o"],), kept_dtype),
        ],
        [dz, x, w],
        in_place=False,
    )
    dtype = _COMPUTE[x.dtype]
    dz = dz.astype(dtype, copy=False)
    x = x.astype(dtype, copy=False)
    w = w.astype(dtype, copy=False)
    dx = dx_result
    dw = dw_result
    db = _sum(dz, (0,))
    # dx = Sum(dz * w, o)
    np.matmul(dz, w.T, out=dx)
    # dw = Sum(dz * x, n)
    np.matmul(x.T, dz, out=dw)
    db_result[...] = db
    return dx_result, dw_result, db_result


@np.errstate(all="ignore")
def parameter_backward(
    dz: Array,
    x: Array,
    *,
    out: Array | tuple[Array | None, ...] | None = None,
) -> tuple[Array, Array]:
    """Compute the gradients to the parameters alone, as `backward` does.

    Computes:
        db = Sum(dz, n)
        dw = Sum(dz * x, n)

    Args:
        dz: gradient of the loss to z, shape (n, o)
        x: float16, float32 or float64, shape (n, k)
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        dw: shape (k, o)
        db: shape (o,), float64 for float64 data, else float32

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
    dw_result, db_result = _results(
        out,
        [
            ("dw", (lengths["k"], lengths["o"]), x.dtype),
            ("db", (lengths["o"],), kept_dtype),
        ],
        [dz, x],
        in_place=True,
    )
    dtype = _COMPUTE[x.dtype]
    dz = dz.astype(dtype, copy=False)
    x = x.astype(dtype, copy=False)
    dw = dw_result
    db = _sum(dz, (0,))
    # dw = Sum(dz * x, n)
    np.matmul(x.T, dz, out=dw)
    db_result[...] = db
    return dw_result, db_result


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
    wanted: Sequence[tuple[str, tuple[int, ...], Any]],
    inputs: Sequence[Any],
    in_place: bool,
) -> list[Array]:
    """The arrays that results go to: those of `out` after checks, else new ones."""
    if out is None:
        return [np.empty(shape, dtype) for _, shape, dtype in wanted]
    given = list(out) if isinstance(out, tuple) else [out, *[None] * (len(wanted) - 1)]
    if len(given) != len(wanted):
        raise ValueError(f"out needs {len(wanted)} arrays, got {len(given)}")
    results: list[Array] = []
    for array, (name, shape, dtype) in zip(given, wanted, strict=True):
        results.append(np.empty(shape, dtype) if array is None else _checked_out(name, array, shape, np.dtype(dtype)))
    for k, (array, result) in enumerate(zip(given, results, strict=True)):
        others = [*inputs, *results[:k]] if array is not None else []
        if any(_overlaps(result, other, in_place and k == 0) for other in others):
            raise ValueError(f"out for {wanted[k][0]} needs memory of its own, got memory of another array of the call")
    return results


def _checked_out(name: str, array: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    array = _array(f"out for {name}", array)
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"out for {name} needs shape {shape} and dtype {dtype}, got {array.shape} and {array.dtype}")
    if not array.flags.writeable:
        raise ValueError(f"out for {name} needs a writeable array, got a read-only one")
    if any(step == 0 and length > 1 for step, length in zip(array.strides, array.shape, strict=True)):
        raise ValueError(f"out for {name} needs an array of its own memory, got a broadcast one")
    return array


def _overlaps(result: Array, other: Any, in_place: bool) -> bool:
    """Whether two arrays share memory without being, where that is allowed, one and the same."""
    if not isinstance(other, np.ndarray) or not np.may_share_memory(result, other):
        return False
    same = result.ctypes.data == other.ctypes.data and result.strides == other.strides and result.shape == other.shape
    return not (in_place and same and result.dtype == other.dtype) and np.shares_memory(result, other)


def _kept(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Statistics and parameter gradients: float64 for float64 data, else float32."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


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
