"""The time of one call: on the device alone, as a caller sees it, or replayed from a graph."""

import statistics
import time

CACHES = 256 << 20  # bytes of inputs to go round in, several times the L2 cache
MOST_SETS = 32
IN_A_GRAPH = 20


def sets_for(nbytes):
    """How many sets of inputs to go round in, so that none is in the cache when its turn comes; two at least."""
    return max(2, min(MOST_SETS, -(-CACHES // max(nbytes, 1))))


def median(values):
    """The median, or nothing of nothing."""
    return statistics.median(values) if values else None


def _count(once, target):
    """How many runs of so many milliseconds to take for a median."""
    return int(max(10, min(50, target / max(once, 1e-3))))


def on_the_device(clock, run, sets, target=30.0):
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
