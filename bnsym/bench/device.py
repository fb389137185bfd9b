"""Time on a GPU: events of CuPy or PyTorch around single calls, the device never waiting for the host."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

__all__ = ["CupyClock", "TorchClock", "on_the_device", "sets_for"]

CACHES = 256 << 20  # bytes of inputs to go round in, several times the L2 cache
MOST_SETS = 32
CYCLES = 1_800_000  # about those of a millisecond
BUSY = """
extern "C" __global__ void busy(long long cycles) {
    long long begin = clock64();
    while (clock64() - begin < cycles) {}
}
"""


class CupyClock:
    """CuPy's events."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy

    def event(self) -> Any:
        """One that is recorded now."""
        made = self.cupy.cuda.Event()
        made.record()
        return made

    def milliseconds(self, first: Any, last: Any) -> float:
        """Between two events that have happened."""
        return float(self.cupy.cuda.get_elapsed_time(first, last))

    def synchronize(self) -> None:
        """Wait for all that is queued."""
        self.cupy.cuda.Device().synchronize()

    def spin(self, milliseconds: float) -> None:
        """Keep the device busy, so that what is queued meanwhile runs without gaps."""
        _busy(self.cupy)((1,), (1,), (np.int64(milliseconds * CYCLES),))


@cache
def _busy(cupy: Any) -> Any:
    return cupy.RawKernel(BUSY, "busy")


class TorchClock:
    """PyTorch's events."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def event(self) -> Any:
        """One that is recorded now."""
        made = self.torch.cuda.Event(enable_timing=True)
        made.record()
        return made

    def milliseconds(self, first: Any, last: Any) -> float:
        """Between two events that have happened."""
        return float(first.elapsed_time(last))

    def synchronize(self) -> None:
        """Wait for all that is queued."""
        self.torch.cuda.synchronize()

    def spin(self, milliseconds: float) -> None:
        """Keep the device busy, so that what is queued meanwhile runs without gaps."""
        self.torch.cuda._sleep(int(milliseconds * CYCLES))


def sets_for(nbytes: int) -> int:
    """How many sets of inputs to go round in, so that none is in the cache when its turn comes; two at least."""
    return max(2, min(MOST_SETS, -(-CACHES // max(nbytes, 1))))


def on_the_device(clock: Any, run: Callable[[int], Any], sets: int, target: float = 30.0) -> list[float]:
    """Microseconds of single runs between events, with the device never waiting for the host; one for each run."""
    for k in range(sets + 1):
        run(k % sets)
    clock.synchronize()
    begin = time.perf_counter()
    first = clock.event()
    for k in range(5):
        run(k % sets)
    last = clock.event()
    queued = 1e3 * (time.perf_counter() - begin) / 5
    clock.synchronize()
    count = _count(clock.milliseconds(first, last) / 5, target)
    clock.spin(min(200.0, 1.5 * queued * count + 1))
    events = [(clock.event(), run(k % sets), clock.event())[::2] for k in range(count)]
    clock.synchronize()
    return [1e3 * clock.milliseconds(*pair) for pair in events]


def _count(once: float, target: float) -> int:
    """How many runs of so many milliseconds to take for a median."""
    return int(max(10, min(50, target / max(once, 1e-3))))
