"""A kernel that keeps a stream busy for about as long as it is told to."""

from functools import cache

import numpy as np

from . import device

SOURCE = """
extern "C" __global__ void busy(long long cycles) {
    long long begin = clock64();
    while (clock64() - begin < cycles) {}
}
"""
CYCLES = 1_800_000  # about those of a millisecond


@cache
def kernel():
    return device.cupy().RawKernel(SOURCE, "busy")


def busy(milliseconds):
    """On the current stream."""
    kernel()((1,), (1,), (np.int64(milliseconds * CYCLES),))
