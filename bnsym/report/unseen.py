"""What the outputs of a normalization do not see of its data, and what that means for the gradient."""

from __future__ import annotations

from collections.abc import Iterable

from bnsym.claims import invariances
from bnsym.model import Proof
from bnsym.report.blocks import Section, Table, paragraph
from bnsym.report.sentences import Sentence, sentence
from bnsym.report.writer import Writer


def unseen(w: Writer, proofs: Iterable[Proof]) -> Section | None:
    """The claims on a shift and a scale of the data, of those that were proved; None where there are none."""
    proofs = tuple(proofs)
    about = {p.claim for p in invariances(w.derivation)} if proofs else set()
    found = [p for p in proofs if p.claim in about and p.holds]
    if not found:
        return None
    start = (
        "Some changes of the data leave the outputs as they are. Where an output does not change, the loss does not"
        " either: the gradient has no part in that direction. Some claims hold only where a constant is 0; then what"
        " is left where it is not has a claim of its own. The residual is what is left of each claim."
    )
    table = Table(("of", "claim", "residual"), tuple(_row(p) for p in found))
    return Section(sentence("What the outputs do not see"), (paragraph(start), table))


def _row(proof: Proof) -> tuple[Sentence, ...]:
    of, colon, claim = proof.claim.partition(": ")
    if not colon or not of.isidentifier():
        of, claim = "in a network", proof.claim
    return sentence(of), sentence(claim), sentence(proof.residual)
