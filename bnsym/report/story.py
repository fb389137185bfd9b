"""A report told from a definition, what was derived of it, its kernels and proofs: data, for any format to lay out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bnsym.calculus.derive import Derivation
from bnsym.lowering.kernel import Kernel
from bnsym.model import Proof
from bnsym.report.averages import population
from bnsym.report.blocks import Paragraph, Section, Story, paragraph
from bnsym.report.chain import chain_rule
from bnsym.report.closed import closed_form
from bnsym.report.computed import computed
from bnsym.report.frozen import inference
from bnsym.report.numerics import numerics
from bnsym.report.opening import axes, definition
from bnsym.report.paths import dependencies
from bnsym.report.proved import every_claim, proved
from bnsym.report.second import double_backward
from bnsym.report.sentences import Code, prose, sentence
from bnsym.report.tangents import forward_mode
from bnsym.report.unseen import unseen
from bnsym.report.worked import worked
from bnsym.report.writer import Writer


def story(derivation: Derivation, kernels: Mapping[str, Kernel], proofs: Iterable[Proof]) -> Story:
    """Every section there is something to say in, in the order in which one thing follows from another."""
    w, proofs = Writer(derivation, kernels), tuple(proofs)
    sections = (
        definition(w),
        axes(w),
        dependencies(w),
        chain_rule(w),
        closed_form(w),
        computed(w),
        proved(proofs),
        forward_mode(w),
        double_backward(w),
        inference(w),
        population(w),
        unseen(w, proofs),
        numerics(w),
        worked(w),
        every_claim(proofs),
        _origin(w),
    )
    title = sentence(Code(derivation.definition.name), ": from the definition to its gradients")
    return Story(title, opening(w), tuple(s for s in sections if s is not None))


def opening(w: Writer) -> tuple[Paragraph, ...]:
    """What the definition says of itself."""
    about = [" ".join(part.split()) for part in w.definition.doc.split("\n\n") if part.strip()]
    return (*(paragraph(prose(part)) for part in about), paragraph("Source: ", prose(w.definition.source), "."))


def _origin(w: Writer) -> Section:
    made = paragraph(
        "The command ", Code("derivation-report"), " wrote this page from the definition ", Code(w.definition.name),
        ". The definition's equations, and what papers state of them, are the only ones that a person wrote;"
        " every other one was derived from the definition's, and every sentence was put together from the same steps.",
    )  # fmt: skip
    return Section(sentence("How this report was made"), (made,))
