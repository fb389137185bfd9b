"""`bnsym prove`: what is claimed, and how each claim is proved."""

from __future__ import annotations

from dataclasses import dataclass
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
    from bnsym.several import each_of

    wanted = list(dict.fromkeys([*(names or []), *(NAMES if everything or not names else [])]))
    failed = False
    with sentences(refusals()):
        for proved in each_of(_proved, wanted):
            failed |= not proved.tell(quiet=quiet)
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Proved:
    """What became of the claims of one definition."""

    name: str
    proofs: tuple[Proof, ...]
    seconds: float

    def tell(self, *, quiet: bool) -> bool:
        """A line for each claim, where `quiet` for each that fails, and a last one; whether all hold."""
        for proof in self.proofs:
            if not (proof.holds and quiet):
                say(_line(proof))
        held = sum(proof.holds for proof in self.proofs)
        counted = f"{held} of {len(self.proofs)} claims proved"
        say(f"{self.name}: {counted} in {self.seconds:.2f} s, with deriving and lowering")
        return held == len(self.proofs)


def _proved(name: str) -> Proved:
    from bnsym.api import derive
    from bnsym.api import prove as proofs_of
    from bnsym.definitions import definition

    start = perf_counter()
    proofs = proofs_of(derive(definition(name)))
    return Proved(name, proofs, perf_counter() - start)


def _line(proof: Proof) -> str:
    from bnsym.calculus.judge import UNDECIDED

    mark = "proved" if proof.holds else "UNDECIDED" if proof.residual == UNDECIDED else "FAILED"
    given = f"  given {', '.join(proof.premises)}" if proof.premises else ""
    time = f"{proof.seconds * 1e3:7.1f} ms"
    return f"{mark} {time}  residual {proof.residual}  {proof.claim}  [{proof.method}]{given}"
