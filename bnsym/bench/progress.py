"""The progress of a comparison: a bar on a terminal, elsewhere one plain line a case."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["show_progress"]

OnCase = Callable[[str], None]


@contextmanager
def show_progress(cases: int, stream: TextIO | None = None) -> Iterator[tuple[OnCase, OnCase]]:
    """Give what is called when a case begins, and at each step within it; shown on standard error unless told."""
    stream = sys.stderr if stream is None else stream
    if not stream.isatty():
        yield (lambda case: print(f"measuring {case}", file=stream, flush=True)), (lambda step: None)
        return
    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(file=stream, force_terminal=True), transient=True) as progress:
        task = progress.add_task("", total=cases, completed=-1)
        yield (lambda case: progress.advance(task)), (lambda step: progress.update(task, description=step))
