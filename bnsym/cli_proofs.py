"""`bnsym prove` and `derivation-report`: what is claimed, and how it is derived."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from bnsym.cli_common import Names, refusals, say, sentences

if TYPE_CHECKING:
    from bnsym.model import Proof


def prove(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Every registered definition, as without a name.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the totals, and the claims that fail.")] = False,
) -> None:
    """Prove every claim of a definition: one line a claim, with its method and time. Exits 1 if one fails."""
    from bnsym.definitions import NAMES

    wanted = dict.fromkeys([*(names or []), *(NAMES if everything or not names else [])])
    with sentences(refusals()):
        failed = [name for name in wanted if not _all_hold(name, quiet)]
    if failed:
        raise typer.Exit(1)


def _all_hold(name: str, quiet: bool) -> bool:
    """Prove the claims of one definition, and say what became of them."""
    from bnsym.api import derive
    from bnsym.api import prove as proofs_of
    from bnsym.definitions import definition

    start = perf_counter()
    proofs = proofs_of(derive(definition(name)))
    for proof in proofs:
        if not (proof.holds and quiet):
            say(_line(proof))
    proved = sum(proof.holds for proof in proofs)
    seconds = perf_counter() - start
    say(f"{name}: {proved} of {len(proofs)} claims proved in {seconds:.2f} s, with deriving and lowering")
    return proved == len(proofs)


def _line(proof: Proof) -> str:
    from bnsym.calculus.judge import UNDECIDED

    mark = "proved" if proof.holds else "UNDECIDED" if proof.residual == UNDECIDED else "FAILED"
    given = f"  given {', '.join(proof.premises)}" if proof.premises else ""
    time = f"{proof.seconds * 1e3:7.1f} ms"
    return f"{mark} {time}  residual {proof.residual}  {proof.claim}  [{proof.method}]{given}"


def derivation_report(
    name: Annotated[str, typer.Argument(help="A registered name, or a definition file ending in .py.")] = "batch_norm",
    out: Annotated[Path | None, typer.Option(help="The file to write. Default: standard output.")] = None,
    form: Annotated[
        str, typer.Option("--format", help="md, which GitHub renders, or html, one file for a browser.")
    ] = "md",
) -> None:
    """Write a derivation step by step."""
    with sentences(refusals()):
        text = _report(name, form)
        if out is None:
            typer.echo(text, nl=False)
        else:
            _write(out, text)
            say(f"{out}: written")


def _report(name: str, form: str) -> str:
    """The report's text. Raises UsageError for a format that there is not."""
    from bnsym.api import derive, prove
    from bnsym.definitions import definition
    from bnsym.lowering.lower import lower
    from bnsym.regenerate import UsageError
    from bnsym.report.html import report_html
    from bnsym.report.markdown import report_markdown

    written = {"md": report_markdown, "html": report_html}
    if form not in written:
        raise UsageError(f"format {form!r} is not known; choose one of {', '.join(written)}")
    derivation = derive(definition(name))
    return written[form](derivation, lower(derivation), prove(derivation))


def _write(out: Path, text: str) -> None:
    """Raises UsageError where the file cannot be written."""
    from bnsym.regenerate import UsageError
    from bnsym.write import replace_file

    try:
        replace_file(out, text)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from None
