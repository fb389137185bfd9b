"""Keeping a stream busy for about as long as it is told to."""

from bnsym.bench.device import CupyClock

from . import device


def busy(milliseconds):
    """On the current stream."""
    CupyClock(device.cupy()).spin(milliseconds)
