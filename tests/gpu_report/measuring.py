"""The time of one call: on the device alone, as a caller sees it, or replayed from a graph."""

import statistics
import time

from bnsym.bench.device import MOST_SETS, on_the_device, sets_for

__all__ = ["MODES", "MOST_SETS", "as_called", "in_a_graph", "median", "on_the_device", "sets_for"]

IN_A_GRAPH = 20


def median(values):
    """The median, or nothing of nothing."""
    return statistics.median(values) if values else None


def as_called(clock, run, sets, count=200):
    """Microseconds a run takes a caller who makes one after the other and waits at the end."""
    for k in range(5):
        run(k % sets)
    clock.synchronize()
    begin = time.perf_counter()
    for k in range(count):
        run(k % sets)
    clock.synchronize()
    return [1e6 * (time.perf_counter() - begin) / count]


def in_a_graph(clock, run, sets):
    """Microseconds a run takes when many are replayed from a graph."""
    replay = clock.graph(lambda k: run(k % sets), IN_A_GRAPH)
    return [t / IN_A_GRAPH for t in on_the_device(clock, lambda _: replay(), 1)]


MODES = {"device": on_the_device, "call": as_called, "graph": in_a_graph}
