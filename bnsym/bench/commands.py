"""What `bnsym bench` does, with plain parameters: measure, and write what was measured."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from bnsym.bench.cases import BenchError
from bnsym.bench.environment import QUIET
from bnsym.bench.figures import summary
from bnsym.bench.machine import load, machine
from bnsym.bench.options import Options
from bnsym.bench.plot import FORMATS, picture
from bnsym.bench.progress import show_progress
from bnsym.bench.rounds import begun, first_calls, measured, running
from bnsym.write import replace_file

WARM = "the same arrays again and again, as in a training loop"
ON_GPU = "single calls between events on the device, on arrays that no cache holds"

__all__ = ["check_targets", "measure", "write"]


def measure(options: Options, stream: TextIO | None = None) -> dict[str, Any]:
    """Measure all that was asked for; progress goes to `stream`, standard error unless another is given."""
    before = load()
    with show_progress(len(options.cases), stream) as (on_case, on_step):
        records = []
        with running(options) as peers:
            said = begun(peers, options.backends, on_step)
            firsts = first_calls(options, on_step)
            for case in options.cases:
                on_case(case.name)
                records += measured(case, options, peers, on_step)
    return {
        "norm": options.cases[0].norm,
        "dtype": options.cases[0].dtype,
        "rounds": options.rounds,
        "conditions": ON_GPU if options.is_on_gpu else f"{WARM}; {QUIET}",
        "machine": machine(options.threads),
        "load": [before, load()],
        "names": list(options.names),
        "ours": list(options.ours),
        "peers": said,
        "first calls": firsts,
        "records": records,
        "summary": {own: summary(records, own) for own in options.ours},
    }


def check_targets(json_file: Path | None, plot_file: Path | None) -> None:
    """Raises BenchError for a file that could not be written after minutes of measuring."""
    if plot_file is not None and plot_file.suffix not in FORMATS:
        raise BenchError(f"--plot: the name ends in one of {', '.join(FORMATS)}, and {plot_file} does not")
    if plot_file is not None and find_spec("matplotlib") is None:
        raise BenchError("--plot needs Matplotlib, which is not installed: pip install 'bnsym[train]'")
    for file in filter(None, (json_file, plot_file)):
        folder = next(p for p in (file.absolute().parent, *file.absolute().parents) if p.exists())
        if file.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise BenchError(f"{file} cannot be written; give the name of a file in a folder that can")


def write(result: Mapping[str, Any], json_file: Path | None, plot_file: Path | None) -> None:
    """Write the files that were asked for, each whole or not at all. Raises BenchError."""
    try:
        if json_file is not None:
            replace_file(json_file, json.dumps(result, indent=1) + "\n")
        if plot_file is not None:
            replace_file(plot_file, picture(result, plot_file))
    except OSError as error:
        raise BenchError(f"cannot write {error.filename}: {error.strerror or error}") from None
