"""Where each step of the chain rule has gone in the code: computed under its own name, or part of something else."""

from __future__ import annotations

from bnsym.lowering.kernel import Kernel
from bnsym.model import Equation, Quantity
from bnsym.report.blocks import Block, Table, paragraph
from bnsym.report.sentences import Sentence, sentence
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
    if step.right in told:
        return number, gradient, sentence("the same as ", w.references([told[step.right]]))
    into = [told[g] for g in _next(w, step.left, told)]
    return number, gradient, sentence("part of ", w.references(into)) if into else sentence("not needed")


def _next(w: Writer, gradient: Quantity, told: dict[Quantity, Equation]) -> list[Quantity]:
    """What is computed under its name and uses a gradient, by itself or by way of others that are not."""
    users = [e.left for e in w.derivation.backward.program.equations if gradient in e.inputs]
    return list(dict.fromkeys(g for q in users for g in ([q] if q in told else _next(w, q, told))))
