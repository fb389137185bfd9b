"""What follows once the statistics are given: inference, its gradients, and folding."""

from __future__ import annotations

from bnsym.calculus.freeze import batch_statistics
from bnsym.model import Equation, Program, Quantity, Term
from bnsym.report.blocks import Block, Section, paragraph
from bnsym.report.sentences import Code, Math, Span, enumerated, sentence
from bnsym.report.writer import Writer


def inference(w: Writer) -> Section | None:
    """The forward program with its statistics given, its gradients, and its fold."""
    program = w.derivation.inference
    if program is None:
        return None
    statistics = [q for q in batch_statistics(w.definition) if q in program.inputs]
    verb = "are" if len(statistics) > 1 else "is"
    same = [e for e in program.equations if w.known(e)]
    remain = "remain" if len(same) > 1 else "remains"
    what = sentence(" Of the definition ", w.references(same), f" {remain}") if same else ()
    blocks: list[Block] = [
        paragraph("At inference ", w.symbols(statistics), f" {verb} given, not taken from the data at hand.", what,
                  "." if same else "", _alone(program)),
        *_neutral(w, program),
        *_gradients(w),
        *_fold(w),
    ]  # fmt: skip
    return Section(sentence("Inference"), tuple(blocks))


def _alone(program: Program) -> str:
    summed = any(t.axes for e in program.equations for t in e.terms)
    return "" if summed else " An output no longer depends on the other examples: nothing is summed."


def _neutral(w: Writer, program: Program) -> list[Block]:
    """What derivatives hold fixed stands at its neutral value, and changes the equations that use it."""
    changed = [e for e in program.equations if not w.known(e)]
    gone = [q for q in w.derivation.forward.inputs if q.role == "fixed" and q not in program.inputs]
    if not changed or not gone:
        return [w.formula(e) for e in changed]
    values: list[Span] = [Math(f"{w.notation.quantity(Quantity(q.name))} = {q.absent}") for q in gone]
    before = [e for e in w.derivation.forward.equations if e.left in {c.left for c in changed}]
    stand = "its neutral value" if len(gone) == 1 else "its neutral values"
    start = sentence("What derivatives hold fixed stands at ", stand, ", ", enumerated(values))
    become = " become" if len(changed) > 1 else " becomes"
    return [paragraph(start, ", so that ", w.references(before), become), *(w.formula(e) for e in changed)]


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
    return [paragraph(start), *(w.formula(e, w.stated) for e in (*fold.equations, whole))]
