"""What commands have in common: their arguments, what they say, and errors as one sentence with an exit status."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

DEFECT = "a defect of bnsym, please report it (BNSYM_DEBUG=1 shows where)"

out_console = Console(highlight=False, soft_wrap=True)
err_console = Console(stderr=True, highlight=False, soft_wrap=True)

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Registered names, or definition files ending in .py. All, where none is given."),
]
Out = Annotated[
    Path | None, typer.Option(help="Where files go: OUT/BACKEND/NAME.py. Default: generated/ of the checkout.")
]


@contextmanager
def sentences(statuses: Mapping[type[Exception], int]) -> Iterator[None]:
    """Errors as one sentence and an exit status, never a traceback; an error that is not listed is a defect."""
    try:
        yield
    except (typer.Exit, KeyboardInterrupt):
        raise
    except Exception as error:
        status = next((code for kind, code in statuses.items() if isinstance(error, kind)), None)
        if status is None and os.environ.get("BNSYM_DEBUG"):
            raise
        said = str(error) if status is not None else f"{DEFECT}: {type(error).__name__}: {error}"
        err_console.print(" ".join(said.split()), style="red", markup=False)
        raise typer.Exit(status or 1) from None


def refusals() -> dict[type[Exception], int]:
    """What a command about kernels is refused with: 1 where a proof failed, 2 for wrong use."""
    from bnsym.api import ProofError
    from bnsym.checks import DefinitionError
    from bnsym.regenerate import UsageError

    return {ProofError: 1, DefinitionError: 2, UsageError: 2}


def say(text: str) -> None:
    """A line of plain text."""
    out_console.print(text, markup=False)
