"""A stand-in for CuPy over NumPy: arrays are NumPy's, in guarded memory, and kernels run on the CPU."""

import functools
import types

import numpy as np

from tests.cuda import guarded as memory
from tests.cuda.cpu_module import CpuModule

ATTRIBUTES = {
    "MultiProcessorCount": 4,  # few, so that small arrays fill the device
    "L2CacheSize": 4 * 2**20,
    "MaxThreadsPerBlock": 1024,
    "MaxThreadsPerMultiProcessor": 2048,
    "MaxSharedMemoryPerBlock": 48 * 1024,
    "MaxSharedMemoryPerBlockOptin": 227 * 1024,
    "MaxSharedMemoryPerMultiprocessor": 228 * 1024,
    "WarpSize": 32,
    "CooperativeLaunch": 1,
}


class Device:
    """The one device."""

    id = 0

    def __init__(self, device=0, *, compute_capability="90", **attributes):
        self.attributes, self.compute_capability = ATTRIBUTES | attributes, compute_capability

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def synchronize(self):
        """Launches end before they return."""


class Stream:
    """The default stream: what is launched is done at once. Of those that are captured see fake_graphs."""

    ptr = 0

    def synchronize(self):
        """Nothing is under way."""

    def is_capturing(self):
        return False


def _like(make):
    def like(prototype, dtype=None, order="K", shape=None):
        keeps_f = order == "F" or (order in "KA" and prototype.flags.fnc)
        shape = prototype.shape if shape is None else shape
        return make(shape, dtype=prototype.dtype if dtype is None else dtype, order="F" if keeps_f else "C")

    return like


def _filled(empty):
    """zeros, ones and full, each in memory that `empty` gives."""

    def full(shape, fill_value, dtype=None, order="C"):
        made = empty(shape, np.asarray(fill_value).dtype if dtype is None else dtype, order)
        made[...] = fill_value
        return made

    def zeros(shape, dtype=float, order="C"):
        return full(shape, 0, dtype, order)

    def ones(shape, dtype=float, order="C"):
        return full(shape, 1, dtype, order)

    return zeros, ones, full


def fake_cupy(schedule="forward", seed=0, placement="end", *, cooperative_blocks=8, resident=2**62, **attributes):
    """A module to use as cupy; `attributes` replace some of the device's.

    Each call is another module: a test may have several side by side, one for each schedule and placement.
    """
    cupy = types.ModuleType("cupy")
    cupy.__getattr__ = lambda name: getattr(np, name)  # what CuPy shares with NumPy
    empty = functools.partial(memory.empty, placement=placement)
    zeros, ones, full = _filled(empty)
    cupy.empty, cupy.zeros, cupy.ones, cupy.full = empty, zeros, ones, full
    cupy.empty_like, cupy.zeros_like, cupy.ones_like = map(_like, (empty, zeros, ones))
    cupy.full_like = lambda a, fill_value, **more: _like(lambda s, **how: full(s, fill_value, **how))(a, **more)

    def guarded(array, placement=placement):
        return memory.guarded(array, placement)

    def array(values, dtype=None, **more):
        return guarded(np.array(values, dtype, **more))

    def raw_module(code, options=(), **more):
        how = {"schedule": schedule, "seed": seed, "cooperative_blocks": cooperative_blocks, "resident": resident}
        return CpuModule(code, options, **how, **more)

    cupy.guarded, cupy.array, cupy.RawModule = guarded, array, raw_module
    cupy.asnumpy = lambda values, **_: np.array(values)
    cupy.get_array_module = lambda *_: cupy
    cupy.cuda = types.SimpleNamespace(
        Device=functools.partial(Device, **attributes),
        Stream=Stream,
        get_current_stream=Stream,
        is_available=lambda: True,
        runtime=types.SimpleNamespace(getDevice=lambda: 0, getDeviceCount=lambda: 1, deviceSynchronize=lambda: None),
    )
    return cupy
