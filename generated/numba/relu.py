"""The rectified linear unit: max(x, 0). Its derivative at 0 is 0.

Source: Nair & Hinton 2010.

    y = maximum(x, 0)

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
from typing import Any, NamedTuple

import numpy as np

try:
    import numba
    import numba.extending
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
except ImportError:
    raise ImportError(f"{__name__} needs Numba: install bnsym[numba]") from None

__all__ = [
    "backward",
    "backward_jvp",
    "double_backward",
    "forward",
    "jvp",
]

Array = np.ndarray[Any, np.dtype[Any]]

# Arrays of each dtype are computed in the dtype on the right; sums over them are carried on in float64.
_COMPUTE = {np.dtype(np.float16): np.float32, np.dtype(np.float32): np.float32, np.dtype(np.float64): np.float64}


def forward(
    x: Array,
    *,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Compute y as the definition states it (Nair & Hinton 2010).

    Computes:
        y = maximum(x, 0)

    Args:
        x: float16, float32 or float64, any shape
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
    if out is None:
        y_result = np.empty(x.shape, x.dtype)
    else:
        (y_result,) = _results(
            out,
            [
                (x.shape, x.dtype),
            ],
            [x],
            in_place=True,
        )
    threads = _threads(threads)
    _run(
        "forward",
        x.dtype,
        (x.size,),
        arrays=[x],
        vectors=[],
        numbers=[],
        outputs=[y_result],
        results=[],
        threads=threads,
    )
    return y_result


def backward(
    dy: Array,
    x: Array,
    *,
    out: Array | None = None,
    threads: int | None = None,
) -> Array:
    """Compute the gradients of sum(dy * y), in closed form.

    Computes:
        dx = dy * heaviside(x, 0)

    Args:
        dy: gradient of the loss to y, any shape
        x: float16, float32 or float64, any shape
        out: an array that takes the result, None for a new one; it may be an input itself
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dy = _array("dy", dy)
    x = _array("x", x)
    _check_like("dy", dy, "x", x)
    if out is None:
        dx_result = np.empty(x.shape, x.dtype)
    else:
        (dx_result,) = _results(
            out,
            [
                (x.shape, x.dtype),
            ],
            [dy, x],
            in_place=True,
        )
    threads = _threads(threads)
    _run(
        "backward",
        x.dtype,
        (x.size,),
        arrays=[dy, x],
        vectors=[],
        numbers=[],
        outputs=[dx_result],
        results=[],
        threads=threads,
    )
    return dx_result


