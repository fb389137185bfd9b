"""One task for each of several things, on as many processes as there are cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each_of(task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The results in the items' order, each as soon as it and those before it are there; one item takes no process."""
    processes = min(len(items), os.cpu_count() or 1)
    if processes < 2:
        yield from map(task, items)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(task, items)
