"""The commands that train: `bnsym train` and `bnsym reproduce`. Arguments only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bnsym.cli_common import Out, out_console, say, sentences
from bnsym.cli_kernels import regenerate_kernels

Data = Annotated[str, typer.Option(help="digits (scikit-learn's bundled 8x8 digits, offline) or mnist.")]
DataDir = Annotated[Path | None, typer.Option(help="Where MNIST's four idx files are. Default: fetched once.")]
Steps = Annotated[int | None, typer.Option(help="Steps. Default: 6000 on digits, 50000 on mnist.")]
Rate = Annotated[float | None, typer.Option(help="Learning rate. Default: 0.3 on digits, 0.1 on mnist.")]
Std = Annotated[
    float | None, typer.Option(help="Standard deviation of the first weights. Default: 0.05 on digits, 0.1 on mnist.")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same bits.")]
Threads = Annotated[int, typer.Option(help="Threads that BLAS and the kernels may use.")]
TrainedBy = Annotated[str, typer.Option(help="Whose kernels: numpy, numba (compiled at first), or cupy (on a GPU).")]


def _settings(
    steps: int | None, lr: float | None, std: float | None, seed: int, threads: int, backend: str
) -> dict[str, Any]:
    return {"steps": steps, "lr": lr, "std": std, "seed": seed, "threads": threads, "backend": backend}


def train(
    batch_norm: Annotated[
        bool, typer.Option("--batch-norm/--no-batch-norm", help="Normalize each hidden layer.")
    ] = True,
    data: Data = "digits",
    data_dir: DataDir = None,
    steps: Steps = None,
    lr: Rate = None,
    std: Std = None,
    seed: Seed = 0,
    threads: Threads = 1,
    backend: TrainedBy = "numpy",
    out: Annotated[Path | None, typer.Option(help="A file for the results, as JSON.")] = None,
) -> None:
    """Train the paper's network (Section 4.1) with nothing but generated kernels."""
    from bnsym.train import commands

    with sentences(dict.fromkeys(commands.ERRORS, 2)):
        settings: dict[str, Any] = {"batch_norm": batch_norm, **_settings(steps, lr, std, seed, threads, backend)}
        result = commands.run(data, data_dir, out, **settings)
    out_console.print(commands.summary(result))
    if out is not None:
        say(f"{out}: written")


def reproduce(
    data: Data = "digits",
    data_dir: DataDir = None,
    steps: Steps = None,
    lr: Rate = None,
    std: Std = None,
    seed: Seed = 0,
    threads: Threads = 1,
    backend: TrainedBy = "numpy",
    out: Out = None,
) -> None:
    """Prove every claim, regenerate the kernels and reports, then train both networks and print the table."""
    from bnsym.train import commands

    with sentences(dict.fromkeys(commands.ERRORS, 2)):
        regenerate_kernels(out=out)
        results = commands.reproduce(data, data_dir, **_settings(steps, lr, std, seed, threads, backend))
    out_console.print(commands.reproduce_table(results))
