"""Every case on everything that is measured, in rounds that take turns, each in a process of its own."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bnsym.bench.cases import DATA, BenchError, Case
from bnsym.bench.environment import environment
from bnsym.bench.figures import spread
from bnsym.bench.options import Options
from bnsym.bench.peer import Peer

__all__ = ["begun", "first_calls", "measured", "running"]

PREPARING = 600.0  # seconds; compiling is given so long too
MEASURING = 120.0

Records = list[dict[str, Any]]
OnStep = Callable[[str], None]


def command(name: str, threads: int, is_on_gpu: bool = False) -> list[str]:
    """What is run: -P, so that no file of the folder one stands in takes a library's place."""
    return [sys.executable, "-P", "-m", "bnsym.bench.worker", name, str(threads), *(["gpu"] if is_on_gpu else [])]


@contextmanager
def running(options: Options) -> Iterator[dict[str, Peer]]:
    """A process for each name; none is left, whatever happens."""
    env = environment(options.threads)
    before = signal.signal(signal.SIGTERM, _ended)
    peers = {name: Peer(name, command(name, options.threads, options.is_on_gpu), env=env) for name in options.names}
    try:
        yield peers
    finally:
        for peer in peers.values():
            peer.stop()
        signal.signal(signal.SIGTERM, before)


def _ended(number: int, frame: object) -> None:
    """What is asked to end ends its processes first."""
    raise SystemExit(128 + number)


def begun(peers: Mapping[str, Peer], backends: Sequence[str], on_step: OnStep) -> dict[str, dict[str, Any]]:
    """What each says of itself: its versions, or why it cannot be measured. Raises BenchError for a backend of ours."""
    said = {}
    for name, peer in peers.items():
        on_step(f"starting {name}")
        peer.ask(do="begin")
        said[name] = peer.told(PREPARING)
        if name in backends and "failed" in said[name]:
            raise BenchError(f"--backend {name}: {said[name]['failed']}")
    return said


def first_calls(options: Options, on_step: OnStep) -> dict[str, dict[str, Any]]:
    """Seconds of a backend's first forward and backward with its import: with no cache, and with what that left."""
    case = options.cases[0]
    found: dict[str, dict[str, Any]] = {name: {} for name in options.backends}
    for name in options.backends:
        with tempfile.TemporaryDirectory(prefix="bnsym-bench-") as cache:
            for when in ("nothing cached", "cached"):
                on_step(f"{name}'s first call, {when}")
                env = environment(options.threads, NUMBA_CACHE_DIR=cache, CUPY_CACHE_DIR=cache)
                peer = Peer(name, command(name, options.threads, options.is_on_gpu), env=env)
                try:
                    peer.ask(do="first", case=case.asdict())
                    found[name][when] = peer.told(PREPARING)
                finally:
                    peer.stop()
    return found


def measured(case: Case, options: Options, peers: Mapping[str, Peer], on_step: OnStep) -> Records:
    """One record for each function and data."""
    said: dict[str, dict[str, Any]] = {}
    for name, peer in peers.items():
        on_step(f"{case.name}: preparing {name}")
        peer.ask(do="prepare", case=case.asdict(), functions=options.functions)
        said[name] = peer.told(PREPARING)
    records = [_record(case, function, data, said) for function in options.functions for data in DATA]
    for number in range(options.rounds):
        on_step(f"{case.name}: round {number + 1} of {options.rounds}")
        _round(records, peers, number)
    for record in records:
        for found in record["peers"].values():
            found |= {} if "failed" in found else spread(found["rounds"])
    return records


def _record(case: Case, function: str, data: str, said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each said to this function on this data, with no round yet."""
    peers = {}
    for name, answer in said.items():
        found = answer if "failed" in answer else answer[data][function]
        peers[name] = {**found, "rounds": []}
    fields = {"norm": case.norm, "shape": list(case.shape), "dtype": case.dtype, "nbytes": case.nbytes}
    return {"name": case.name, **fields, "function": function, "data": data, "peers": peers}


def _round(records: Records, peers: Mapping[str, Peer], number: int) -> None:
    """Each once, in an order that begins elsewhere each time. One that fails is not asked again for this."""
    names = [*peers]
    turn = number % len(names)
    for record in records:
        for name in names[turn:] + names[:turn]:
            found, peer = record["peers"][name], peers[name]
            if "failed" in found:
                continue
            if peer.process is None:  # what it had prepared is gone
                found["failed"] = "ended before its turn"
                continue
            peer.ask(do="round", function=record["function"], data=record["data"])
            got = peer.told(MEASURING)
            if "failed" in got:
                found["failed"] = got["failed"]
            else:
                found["rounds"].append(got["seconds"])
