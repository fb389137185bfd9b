"""Arrays between two pages that nobody may touch: what reads or writes past an end is caught there."""

import bisect
import ctypes
import mmap
import weakref

import numpy as np

PAGE = mmap.PAGESIZE
PLACEMENTS = ("start", "end")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)

_live = {}
"""Of each piece of memory: its address, and with it its size, where the array in it begins and how long that is."""


def _free(base, size):
    del _live[base]
    _libc.munmap(base, size)


def memory(count, placement):
    """`count` bytes at the beginning of a page or at the end of one, as an array of bytes; 0xFF throughout."""
    if placement not in PLACEMENTS:
        raise ValueError(f"a placement is one of {', '.join(PLACEMENTS)}, and not {placement!r}")
    inner = -(-count // PAGE) * PAGE
    size = inner + 2 * PAGE
    base = _libc.mmap(None, size, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if base in (None, ctypes.c_void_p(-1).value):
        raise MemoryError(f"no memory for {size} bytes: errno {ctypes.get_errno()}")
    if inner:
        _libc.mprotect(base + PAGE, inner, mmap.PROT_READ | mmap.PROT_WRITE)
        ctypes.memset(base + PAGE, 0xFF, inner)
    start = base + PAGE + (inner - count if placement == "end" else 0)
    held = (ctypes.c_ubyte * count).from_address(start)
    _live[base] = (size, start, count)
    weakref.finalize(held, _free, base, size).atexit = False
    return np.frombuffer(held, np.uint8) if count else np.empty(0, np.uint8)


def empty(shape, dtype=float, order="C", placement="end"):
    """An array whose every byte is 0xFF: of floating-point numbers, NaN."""
    shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    return memory(count * dtype.itemsize, placement).view(dtype).reshape(shape, order=order)


def guarded(array, placement="end"):
    """A copy of an array, in guarded memory."""
    array = np.asarray(array)
    copy = empty(array.shape, array.dtype, "F" if array.flags.fnc else "C", placement)
    copy[...] = array
    return copy


def describe(address):
    """Which array an address lies at, in words; nothing where none is near."""
    bases = sorted(_live)
    at = bisect.bisect_right(bases, address) - 1
    if at < 0 or address >= bases[at] + _live[bases[at]][0]:
        return ""
    _, start, count = _live[bases[at]]
    if address < start:
        return f"{start - address} bytes before an array of {count} bytes"
    return f"{address - start - count} bytes past the end of an array of {count} bytes"
