"""How the tests of the shim launch kernels."""

from pathlib import Path

import numpy as np
import pytest

from tests.cuda import compiling
from tests.cuda.cpu_module import SCHEDULES, CpuModule
from tests.cuda.guarded import guarded

NEEDS_COMPILER = pytest.mark.skipif(not compiling.usable(), reason="kernels run on the CPU on x86-64 Linux, with g++")
HERE = Path(__file__).parent
ORDERS = [(schedule, seed) for schedule in SCHEDULES for seed in range(5 if schedule == "shuffled" else 1)]
N = 1000


def launch(name, *args, grid=(1,), block=(32,), shared_mem=0, source="shim_test.cu", **how):
    """Runs a kernel; results and data are given as arrays, structs as lists of their fields."""
    module = CpuModule(code=(HERE / source).read_text(), options=("-std=c++17",), **how)
    module.get_function(name)(grid, block, tuple(map(argument, args)), shared_mem=shared_mem)


def argument(value):
    if isinstance(value, list):  # a struct, passed by value: its fields take 8 bytes each
        words = [np.float64(f).view(np.int64) if isinstance(f, float) else argument(f) for f in value]
        return np.array(words, np.int64).view(f"V{8 * len(words)}")
    return value.ctypes.data if isinstance(value, np.ndarray) else value


def results(shape, dtype=np.float32):
    """Memory that ends at a guard page, and in which every byte is 0xFF yet."""
    return guarded(np.full(shape, -1, f"i{np.dtype(dtype).itemsize}").view(dtype))


def in_every_order(name, *args, shape, dtype=np.float32, **how):
    """What a kernel computes, which must be the same bits in every schedule; its results are its last argument."""
    found = []
    for schedule, seed in ORDERS:
        y = results(shape, dtype)
        launch(name, *args, y, schedule=schedule, seed=seed, **how)
        found.append(y)
    assert len({y.tobytes() for y in found}) == 1, found
    return found[0]


def numbers(n=N):
    return guarded(np.random.default_rng(0).standard_normal(n).astype(np.float32))


def check_reduction(block):
    x = numbers()
    y = results(3)
    launch("reduce", x, y, np.int64(N), grid=(3,), block=block)
    np.testing.assert_allclose(y, x.sum(dtype=np.float64), rtol=1e-5)
    return y
