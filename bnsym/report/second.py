"""The second order: what the double backward is, and the closed form of it."""

from __future__ import annotations

from bnsym.model import Quantity
from bnsym.report.blocks import Block, Section, Table, paragraph
from bnsym.report.sentences import Code, Math, Sentence, counted, enumerated, sentence
from bnsym.report.told import taken, told
from bnsym.report.writer import Writer


def double_backward(w: Writer) -> Section:
    """The gradients of the gradients: what is given and wanted, then the kernel."""
    again, kernel = w.derivation.double_backward, w.kernels["double_backward"]
    firsts = w.derivation.backward.program.outputs
    number = Math(r"\lambda")
    rows = [
        *(_row(w, q, s, "given") for q, s in zip(firsts, again.seeds, strict=True)),
        *(_row(w, q, again.gradients[q], "wanted") for q in again.wrt),
    ]
    several = len(firsts) > 1
    given = "derivatives" if several else "derivative"
    omitted = "these (zero where they are left out)" if several else "it (zero where it is left out)"
    blocks: list[Block] = [
        paragraph("The gradients are computed by equations too, so they can be differentiated once more. Let ", number,
                  " be a number that depends on ", enumerated(w.symbol(q) for q in firsts), ", such as ",
                  f"{'their' if several else 'its'} squared length, which a penalty on gradients adds to the loss. ",
                  Code("double_backward"), f" is given the {given} of ", number, f" by {omitted} and computes those by"
                  f" all that the {'gradients are' if several else 'gradient is'} computed from:"),
        Table(("symbol", "in the code", "derivative of λ by", "given or wanted"), tuple(rows)),
        paragraph(f"The chain rule, applied to the steps of {'the gradients' if several else 'the gradient'}, takes "
                  f"{counted(len(again.steps), 'step')} more. Put together, the code computes this."),
        *taken(w, kernel),
        *told(w, kernel),
        paragraph(_pushed(w)),
    ]  # fmt: skip
    return Section(sentence("The double backward"), tuple(blocks))


def _row(w: Writer, q: Quantity, gradient: Quantity, what: str) -> tuple[Sentence, ...]:
    return (w.symbol(gradient),), (Code(gradient.name),), (w.symbol(q),), sentence(what)


def _pushed(w: Writer) -> Sentence:
    """One sentence on the derivative of the backward along tangents."""
    derivative = w.derivation.backward_jvp
    return sentence(
        Code("backward_jvp"), " is forward mode once more, of ", Code("backward"), ": given the tangents of ",
        w.listed(derivative.wrt), ", it computes each gradient and the tangent of that gradient.",
    )  # fmt: skip
