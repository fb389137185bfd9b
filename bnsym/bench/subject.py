"""What every process that is measured has: ways to call a function, the fastest of which is timed."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from bnsym.bench.arrays import Array, Given, Missing
from bnsym.bench.measuring import calls_for, seconds
from bnsym.bench.reference import flat

__all__ = ["Call", "Subject", "imported", "pinned", "version"]

Call = Callable[[], Any]


class Subject:
    """Something that is measured. `threads` are those that it may use."""

    reports_memory = False  # whether what it allocates is reported to Python

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def versions(self) -> dict[str, str]:
        """What is measured, by name."""
        return {"numpy": np.__version__}

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """The ways in which a user would call a function, by what they are called; `right` are its results in float64.

        Raises Missing.
        """
        raise NotImplementedError

    def arrays(self, result: Any) -> list[Array]:
        """The results of a call as NumPy's, in the order in which generated functions give them."""
        return [np.asarray(value) for value in flat(result)]

    def calls_for(self, call: Call, target: float) -> tuple[int, float]:
        """How many calls make up a round of `target` seconds, and the seconds of one."""
        return calls_for(call, target)

    def seconds(self, call: Call, count: int) -> float:
        """Seconds of a call, in a round of `count`."""
        return seconds(call, count)

    def wanted(self, function: str, given: Given, right: list[Array]) -> list[Array]:
        """What the results must be."""
        return right


def imported(name: str) -> Any:
    """A library that need not be there. Raises Missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Missing(f"{name} is not installed: {error}") from None


def version(package: str) -> str:
    """Of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def pinned(threads: int) -> None:
    """Keep this process on so many processors, for a library whose threads cannot be counted otherwise."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
