"""Several tasks at once, on as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, TypeVar

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


def beside(task: Callable[[], Item], other: Callable[[], Result]) -> tuple[Item, Result]:
    """What two tasks give, the first in a process of its own that knows all that this one does, where there may be one.

    An error of either is raised.
    """
    if not hasattr(os, "fork") or (os.cpu_count() or 1) < 2:
        return task(), other()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(there, task), daemon=True)
    child.start()
    there.close()
    given = other()
    try:
        found = here.recv()
    except EOFError:
        found = task()  # it was ended from outside
    child.join()
    if isinstance(found, Exception):
        raise found
    return found, given


def _send(there: Connection, task: Callable[[], Any]) -> None:
    try:
        there.send(task())
    except Exception as error:
        there.send(error)
