"""Arrays of billions of elements that take no memory, but for the few that a test opens."""

import ctypes
import mmap
import weakref

import numpy as np

from tests.cuda.guarded import PAGE, _libc

NORESERVE = 0x4000  # MAP_NORESERVE, of Linux


class Sparse:
    """`count` elements that nobody may touch: what reads or writes outside of what was opened is an error."""

    def __init__(self, count, dtype=np.float32):
        dtype = np.dtype(dtype)
        self._size = -(-count * dtype.itemsize // PAGE) * PAGE
        self._base = _libc.mmap(None, self._size, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE, -1, 0)
        if self._base in (None, ctypes.c_void_p(-1).value):
            raise MemoryError(f"no addresses for {self._size} bytes: errno {ctypes.get_errno()}")
        held = (ctypes.c_ubyte * self._size).from_address(self._base)
        weakref.finalize(held, _libc.munmap, self._base, self._size).atexit = False
        self._opened = []
        self.array = np.frombuffer(held, dtype)[:count]

    def open(self, places):
        """Lets elements be touched, by where they lie; they are NaN, as are those that share a page with them."""
        for page in np.unique(places * self.array.itemsize // PAGE).tolist():
            if page not in self._opened:
                self._opened.append(page)
                _libc.mprotect(self._base + page * PAGE, PAGE, mmap.PROT_READ | mmap.PROT_WRITE)
                ctypes.memset(self._base + page * PAGE, 0xFF, PAGE)

    def close(self):
        """Nobody may touch any again."""
        for page in self._opened:
            _libc.mprotect(self._base + page * PAGE, PAGE, 0)
        self._opened = []

    def written(self):
        """Where there is a number."""
        each = PAGE // self.array.itemsize
        found = [page * each + np.flatnonzero(~np.isnan(self.array[page * each :][:each])) for page in self._opened]
        return np.sort(np.concatenate(found))
