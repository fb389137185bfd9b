"""`derivation-report`: a derivation step by step, in one of several formats, or as a sheet to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnsym.cli_common import refusals, say, sentences

if TYPE_CHECKING:
    from bnsym.calculus.derive import Derivation
    from bnsym.report.blocks import Story

Name = Annotated[str, typer.Argument(help="A registered name, or a definition file ending in .py.")]
Out = Annotated[Path | None, typer.Option(help="The file to write. Default: standard output.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="md, which GitHub renders; html, one file for a browser; tex, for article, amsmath and amssymb; ipynb, a "
        "notebook that checks each step again. Default: as the file to write ends, else md.",
    ),
]
Blanks = Annotated[
    str | None,
    typer.Option(
        help="A sheet for students: leave the right sides of these gradients empty, such as dvar,dmean, or of all. "
        "The answers go to a second file, OUT-answers."
    ),
]
Open = Annotated[bool, typer.Option("--open", help="Open the HTML in the browser; nothing is opened otherwise.")]


def derivation_report(
    name: Name = "batch_norm", out: Out = None, form: Format = None, blanks: Blanks = None, opened: Open = False
) -> None:
    """Write a derivation step by step."""
    with sentences(refusals()):
        chosen = _format(form, out, opened)
        written = _written(name, chosen, blanks, out)
        if out is None and not opened:
            typer.echo(written[0], nl=False)
            return
        place = out or _somewhere(name)
        files = dict(zip((place, _beside(place)), written, strict=False))
        for path, text in files.items():
            _write(path, text)
            say(f"{path}: written")
    if opened:
        import webbrowser

        webbrowser.open(place.resolve().as_uri())


def _format(form: str | None, out: Path | None, opened: bool) -> str:
    """Raises UsageError for a format that there is not, or that no browser shows."""
    from bnsym.regenerate import UsageError
    from bnsym.report.formats import FORMATS

    ending = out.suffix.removeprefix(".") if out else ""
    chosen = form or (ending if ending in FORMATS else "html" if opened else "md")
    if chosen not in FORMATS:
        raise UsageError(f"format {chosen!r} is not known; choose one of {', '.join(FORMATS)}")
    if opened and chosen != "html":
        raise UsageError(f"--open shows HTML in a browser: with it the format is html, not {chosen}")
    return chosen


def _written(name: str, form: str, blanks: str | None, out: Path | None) -> list[str]:
    """The text of the report; with blanks of the sheet and of its answers."""
    from bnsym.api import derive, prove
    from bnsym.definitions import definition
    from bnsym.lowering.lower import lower
    from bnsym.regenerate import UsageError
    from bnsym.report.formats import FORMATS
    from bnsym.report.story import story

    if blanks is not None and out is None:
        raise UsageError("--blanks writes two files: say with --out where the first goes")
    derivation = derive(definition(name))
    if blanks is None:
        told: tuple[Story, ...] = (story(derivation, lower(derivation), prove(derivation, at_once=True)),)
    else:
        told = _sheet(derivation, blanks)
    return [FORMATS[form](one, derivation.definition) for one in told]


def _sheet(derivation: Derivation, blanks: str) -> tuple[Story, Story]:
    """Raises UsageError for a gradient that there is not."""
    from bnsym.lowering.lower import lower
    from bnsym.regenerate import UsageError
    from bnsym.report.sheet import sheet

    known = [s.equation.left.name for s in derivation.steps]
    chosen = known if blanks == "all" else [part.strip() for part in blanks.split(",")]
    for unknown in (c for c in chosen if c not in known):
        raise UsageError(f"--blanks: there is no step for {unknown!r}; choose of {', '.join(known)}, or all")
    return sheet(derivation, lower(derivation), chosen)


def _somewhere(name: str) -> Path:
    """A file for a browser to show, where none was asked for."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix="bnsym-")) / f"{Path(name).stem}.html"


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.stem}-answers{place.suffix}")


def _write(out: Path, text: str) -> None:
    """Raises UsageError where the file cannot be written."""
    from bnsym.regenerate import UsageError
    from bnsym.write import replace_file

    try:
        replace_file(out, text)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from None
