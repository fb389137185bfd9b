"""A stand-in for CuPy whose streams can be captured: what is called meanwhile is recorded, and runs when a graph does.

Arrays are of a class of their own, which sees each operation on them. As on a device: a capture runs nothing; cuBLAS
cannot be captured, nor can a look at a number; what a graph computes in between lies in memory of its own pool. What is
not shown: that a pool gives memory which a step has freed to the next array of the same step.
"""

import contextlib
import functools
import types

import numpy as np

from tests.cuda.fake_arrays import Array, plain
from tests.cuda.fake_cupy import fake_cupy


class Device:
    """The stream that is current, what is recorded of it, and how often the host had to wait."""

    def __init__(self):
        self.streams, self.graph, self.pooled, self.waits = [Stream(self, null=True)], None, False, 0

    def wait(self):
        if self.graph is not None:
            raise RuntimeError("cudaErrorStreamCaptureUnsupported: the host waits for a stream that is captured")
        self.waits += 1

    def do(self, call, writes):
        """Run it, or record it: a capture runs only what gives a new array, which holds nothing yet."""
        if self.graph is None:
            return call()
        result = None if writes else call()
        self.graph.calls.append((call, result))
        return result


class Graph:
    """What was called, with all memory that was taken meanwhile."""

    def __init__(self, device):
        self.device, self.calls, self.memory = device, [], []

    def launch(self, stream=None):
        for call, kept in self.calls:
            result = call()
            if isinstance(kept, np.ndarray) and not np.may_share_memory(kept, result):  # a view is there already
                kept[...] = result


class Stream:
    """A stream; what is not captured is done at once."""

    def __init__(self, device, null=False, non_blocking=False):
        self.device, self.ptr = device, 0 if null else id(self)

    def __enter__(self):
        self.device.streams.append(self)
        return self

    def __exit__(self, *exception):
        self.device.streams.pop()

    def synchronize(self):
        self.device.wait()

    def is_capturing(self):
        return self.device.graph is not None and self is self.device.streams[-1]

    def begin_capture(self, mode=None):
        if not self.ptr:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        self.device.graph = Graph(self.device)

    def end_capture(self):
        graph, self.device.graph = self.device.graph, None
        return graph


class MemoryPool:
    """Memory of a graph's own."""

    def malloc(self, size):
        raise NotImplementedError("memory comes from elsewhere here")


def graph_cupy(**how):
    """A module to use as cupy, as `fake_cupy` makes it; `device.waits` counts how often the host waited."""
    cupy, device = fake_cupy(**how), Device()
    cupy.device, cupy.ndarray = device, type("ndarray", (Array,), {"device": device})

    def made(make):
        def on_the_device(*given, **named):
            if device.graph is not None and not device.pooled:
                raise RuntimeError("a graph took memory that is not its own")
            array = make(*given, **named).view(cupy.ndarray)
            if device.graph is not None:
                device.graph.memory.append(array)
            return array

        return on_the_device

    for name in ("empty", "zeros", "ones", "full", "array", "empty_like", "zeros_like", "ones_like", "full_like"):
        setattr(cupy, name, made(getattr(cupy, name)))
    _with_functions(cupy, device)
    _with_kernels(cupy, device)
    _with_streams(cupy, device)
    return cupy


def _with_functions(cupy, device):
    def asarray(values, dtype=None):
        if isinstance(values, Array):
            return values if dtype is None or values.dtype == dtype else values.astype(dtype)
        return cupy.array(values, dtype)

    def asnumpy(values):
        device.wait()
        return np.array(plain(values))

    def matmul(a, b, out=None):
        if device.graph is not None:
            raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")
        return np.matmul(a, b) if out is None else np.matmul(a, b, out=out)

    cupy.asarray, cupy.asnumpy, cupy.matmul = asarray, asnumpy, matmul
    cupy.take = lambda a, indices, axis=None, out=None: np.take(a, indices, axis=axis, out=out)


def _with_kernels(cupy, device):
    made = cupy.RawModule

    def raw_module(**given):
        module = made(**given)

        def get_function(name):
            kernel = module.get_function(name)
            return lambda *launch, **more: device.do(lambda: kernel(*launch, **more), writes=True)

        return types.SimpleNamespace(get_function=get_function)

    cupy.RawModule = raw_module


def _with_streams(cupy, device):
    @contextlib.contextmanager
    def using_allocator(allocator):
        before, device.pooled = device.pooled, True
        yield
        device.pooled = before

    cupy.cuda.Stream = functools.partial(Stream, device)
    cupy.cuda.get_current_stream = lambda: device.streams[-1]
    cupy.cuda.MemoryPool, cupy.cuda.using_allocator = MemoryPool, using_allocator
