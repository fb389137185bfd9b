"""`bnsym check-backward`: somebody's backward against the derived one. Arguments only."""

from __future__ import annotations

from typing import Annotated

import typer

from bnsym.cli_common import say, sentences


def check_backward(
    function: Annotated[
        str, typer.Argument(metavar="FILE.py:FUNCTION", help="The backward: NumPy, (dx, dgamma, dbeta).")
    ],
    norm: Annotated[str, typer.Option(help="A registered name, or a definition file ending in .py.")] = "batch_norm",
    forward: Annotated[
        str | None, typer.Option(metavar="FILE.py:FUNCTION", help="Its forward, where it takes that one's cache.")
    ] = None,
    args: Annotated[
        str | None, typer.Option(help="What its arguments are, in order: dy,x,gamma; or by name: g=dy,inputs=x.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds after which it is ended.")] = 10.0,
) -> None:
    """Run a backward on probes, and say what is wrong with it. Exits 1 if anything is."""
    from bnsym.checker.check import Refused, check_backward, named
    from bnsym.checks import DefinitionError

    with sentences({Refused: 2, DefinitionError: 2}):
        report = check_backward(named(function), norm, named(forward) if forward else None, args, timeout)
    for line in report.lines:
        say(line)
    if not report.right:
        raise typer.Exit(1)
