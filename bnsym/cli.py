"""The commands: arguments, messages and exit statuses. 0 done, 1 the check or the proof failed, 2 wrong use."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console

# SymPy remembers a thousand results unless told otherwise before it is imported; proofs make more, and use them again.
# They also make many objects that live long: looking through these for garbage each time takes a tenth longer.
os.environ.setdefault("SYMPY_CACHE_SIZE", "20000")
gc.set_threshold(200_000, 50, 50)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=(
    "Write the forward pass as the paper writes it. Get gradients that are proved, and kernels that are fast."
))  # fmt: skip

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


def _refusals() -> dict[type[Exception], int]:
    """What a command about kernels is refused with: 1 where a proof failed, 2 for wrong use."""
    from bnsym.api import ProofError
    from bnsym.checks import DefinitionError
    from bnsym.regenerate import UsageError

    return {ProofError: 1, DefinitionError: 2, UsageError: 2}


def _say(text: str, *, style: str = "") -> None:
    out_console.print(text, style=style, markup=False)


@app.command("regenerate-kernels")
def regenerate_kernels(
    names: Names = None,
    backend: Annotated[
        str | None, typer.Option(help="Only this backend. Default: every backend, and the reports.")
    ] = None,
    out: Out = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a file is stale or was edited.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Derive, prove, lower and emit kernels. Writes nothing if one claim is not proved."""
    from bnsym import regenerate
    from bnsym.definitions import NAMES
    from bnsym.render import BACKENDS

    with sentences(_refusals()):
        if backend is not None and backend not in BACKENDS:
            raise regenerate.UsageError(f"backend {backend!r} is not known; choose from {', '.join(BACKENDS)}")
        place = out or regenerate.default_out()
        backends = [backend] if backend else list(BACKENDS)
        report: Callable[[str], None] = (lambda text: None) if as_json else _say
        generated = regenerate.generate_all(names or NAMES, backends, report)
        regenerate.check_own_place(generated, names or NAMES, out)
        states = {o: o.state(place) for g in generated for o in g.outputs}
        left = regenerate.orphans(place, generated, [*backends, "report"]) if not names and not backend else []
        diffs = "".join(o.diff(place) for o in states).rstrip() if diff else ""
        if diff and not as_json:
            _say(diffs)
        if not check and not diff:
            regenerate.write_all(generated, place)
    if as_json:
        _say(json.dumps(_as_data(generated, states, left, place) | ({"diff": diffs} if diff else {}), indent=2))
    else:
        _tell(states, left, place, check=check or diff)
    if check and (left or any(state != "fresh" for state in states.values())):
        raise typer.Exit(1)


def _tell(states: dict[Any, str], left: list[Path], place: Path, *, check: bool) -> None:
    for output, state in states.items():
        done = state if check or state == "fresh" else f"written ({state})"
        _say(f"{place / output.path}: {done}")
    for path in left:
        _say(f"{path}: no definition gives this file any more; delete it")


def _as_data(generated: list[Any], states: dict[Any, str], left: list[Path], place: Path) -> dict[str, Any]:
    return {
        "out": str(place),
        "files": [{"path": str(place / o.path), "was": state} for o, state in states.items()],
        "orphans": [str(p) for p in left],
        "definitions": [
            {
                "name": g.name,
                "claims": [{"claim": p.claim, "method": p.method, "residual": p.residual} for p in g.proofs],
            }
            for g in generated
        ],
    }


@app.command()
def prove(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Every registered definition, as without a name.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the totals, and the claims that fail.")] = False,
) -> None:
    """Prove every claim of a definition: one line a claim, with its method and time. Exits 1 if one fails."""
    from bnsym.api import derive
    from bnsym.api import prove as prove_all
    from bnsym.calculus.judge import UNDECIDED
    from bnsym.definitions import NAMES, definition

    failed = 0
    wanted = dict.fromkeys([*(names or []), *(NAMES if everything or not names else [])])
    with sentences(_refusals()):
        for name in wanted:
            start = perf_counter()
            proofs = prove_all(derive(definition(name)))
            for p in proofs:
                mark = "proved" if p.holds else "UNDECIDED" if p.residual == UNDECIDED else "FAILED"
                premises = f"  given {', '.join(p.premises)}" if p.premises else ""
                if p.holds and quiet:
                    continue
                _say(f"{mark} {p.seconds * 1e3:7.1f} ms  residual {p.residual}  {p.claim}  [{p.method}]{premises}")
            failed += sum(not p.holds for p in proofs)
            _say(f"{name}: {sum(p.holds for p in proofs)} of {len(proofs)} claims proved in "
                 f"{perf_counter() - start:.2f} s, with deriving and lowering")  # fmt: skip
    if failed:
        raise typer.Exit(1)


@app.command("derivation-report")
def derivation_report(
    name: Annotated[str, typer.Argument(help="A registered name, or a definition file ending in .py.")] = "batch_norm",
    out: Annotated[Path | None, typer.Option(help="The file to write. Default: standard output.")] = None,
    form: Annotated[str, typer.Option("--format", help="md")] = "md",
) -> None:
    """Write a derivation step by step, as Markdown that GitHub renders."""
    from bnsym.api import derive
    from bnsym.api import prove as prove_all
    from bnsym.definitions import definition
    from bnsym.lowering.lower import lower
    from bnsym.regenerate import UsageError
    from bnsym.report.markdown import report_markdown
    from bnsym.write import replace_file

    with sentences(_refusals()):
        if form != "md":
            raise UsageError(f"format {form!r} is not known; choose md")
        derivation = derive(definition(name))
        text = report_markdown(derivation, lower(derivation), prove_all(derivation))
        if out is None:
            typer.echo(text, nl=False)
            return
        try:
            replace_file(out, text)
        except OSError as error:
            raise UsageError(f"cannot write {out}: {error.strerror or error}") from None
    _say(f"{out}: written")


def main() -> None:
    """The `bnsym` command, those that train included."""
    import bnsym.cli_train  # noqa: F401 - registers them

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
