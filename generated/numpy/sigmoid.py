"""The logistic sigmoid, Ioffe & Szegedy (2015), Section 1: g(x) = 1 / (1 + exp(-x)).

Source: Ioffe & Szegedy 2015, Section 1: g(x) = 1 / (1 + exp(-x)).

    y = 1 / (1 + exp(-x))

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

    y: Array


@np.errstate(all="ignore")
def forward(
    x: Array,
    *,
    out: Array | None = None,
) -> tuple[Array, Saved]:
    """Compute y as the definition states it (Ioffe & Szegedy 2015, Section 1: g(x) = 1 / (1 + exp(-x))).

    Computes:
        y = 1 / (1 + exp(-x))

    Args:
        x: float16, float32 or float64, any shape
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
    y_result = np.empty(x.shape, x.dtype)
    if out is not None:
        (y_result,) = _results(
            out,
            (y_result,),
            [x],
            in_place=True,
        )
    dtype = _COMPUTE[x.dtype]
    x = x.astype(dtype, copy=False)
    y = y_result
    # y = 1 / (1 + exp(-x))
    work = np.negative(x)
    np.exp(work, out=work)
    np.add(work, 1, out=work)
    np.divide(1.0, work, out=y)
    saved = Saved(
        y_result,
    )
    return y_result, saved


@np.errstate(all="ignore")
def backward(
    dy: Array,
    saved: Saved,
    *,
    out: Array | None = None,
) -> Array:
    """Compute the gradients of sum(dy * y), in closed form.

    Computes:
        dx = (1 - y) * dy * y

    Args:
        dy: gradient of the loss to y, any shape
        saved: what `forward` returned
        out: arrays that take the results, in the order they are returned, None for a new one; the first may be
            an input itself

    Returns:
        dx: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    _check_saved(saved)
    dy = _array("dy", dy)
    dx_result = np.empty(dy.shape, dy.dtype)
    if out is not None:
        (dx_result,) = _results(
            out,
            (dx_result,),
            [dy, *saved[:1]],
            in_place=True,
        )
    dtype = _COMPUTE[dy.dtype]
    dy = dy.astype(dtype, copy=False)
    y = saved.y.astype(dtype, copy=False)
    dx = dx_result
    # dx = (1 - y) * dy * y
    work = np.subtract(1, y)
    np.multiply(work, dy, out=work)
    np.multiply(work, y, out=dx)
    return dx_result


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
