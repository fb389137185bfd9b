"""`regenerate-kernels`: what is derived anew, and how the files there stand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bnsym.cli_common import Names, Out, refusals, say, sentences

if TYPE_CHECKING:
    from bnsym.regenerate import Generated, Output

Backend = Annotated[str | None, typer.Option(help="Only this backend. Default: every backend, and the reports.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file is stale or was edited.")]
Diff = Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]


def regenerate_kernels(
    names: Names = None,
    backend: Backend = None,
    out: Out = None,
    check: Check = False,
    diff: Diff = False,
    as_json: AsJson = False,
) -> None:
    """Derive, prove, lower and emit kernels. Writes nothing if one claim is not proved."""
    with sentences(refusals()):
        made = _derived(names, backend, out, quiet=as_json)
        diffs = made.diffs() if diff else ""
        if not check and not diff:
            made.write()
    if as_json:
        say(json.dumps(made.as_data() | ({"diff": diffs} if diff else {}), indent=2))
    else:
        if diff:
            say(diffs)
        made.tell(written=not check and not diff)
    if check and not made.is_fresh():
        raise typer.Exit(1)


@dataclass(frozen=True)
class Regenerated:
    """What was derived anew, the place where it belongs, the state of each file, and files that nothing gives."""

    generated: list[Generated]
    place: Path
    states: dict[Output, str]
    orphans: list[Path]

    def is_fresh(self) -> bool:
        """Whether every file there is what was derived, and none is left over."""
        return not self.orphans and all(state == "fresh" for state in self.states.values())

    def diffs(self) -> str:
        """What writing would change."""
        return "".join(o.diff(self.place) for o in self.states).rstrip()

    def write(self) -> None:
        """Every file that is not fresh. Raises UsageError where the directory cannot be written."""
        from bnsym.regenerate import write_all

        write_all(self.generated, self.place)

    def tell(self, *, written: bool) -> None:
        """A line for each file, and for each that is left over."""
        for output, state in self.states.items():
            say(f"{self.place / output.path}: {f'written ({state})' if written and state != 'fresh' else state}")
        for path in self.orphans:
            say(f"{path}: no definition gives this file any more; delete it")

    def as_data(self) -> dict[str, Any]:
        """The same, and the claims, for a program to read."""
        return {
            "out": str(self.place),
            "files": [{"path": str(self.place / o.path), "was": state} for o, state in self.states.items()],
            "orphans": [str(p) for p in self.orphans],
            "definitions": [
                {
                    "name": g.name,
                    "claims": [{"claim": p.claim, "method": p.method, "residual": p.residual} for p in g.proofs],
                }
                for g in self.generated
            ],
        }


def _derived(names: list[str] | None, backend: str | None, out: Path | None, *, quiet: bool) -> Regenerated:
    """Everything that is asked for, proved, and compared with the files. Raises what `refusals` lists."""
    from bnsym import regenerate
    from bnsym.definitions import NAMES
    from bnsym.render import BACKENDS

    if backend is not None and backend not in BACKENDS:
        raise regenerate.UsageError(f"backend {backend!r} is not known; choose from {', '.join(BACKENDS)}")
    place = out or regenerate.default_out()
    backends = [backend] if backend else list(BACKENDS)
    generated = regenerate.generate_all(names or NAMES, backends, (lambda text: None) if quiet else say)
    regenerate.check_own_place(generated, names or NAMES, out)
    states = {o: o.state(place) for g in generated for o in g.outputs}
    left = regenerate.orphans(place, generated, [*backends, "report"]) if not names and not backend else []
    return Regenerated(generated, place, states, left)
