"""What `bnsym train` and `bnsym reproduce` do, with plain parameters: load, check, train, show, write."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.table import Table

from bnsym.train.data import DataError, load
from bnsym.train.kernels import Kernels
from bnsym.train.options import Options, TrainError, options_for
from bnsym.train.progress import show_progress
from bnsym.train.results import Result, check_writable
from bnsym.train.training import train
from bnsym.write import replace_file

__all__ = ["ERRORS", "reproduce", "reproduce_table", "run", "summary"]

ERRORS = (DataError, TrainError)
"""What a run is refused with, each one sentence."""

EARLY_STEP = 2000  # where the paper's two curves are far apart, Figure 1(a)


def run(
    data: str = "digits",
    data_dir: Path | None = None,
    out: Path | None = None,
    stream: TextIO | None = None,
    **settings: Any,
) -> Result:
    """Train one network, show its progress on `stream` (standard error) and write the results to `out` as JSON.

    `settings` are those of `Options`, None for what suits the data set. DataError for a data set that cannot be had,
    TrainError for a setting or an `out` that cannot be; both before training starts.
    """
    options = options_for(data, **settings)
    if out is not None:
        check_writable(out)
    kernels = Kernels.load(options.backend)  # before the data, which may have to be fetched
    dataset = load(data, data_dir)
    with show_progress(f"{data}, {_name(options)}", options.steps, stream) as on_progress:
        result = train(dataset, options, on_progress, kernels)
    if out is not None:
        replace_file(out, result.to_json())
    return result


def reproduce(
    data: str = "digits", data_dir: Path | None = None, stream: TextIO | None = None, **settings: Any
) -> tuple[Result, Result]:
    """Train the network with batch normalization and without it, all else equal; parameters and errors as in `run`."""
    with_it = run(data, data_dir, None, stream, **settings, batch_norm=True)
    return with_it, run(data, data_dir, None, stream, **settings, batch_norm=False)


def summary(result: Result) -> str:
    """One sentence that says how a run ended."""
    if result.diverged_at is not None:
        return f"{_name(result.options)}: diverged at step {result.diverged_at} of {result.options.steps}"
    return f"{_name(result.options)}: test accuracy {result.accuracy:.2%} after {result.options.steps} steps"


def reproduce_table(results: Sequence[Result]) -> Table:
    """The results side by side, one row a network."""
    table = Table("Batch normalization", title=f"Test accuracy on {results[0].data}")
    columns = "Steps", "Learning rate", f"At step {EARLY_STEP}", "At the end", "Seconds"
    for column in columns:
        table.add_column(column, justify="right")
    for result in results:
        options = result.options
        early, last = map(_percent, (result.accuracy_at(EARLY_STEP), result.accuracy))
        normalized = "yes" if options.batch_norm else "no"
        table.add_row(normalized, str(options.steps), f"{options.lr:g}", early, last, f"{result.seconds:.1f}")
    return table


def _name(options: Options) -> str:
    return "with batch normalization" if options.batch_norm else "without batch normalization"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"
