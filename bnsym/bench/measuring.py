"""How one process times a call: how often in a round, a round, and the memory that it takes beside its results."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

__all__ = ["ROUND", "calls_for", "peak", "seconds"]

ROUND = 0.03  # seconds that a round's calls take together
MOST = 20_000


def seconds(call: Callable[[], Any], count: int) -> float:
    """Seconds that a call takes, of `count` one after the other; a few go before, as a loop would have made them."""
    for _ in range(max(1, count // 10)):
        call()
    was_on = gc.isenabled()
    gc.disable()
    try:
        begin = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - begin) / count
    finally:
        if was_on:
            gc.enable()


def calls_for(call: Callable[[], Any], target: float = ROUND) -> tuple[int, float]:
    """How many calls make up a round, and the seconds of one; it tries more until they tell."""
    count = 1
    while True:
        once = seconds(call, count)
        if once * count > target / 4 or count >= MOST:
            return max(1, min(MOST, round(target / once))), once
        count = min(MOST, count * 8)


def peak(call: Callable[[], Any]) -> int:
    """The most bytes that a call held at once, of those that its libraries report to Python; NumPy reports its own.

    What `out=` took is not among them. The results of `backward` for parameters are: a number for each channel.
    """
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        call()
        return max(0, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
