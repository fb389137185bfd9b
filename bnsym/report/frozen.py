"""What follows once the statistics are given: inference, its gradients, and folding."""

from __future__ import annotations

from bnsym.calculus.freeze import batch_statistics
from bnsym.model import Equation, Program, Term
from bnsym.report.blocks import Block, Code, Section, paragraph, sentence
from bnsym.report.writer import Writer


def inference(w: Writer) -> Section | None:
    """The forward program with its statistics given, its gradients, and its fold."""
    program = w.derivation.inference
    if program is None:
        return None
    given = w.symbols(batch_statistics(w.definition))
    many = len(batch_statistics(w.definition)) > 1
    verb = "are" if many else "is"
    left = w.references(program.equations)
    blocks: list[Block] = [
        paragraph("At inference ", given, f" {verb} given, not taken from the data at hand. Of the definition ", left,
                  f" {'remain' if len(program.equations) > 1 else 'remains'}.", _alone(program)),
        *_gradients(w),
        *_fold(w),
    ]  # fmt: skip
    return Section(sentence("Inference"), tuple(blocks))


def _alone(program: Program) -> str:
    summed = any(t.axes for e in program.equations for t in e.terms)
    return "" if summed else " No sum is among them: an output no longer depends on the other examples."


def _gradients(w: Writer) -> list[Block]:
    derivative = w.derivation.inference_backward
    if derivative is None:
        return []
    same = [s for s in derivative.steps if w.known(s.equation)]
    other = [s for s in derivative.steps if s not in same]
    blocks: list[Block] = []
    if same:
        verb = " holds" if len(same) == 1 else " hold"
        blocks.append(
            paragraph("Of the chain rule's steps ", w.references(s.equation for s in same), f"{verb} as before.")
        )
    if other:
        blocks.append(paragraph("With the statistics fixed fewer terms come back, and the chain rule gives"))
    return [*blocks, *(w.formula(s.equation) for s in other)]


def _fold(w: Writer) -> list[Block]:
    """`y = scale x + shift`, where the frozen forward is that."""
    fold, program = w.derivation.fold, w.derivation.inference
    if fold is None or program is None:
        return []
    x = next(q for q in program.inputs if q.role == "data")
    slope, shift = fold.outputs
    whole = Equation(program.outputs[0], (Term(slope * x), Term(shift)))
    start = sentence("As a function of ", w.bare(x), " this is a straight line, and ", Code("fold"), " computes it:")
    return [paragraph(start), *(w.formula(e) for e in (*fold.equations, whole))]
