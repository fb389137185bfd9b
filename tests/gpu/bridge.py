"""A CuPy module that takes and returns NumPy arrays: what tests give lies on the device for the length of a call.

Arrays that share memory on the host share it on the device, with the same offsets, strides and misalignment; `out=`
arrays are written back and returned as they are. What comes back is compared byte by byte with what was sent, so that
writing to an input, between the elements of a strided array or beside an array is an error.
"""

import inspect
import types
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

BESIDE = 256  # bytes on either side of what is sent, which nobody may write to
FILL = 0xFF  # NaN, should anybody read it
KINDS = frozenset("?bhilqBHILQefdFD")


class Spoiled(AssertionError):
    """A call wrote where it had no business to."""


def is_sent(value):
    """Arrays just as NumPy makes them, of a dtype that a device can hold; others are for the module to refuse."""
    if type(value) is not np.ndarray:
        return False
    return value.dtype.isnative and (value.dtype.char in KINDS or value.dtype.name == "bfloat16")


def leaves(value):
    """The arrays in what was given or returned; tuples are looked into."""
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value] if is_sent(value) else []


def mapped(value, change):
    """The same with each part that is no tuple changed; a named tuple keeps its class."""
    if isinstance(value, tuple):
        parts = [mapped(part, change) for part in value]
        return type(value)._make(parts) if hasattr(value, "_make") else tuple(parts)
    return change(value)


@dataclass
class Region:
    """Memory of the host that arrays share, and its copy on the device."""

    low: int
    high: int
    sent: Any = None  # bytes as they were sent, with what lies beside them
    there: Any = None  # the same on the device

    @property
    def start(self):
        """Where it begins in its copy: as far from a multiple of 16 as on the host."""
        return BESIDE + self.low % 16

    @property
    def inside(self):
        """Where it is in its copy."""
        return slice(self.start, self.start + self.high - self.low)

    def host(self):
        """The bytes of the host, as they are now."""
        made = {"data": (self.low, False), "shape": (self.high - self.low,), "typestr": "|u1", "version": 3}
        return np.asarray(types.SimpleNamespace(__array_interface__=made))


def regions(arrays):
    """The memory of arrays, in as few pieces as share no byte."""
    bounds = sorted({np.lib.array_utils.byte_bounds(a) for a in arrays if a.size})
    found = []
    for low, high in bounds:
        if found and low < found[-1].high:
            found[-1].high = max(found[-1].high, high)
        else:
            found.append(Region(low, high))
    return found


class Call:
    """One call's arrays, here and there."""

    def __init__(self, cupy, arrays):
        self.cupy = cupy
        self.arrays = list({id(a): a for a in arrays}.values())
        self.regions = regions(self.arrays)
        for region in self.regions:
            region.sent = np.full(-(-region.inside.stop // 16) * 16 + BESIDE, FILL, np.uint8)
            region.sent[region.inside] = region.host()
            region.there = cupy.array(region.sent)
        self.views = [self._view(a) for a in self.arrays]

    def _view(self, array):
        if not array.size:
            return self.cupy.empty(array.shape, array.dtype)
        address = array.__array_interface__["data"][0]
        (region,) = [r for r in self.regions if r.low <= address < r.high]
        offset = region.start + address - region.low
        if self.cupy.ndarray is np.ndarray:  # the stand-in
            return np.ndarray(array.shape, array.dtype, region.there, offset, array.strides)
        return self.cupy.ndarray(array.shape, array.dtype, region.there.data + offset, array.strides)

    def send(self, value):
        """The array of the device for one of the host; anything else as it is."""
        return next((v for a, v in zip(self.arrays, self.views, strict=True) if a is value), value)

    def fetch(self):
        """Write back what the call wrote, through the arrays that it was given."""
        for region in self.regions:
            now = self.cupy.asnumpy(region.there)
            if np.array_equal(now, region.sent):
                continue
            beside = now.copy()
            beside[region.inside] = FILL
            if (beside != FILL).any():
                raise Spoiled("the call wrote beside an array")
            for array in self.arrays:
                address = array.__array_interface__["data"][0]
                if array.flags.writeable and region.low <= address < region.high:
                    offset = region.start + address - region.low
                    array[...] = np.ndarray(array.shape, array.dtype, now, offset, array.strides)
            if not np.array_equal(region.host(), now[region.inside]):
                raise Spoiled("the call wrote to a read-only array, or between the elements of one")

    def results(self, value):
        """What the call returned, on the host."""
        known = [*zip(self.views, self.arrays, strict=True)]

        def back(part):
            if not isinstance(part, self.cupy.ndarray):
                return part
            for there, here in known:  # an argument, or a result that is returned twice
                if part is there:
                    return here
            others = [*(r.there for r in self.regions), *(there for there, _ in known[len(self.views) :])]
            if part.size and any(self.cupy.may_share_memory(part, other) for other in others):
                raise Spoiled("a result shares memory with an argument, or with another result")
            known.append((part, self.cupy.asnumpy(part)))
            return known[-1][1]

        return mapped(value, back)


def bridged_function(function, cupy):
    @wraps(function)
    def call(*args, **kwargs):
        given = Call(cupy, leaves((*args, *kwargs.values())))
        try:
            got = function(
                *(mapped(a, given.send) for a in args), **{n: mapped(v, given.send) for n, v in kwargs.items()}
            )
        finally:
            given.fetch()
        return given.results(got)

    return call


def bridged(module, cupy):
    """The module with its functions on NumPy arrays; all else in it is its own."""
    made = types.ModuleType(module.__name__, module.__doc__)
    made.__dict__.update(vars(module))
    for name in module.__all__:
        if inspect.isfunction(found := getattr(module, name)):
            setattr(made, name, bridged_function(found, cupy))
    return made
