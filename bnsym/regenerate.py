"""What `regenerate-kernels` does: derive and prove everything first, then compare or write, file by file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bnsym.api import emit, prove
from bnsym.calculus.derive import derive
from bnsym.definitions import NAMES, definition
from bnsym.lowering.lower import lower
from bnsym.model import Proof
from bnsym.render import BACKENDS
from bnsym.report.markdown import markdown
from bnsym.report.story import story
from bnsym.several import each_of
from bnsym.stamp import COMMENTS, is_edited, is_generated, stamped
from bnsym.write import replace_files


class UsageError(Exception):
    """The command cannot do what was asked; one sentence says why."""


@dataclass(frozen=True)
class Output:
    """A file that should be: its path below the output directory, and its text."""

    path: Path
    text: str

    def state(self, out: Path) -> str:
        """How the file stands: fresh, missing, stale (another definition or engine made it), or edited by hand."""
        place = out / self.path
        if not place.is_file():
            return "missing"
        found = place.read_text(encoding="utf-8", errors="replace")
        if found == self.text:
            return "fresh"
        return "edited by hand" if is_edited(found) else "stale"

    def diff(self, out: Path) -> str:
        """What writing it would change."""
        place = out / self.path
        old = place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
        lines = difflib.unified_diff(
            old.splitlines(keepends=True), self.text.splitlines(keepends=True), str(place), f"{place} (regenerated)"
        )
        return "".join(lines)


@dataclass(frozen=True)
class Generated:
    """What one definition gives: its files, and what was proved of it."""

    name: str
    outputs: tuple[Output, ...]
    proofs: tuple[Proof, ...]


def generate_all(names: Iterable[str], backends: Iterable[str], done: Callable[[str], None]) -> list[Generated]:
    """Derive, prove and emit every definition named, several at once. Raises ProofError before anything is written."""
    found: list[Generated] = []
    for generated in each_of(partial(_generated, backends=tuple(backends)), list(names)):
        done(f"{generated.name}: {len(generated.proofs)} claims proved")
        found.append(generated)
    return found


def _generated(name: str, backends: tuple[str, ...]) -> Generated:
    made, own = definition(name), name in NAMES
    derivation = derive(made)
    proofs = prove(derivation)
    outputs = [Output(Path(b) / f, text) for b in backends for f, text in emit(derivation, proofs, b).items()]
    if own and set(backends) == set(BACKENDS):
        body = markdown(story(derivation, lower(derivation), proofs))
        outputs.append(Output(Path("report") / f"{made.name}.md", stamped(body, made.name, "<!--")))
    return Generated(made.name, tuple(outputs), proofs)


def orphans(out: Path, generated: Iterable[Generated], folders: Iterable[str]) -> list[Path]:
    """Generated files that no definition gives any more."""
    known = {o.path for g in generated for o in g.outputs}
    files = [p for folder in folders for p in sorted((out / folder).glob("*.*")) if p.suffix in COMMENTS]
    stamped_files = [p for p in files if is_generated(p.read_text(encoding="utf-8", errors="replace"))]
    return [p for p in stamped_files if p.relative_to(out) not in known]


def write_all(generated: Iterable[Generated], out: Path) -> None:
    """Every file that is not fresh, each replaced whole. Raises UsageError where the directory cannot be written."""
    try:
        stale = {out / o.path: o.text for g in generated for o in g.outputs if o.state(out) != "fresh"}
        replace_files(stale)
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {error.strerror or error}; nothing there was changed") from None


def check_own_place(generated: Iterable[Generated], names: Iterable[str], out: Path | None) -> None:
    """A user's definition may not take the place of the project's own of that name, unless it is sent elsewhere."""
    asked = {str(n) for n in names}
    for g in generated:
        if out is None and g.name in NAMES and g.name not in asked:
            raise UsageError(f"{g.name} is a definition of the project's own: give --out DIR for another one")


def default_out() -> Path:
    """`generated/` of the checkout that one stands in."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "bnsym" / "definitions").is_dir() and (folder / "generated").is_dir():
            return folder / "generated"
    raise UsageError("there is no bnsym checkout here to write to: give --out DIR")
