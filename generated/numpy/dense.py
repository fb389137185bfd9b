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
    z_result = np.empty((lengths["n"], lengths["o"]), x.dtype)
    if out is not None:
        (z_result,) = _results(
            out,
            (z_result,),
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
    dx_result = np.empty((lengths["n"], lengths["k"]), x.dtype)
    dw_result = np.empty((lengths["k"], lengths["o"]), x.dtype)
    db_result = np.empty((lengths["o"],), kept_dtype)
    if out is not None:
        dx_result, dw_result, db_result = _results(
            out,
            (dx_result, dw_result, db_result),
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
    dw_result = np.empty((lengths["k"], lengths["o"]), x.dtype)
    db_result = np.empty((lengths["o"],), kept_dtype)
    if out is not None:
        dw_result, db_result = _results(
            out,
            (dw_result, db_result),
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
