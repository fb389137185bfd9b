"""`bnsym bench`: generated kernels beside the frameworks that are installed. Arguments only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnsym.cli_common import out_console, say, sentences


def bench(
    norm: Annotated[str, typer.Option(help="A registered name.")] = "batch_norm",
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help="numpy, numba, or cupy by itself; may be given again. Default: those of the CPU that are here."
        ),
    ] = None,
    shape: Annotated[
        list[str] | None, typer.Option(help="As 60,100 or 32,64,56,56; may be given more than once. Default: nine.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float16, float32 or float64.")] = "float32",
    threads: Annotated[int | None, typer.Option(help="What each may use. Default: as many as there are cores.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every generated function, not forward and backward alone.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer shapes and rounds.")] = False,
    peers: Annotated[bool, typer.Option("--peers/--no-peers", help="Measure others too.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="A file for all that was measured.")] = None,
    plot: Annotated[Path | None, typer.Option(help="A picture: a file ending in .png, .svg or .pdf.")] = None,
) -> None:
    """Time generated kernels beside naive NumPy, PyTorch, JAX and a plain copy, each in a process of its own."""
    from bnsym.bench import commands, table
    from bnsym.bench.cases import BenchError
    from bnsym.bench.options import options_for

    with sentences({BenchError: 2}):
        options = options_for(
            norm,
            tuple(backend or ()),
            tuple(shape or ()),
            dtype,
            threads,
            everything=everything,
            quick=quick,
            peers=peers,
        )
        commands.check_targets(json_file, plot)
        result = commands.measure(options)
        table.show(result, out_console)
        commands.write(result, json_file, plot)
    for file in filter(None, (json_file, plot)):
        say(f"{file}: written")
