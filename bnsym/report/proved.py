"""What is proved: in numbers, and one row a claim, with every way it was proved and what was left over."""

from __future__ import annotations

from collections import Counter

from bnsym.model import Proof
from bnsym.report.blocks import Block, Section, Table, paragraph
from bnsym.report.sentences import Code, Sentence, counted, enumerated, sentence

Claim = tuple[str, bool, str, tuple[str, ...]]

WRITTEN_OUT = "written out"
MEANING = {
    "normal form": "both sides brought to the one form that equal sums have, for any sizes",
    "SymPy's total derivative": "the whole program as one expression that SymPy differentiates, for any sizes",
    WRITTEN_OUT: "every element a symbol of its own, for a few small sizes, and SymPy's derivative by one of them",
    "composition": "the derivatives of both parts, proved by themselves, put together",
}
"""What is done, by how the name of a method begins."""


def proved(proofs: tuple[Proof, ...]) -> Section:
    """How many proofs there are, and of what kind; the list is a section of its own."""
    blocks: list[Block] = [paragraph(_summary(proofs, len({p.claim for p in proofs})))]
    if proofs:
        kinds = Counter(WRITTEN_OUT if p.method.startswith(WRITTEN_OUT) else p.method for p in proofs)
        rows = tuple((sentence(kind), _meaning(kind), sentence(str(number))) for kind, number in kinds.items())
        blocks += [Table(("method", "what is done", "proofs"), rows), paragraph("Each claim is listed at the end.")]
    return Section(sentence("What is proved"), tuple(blocks))


def _meaning(kind: str) -> Sentence:
    return sentence(next((what for start, what in MEANING.items() if kind.startswith(start)), ""))


def every_claim(proofs: tuple[Proof, ...]) -> Section | None:
    """The claims in the order they were proved; nothing here depends on how long that took."""
    claims: dict[Claim, list[str]] = {}
    for p in proofs:
        claims.setdefault((p.claim, p.holds, p.residual, p.premises), []).append(p.method)
    blocks: list[Block] = []
    if claims:
        given = any(premises for *_, premises in claims)
        header = ("claim", "method", "result", *(("taken for granted",) if given else ()))
        blocks.append(Table(header, tuple(_row(claim, methods, given) for claim, methods in claims.items())))
    return Section(sentence("Every claim"), tuple(blocks)) if blocks else None


def _summary(proofs: tuple[Proof, ...], claims: int) -> Sentence:
    if not proofs:
        return sentence("Nothing was proved for this report.")
    start = (
        "A residual is the difference of both sides of a claim, in a form in which equal things are spelled alike."
        " Where it is exactly 0, the claim is proved."
    )
    failed = sum(not p.holds for p in proofs)
    end = (
        f" {counted(claims, 'claim')}, {counted(len(proofs), 'proof')}: every residual is 0."
        if not failed
        else f" Of {counted(len(proofs), 'proof')} {failed} did not succeed."
    )
    return sentence(start, end.replace(" one", " One", 1) if end.startswith(" one") else end)


def _row(claim: Claim, methods: list[str], given: bool) -> tuple[Sentence, ...]:
    text, holds, residual, premises = claim
    result = sentence("proved, residual 0") if holds else sentence("not proved: ", Code(residual))
    ways = sentence(_together(list(dict.fromkeys(methods))))
    assumed = enumerated(Code(p) for p in premises) if premises else sentence("nothing")
    return (sentence(text), ways, result, *((assumed,) if given else ()))


def _together(methods: list[str]) -> str:
    """Methods in a row; what differs from the one before in its last word adds that word: `m = 2, 3, 4`."""
    text = ""
    for before, method in zip(["", *methods], methods, strict=False):
        (start, _, last), (same, _, _) = method.rpartition(" "), before.rpartition(" ")
        text += f", {last}" if start and start == same and last.isdigit() else f"{'; ' if text else ''}{method}"
    return text
