"""Where each step of the chain rule has gone in the code: computed under its own name, or part of something else."""

from __future__ import annotations

from bnsym.lowering.kernel import Kernel
from bnsym.model import Equation, Quantity
from bnsym.report.blocks import Block, Sentence, Table, paragraph, sentence
from bnsym.report.writer import Writer

HEADER = ("step", "gradient", "in the code")


def became(w: Writer, kernel: Kernel) -> list[Block]:
    """One row for each step."""
    rows = tuple(_row(w, s.equation, w.told[kernel.name]) for s in w.derivation.steps)
    return [paragraph("What became of the steps:"), Table(HEADER, rows)]


def _row(w: Writer, step: Equation, told: dict[Quantity, Equation]) -> tuple[Sentence, ...]:
    number, gradient = w.references([step]), sentence(w.symbol(step.left))
    if step.left in told:
        own = w.references([told[step.left]])
        return number, gradient, sentence(*own, " itself" if told[step.left] == step else "")
    whole = w.derivation.backward.program
    into = [told[g] for g in whole.outputs if g in told and step in whole.needed((g,)).equations]
    return number, gradient, sentence("part of ", w.references(into)) if into else sentence("not needed")
