"""`bnsym prove`: what is claimed, and how each claim is proved."""

from __future__ import annotations

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
