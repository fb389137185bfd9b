"""From rounds to what is said of them: medians and quartiles, ratios, geometric means.

Nothing is filled in: what was not measured is absent.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bnsym.bench.cases import DATA

__all__ = ["geometric_mean", "ratios", "spread", "summary", "times"]

Record = Mapping[str, Any]
FRAMEWORKS = ("torch", "torch.compile", "jax")
LARGE = 16 << 20  # bytes of x from which a kernel is held against a copy


def spread(rounds: Sequence[float]) -> dict[str, float]:
    """The median and the quartiles of rounds; nothing of nothing."""
    if not rounds:
        return {}
    several = rounds if len(rounds) > 1 else [*rounds, *rounds]
    low, _, high = statistics.quantiles(several, n=4, method="inclusive")
    return {"median": statistics.median(rounds), "low": low, "high": high}


def geometric_mean(values: Iterable[float]) -> float | None:
    """Of ratios; None of nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(statistics.fmean(logs)) if logs else None


def times(record: Record) -> dict[str, float]:
    """The median seconds of each that was measured."""
    return {name: peer["median"] for name, peer in record["peers"].items() if "median" in peer}


def ratios(record: Record, own: str) -> dict[str, float]:
    """How many times as long as bnsym's the others took, and bnsym's as a copy: those that are known."""
    found = times(record)
    if own not in found:
        return {}
    frameworks = [found[name] for name in FRAMEWORKS if name in found]
    other = {"naive": found.get("naive"), "torch": found.get("torch"), "fastest": min(frameworks, default=None)}
    got = {name: time / found[own] for name, time in other.items() if time is not None}
    return got | ({"roof": found[own] / found["roof"]} if "roof" in found else {})


def off_centre(records: Sequence[Record], own: str) -> dict[tuple[str, str], float]:
    """By case and function: the time on data far from 0 over that on centred data."""
    centred, far = DATA
    found = {(r["name"], r["function"], r["data"]): times(r).get(own) for r in records}
    pairs = {key[:2]: (found.get((*key[:2], far)), time) for key, time in found.items() if key[2] == centred}
    return {key: a / b for key, (a, b) in pairs.items() if a and b}


def summary(records: Sequence[Record], own: str) -> dict[str, float]:
    """What the targets are held against, of one of bnsym's columns: those that are known."""
    by = [ratios(r, own) for r in records]
    large = [r["roof"] for r, record in zip(by, records, strict=True) if "roof" in r and record["nbytes"] >= LARGE]
    moved = off_centre(records, own).values()
    called = [r["peers"].get(own, {}) for r in records]
    memory = [peer["memory"] for peer in called if peer.get("way") in ("out=", "plan") and "memory" in peer]
    found = {
        "naive, least": min((r["naive"] for r in by if "naive" in r), default=None),
        **{f"{n}, mean": geometric_mean(r[n] for r in by if n in r) for n in ("naive", "torch", "fastest")},
        "fastest, least": min((r["fastest"] for r in by if "fastest" in r), default=None),
        "roof from 16 MiB, mean": geometric_mean(large),
        "roof from 16 MiB, most": max(large, default=None),
        "mean 3 / centred, mean": geometric_mean(moved),
        "mean 3 / centred, most": max(moved, default=None),
        "small, microseconds": _small(records, own),
        "memory": max(memory, default=None),
    }
    return {name: value for name, value in found.items() if value is not None}


def _small(records: Sequence[Record], own: str) -> float | None:
    """Microseconds of forward and backward together at 60 x 100."""
    centred = next(iter(DATA))
    asked = [r for r in records if r["name"] == "60,100" and r["data"] == centred]
    found = {r["function"]: time for r in asked if (time := times(r).get(own)) is not None}
    both = [found.get(function) for function in ("forward", "backward")]
    return None if None in both else 1e6 * sum(filter(None, both))
