"""The progress of a run: a bar on a terminal; elsewhere one plain line an evaluation, fit for a log file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bnsym.train.results import Evaluation
from bnsym.train.training import OnProgress

__all__ = ["show_progress"]


@contextmanager
def show_progress(title: str, steps: int, stream: TextIO | None = None) -> Iterator[OnProgress]:
    """Give what `train` is to call with its progress, shown on a stream, standard error unless another is given."""
    stream = sys.stderr if stream is None else stream
    # Asked of the stream itself: rich would also believe FORCE_COLOR, and write control sequences to a file.
    if not stream.isatty():
        yield _lines(title, steps, stream)
        return
    console = Console(file=stream, force_terminal=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}")
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        yield _bar(progress, title, steps)


def _bar(progress: Progress, title: str, steps: int) -> OnProgress:
    task = progress.add_task(title, total=steps, state="")

    def on_progress(step: int, evaluation: Evaluation | None) -> None:
        progress.update(task, completed=step)
        if evaluation is not None:
            progress.update(task, state=f"test accuracy {evaluation.test_accuracy:.2%}")

    return on_progress


def _lines(title: str, steps: int, stream: TextIO) -> OnProgress:
    def on_progress(step: int, evaluation: Evaluation | None) -> None:
        if evaluation is not None:
            state = f"training loss {evaluation.train_loss:.4f}, test accuracy {evaluation.test_accuracy:.2%}"
            print(f"{title}: step {step} of {steps}, {state}", file=stream, flush=True)

    return on_progress
