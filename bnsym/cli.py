"""The commands by name: `bnsym`, and those of its subcommands that are commands of their own.

Exit status 0 done, 1 the check or the proof failed, 2 wrong use.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import typer

from bnsym.cli_bench import bench
from bnsym.cli_check import check_backward
from bnsym.cli_kernels import regenerate_kernels
from bnsym.cli_proofs import prove
from bnsym.cli_report import derivation_report
from bnsym.cli_train import reproduce, train

# SymPy remembers a thousand results unless told otherwise before it is imported; proofs make more, and use them again.
# They also make many objects that live long: looking through these for garbage each time takes a tenth longer.
os.environ.setdefault("SYMPY_CACHE_SIZE", "20000")
gc.set_threshold(200_000, 50, 50)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=(
    "Write the forward pass as the paper writes it. Get gradients that are proved, and kernels that are fast."
))  # fmt: skip
app.command("regenerate-kernels")(regenerate_kernels)
app.command()(prove)
app.command("derivation-report")(derivation_report)
app.command("check-backward")(check_backward)
app.command()(train)
app.command()(reproduce)
app.command()(bench)


def main() -> None:
    """The `bnsym` command."""
    app()


def regenerate_main() -> None:
    """The `regenerate-kernels` command."""
    _alone(regenerate_kernels)


def report_main() -> None:
    """The `derivation-report` command."""
    _alone(derivation_report)


def _alone(command: Callable[..., None]) -> None:
    """A subcommand as a command of its own."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command()(command)
    single()