@np.errstate(all="ignore")
def jvp(
    x: Array,
    tx: Array | None,
    *,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute y and the derivative in the direction of the tangents (forward mode).

    Computes:
        ty = heaviside(x, 0) * tx

    Args:
        x: float16, float32 or float64, any shape
        tx: tangent of x, any shape; None stands for 0
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        y: shape and dtype of x
        ty: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    y_result = forward(x, threads=threads)
    x = _array("x", x)
    tx = _optional("tx", tx, x)
    ty_result = np.empty(x.shape, x.dtype)
    dtype = _COMPUTE[x.dtype]
    x = np.atleast_1d(x).astype(dtype, copy=False)
    tx = np.atleast_1d(tx).astype(dtype, copy=False)
    ty = np.atleast_1d(ty_result)
    # ty = heaviside(x, 0) * tx
    work = np.heaviside(x, 0)
    np.multiply(work, tx, out=ty)
    return y_result, ty_result


@np.errstate(all="ignore")
def double_backward(
    ddx: Array | None,
    dy: Array,
    x: Array,
    *,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute the gradients of `backward`'s results, each weighted by what it is multiplied with.

    Computes:
        g_dy = ddx * heaviside(x, 0)
        g_x = 0

    Args:
        ddx: gradient of the loss to dx, which `backward` gives, any shape; None stands for 0
        dy: gradient of the loss to y, any shape
        x: float16, float32 or float64, any shape
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        g_dy: shape and dtype of x
        g_x: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dy = _array("dy", dy)
    x = _array("x", x)
    ddx = _optional("ddx", ddx, x)
    _check_like("dy", dy, "x", x)
    g_dy_result = np.empty(x.shape, x.dtype)
    g_x_result = np.empty(x.shape, x.dtype)
    dtype = _COMPUTE[x.dtype]
    ddx = np.atleast_1d(ddx).astype(dtype, copy=False)
    x = np.atleast_1d(x).astype(dtype, copy=False)
    g_dy = np.atleast_1d(g_dy_result)
    g_x = np.atleast_1d(g_x_result)
    # g_dy = ddx * heaviside(x, 0)
    work = np.heaviside(x, 0)
    np.multiply(work, ddx, out=g_dy)
    # g_x = 0
    np.copyto(g_x, 0)
    return g_dy_result, g_x_result


@np.errstate(all="ignore")
def backward_jvp(
    dy: Array,
    tdy: Array | None,
    x: Array,
    tx: Array | None,
    *,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Compute `backward` and its derivative in the direction of the tangents (forward over reverse).

    Computes:
        step_x = heaviside(x, 0)
        dx = dy * step_x
        tdx = step_x * tdy

    Args:
        dy: gradient of the loss to y, any shape
        tdy: tangent of dy, any shape; None stands for 0
        x: float16, float32 or float64, any shape
        tx: tangent of x, any shape; None stands for 0
        threads: how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the
            results are the same bits for any number

    Returns:
        dx: shape and dtype of x
        tdx: shape and dtype of x

    Raises:
        TypeError: for what is not a plain array, or a number, of a supported dtype
        ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then
    """
    dy = _array("dy", dy)
    x = _array("x", x)
    tdy = _optional("tdy", tdy, x)
    tx = _optional("tx", tx, x)
    _check_like("dy", dy, "x", x)
    dx_result = np.empty(x.shape, x.dtype)
    tdx_result = np.empty(x.shape, x.dtype)
    dtype = _COMPUTE[x.dtype]
    dy = np.atleast_1d(dy).astype(dtype, copy=False)
    tdy = np.atleast_1d(tdy).astype(dtype, copy=False)
    x = np.atleast_1d(x).astype(dtype, copy=False)
    dx = np.atleast_1d(dx_result)
    tdx = np.atleast_1d(tdx_result)
    # step_x = heaviside(x, 0)
    step_x = np.heaviside(x, 0)
    # dx = dy * step_x
    np.multiply(dy, step_x, out=dx)
    # tdx = step_x * tdy
    np.multiply(step_x, tdy, out=tdx)
    return dx_result, tdx_result


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


@_inlined
def _larger(a: Any, b: Any) -> Any:
    return a if a > b or a != a else b


@_inlined
def _step(a: Any) -> Any:
    return a if a != a else type(a)(a > 0)


@_compiled
def _forward_1_along(
    x_all,
    y_all,
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
    kept, run, runs = 1, shape[0], 1
    total = 1 * runs * run
    misfits = 0
    for k in range(first, last):
        # y
        if first_step <= 0 < last_step:
            begin, end = first_part, min(last_part, total)
            while begin < end:
                this_run = begin // run
                o, i = this_run // runs, begin - this_run // runs * (runs * run)
                n = min((this_run + 1) * run - begin, end - begin)
                first_e = (o * kept + k) * (runs * run) + i
                for j in range(n):
                    e = np.uintp(first_e + j)
                    x = x_all[e]
                    y = _larger(x, real(0))
                    y_all[e] = y
                begin += n
    return misfits


@_compiled
def _backward_1_along(
    dy_all,
    x_all,
    dx_all,
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
    """dx: some channels, some parts of them, some steps."""
    kept, run, runs = 1, shape[0], 1
    total = 1 * runs * run
    misfits = 0
    for k in range(first, last):
        # dx
        if first_step <= 0 < last_step:
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
                    dx = dy * _step(x)
                    dx_all[e] = dx
                begin += n
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
    """How many numbers of each channel sweeps hand on, and its stages."""

    slots: int
    stages: tuple[_Stage, ...]


_FUNCTIONS = {
    "forward": _Function(
        0,
        (
            _Stage(
                _forward_1_along,
                None,
                (),
                (),
                (0,),
                ("write",),
                0,
                0,
                (),
            ),
        ),
    ),
    "backward": _Function(
        0,
        (
            _Stage(
                _backward_1_along,
                None,
                (),
                (),
                (0,),
                ("write",),
                0,
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
    if way.parts > 1 or (way.across and not alone):
        _Unit(call, stage, way, 0, way.kept, threads).go()
        return
    step = min(way.unit, -(-way.kept // threads)) if way.across else -(-way.kept // (4 * threads if threads > 1 else 1))
    ranges = [(first, min(first + step, way.kept)) for first in range(0, way.kept, step)]
    _together([_Unit(call, stage, way, *r, 1).go for r in ranges], threads)


class _Unit:
    """Some channels of a stage, which are taken through all of its steps."""

    def __init__(self, call: _Call, stage: _Stage, way: _Way, first: int, last: int, threads: int):
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

    @np.errstate(all="ignore")
    def go(self) -> None:
        """All steps: at once, or one after the other where parts of the data are put together between them."""
        end, all_of_it = len(self.stage.steps), (0, self.way.length)
        if self.way.parts > 1 or self.wide:
            self._one_by_one()
        elif self._steps(0, end, all_of_it, self.sums):
            raise AssertionError

    def _one_by_one(self) -> None:
        n = 0
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
                assert not misfits
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
        if self.sliced:
            vectors = [v[self.first : self.last] for v in vectors]
            results = [r[self.first : self.last] for r in results]
        if self.wide and self.stage.steps[first_step] != "settle":
            vectors = [np.repeat(v, way.inner) for v in vectors]
            slots = tuple(np.repeat(s, way.inner) for s in slots)
        given = [*call.arrays, *vectors, *call.outputs, *results, *call.numbers, call.shape, slots, self.pivots, sums]
        wanted = int(math.sqrt(way.length))
        first, last = self.first, self.last
        if way.across:
            given.append(tuple(np.empty((self.stage.sums, self.columns), call.dtype)))
            first, last, probe = first * way.inner, last * way.inner, max(way.length // max(wanted, 8), 1)
        else:
            probe = max(way.length // -(-wanted // 32) - 32, 0)
        compiled = self.stage.across if way.across else self.stage.along
        found: int = compiled(*given, self.keep, probe, first, last, *part, first_step, last_step)
        return found


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
