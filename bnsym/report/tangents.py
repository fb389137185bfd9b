"""Forward mode: the tangents step by step, and what the generated `jvp` computes."""

from __future__ import annotations

from bnsym.model import Step
from bnsym.report.blocks import Block, Section, Table, paragraph
from bnsym.report.sentences import Code, Math, Sentence, sentence
from bnsym.report.told import helpers, put_in, taken, told
from bnsym.report.writer import Writer


def forward_mode(w: Writer) -> Section:
    """What a tangent is, one row for each step, and the closed form."""
    derivative = w.derivation.jvp
    seeds, outputs = derivative.seeds, w.derivation.forward.outputs
    ends = [derivative.gradients[y] for y in outputs]
    given = "is given" if len(seeds) == 1 else "are given"
    wanted = "is wanted" if len(ends) == 1 else "are wanted"
    omitted = "0 where it is left out" if len(seeds) == 1 else "each 0 where it is left out"
    blocks: list[Block] = [
        paragraph("The gradients say how ", Math(r"\ell"), " changes with each input. The other way round, let the"
                  " inputs change at given rates: ", Code("jvp"), " computes ", w.symbols(outputs),
                  " and the rate at which this changes then. The rate of a quantity is called its tangent, and is"
                  " written with a dot. ", w.listed(seeds), f" {given} (in the code ", w.names(q.name for q in seeds),
                  f", {omitted}), ", w.listed(ends), f" {wanted} (", w.names(q.name for q in ends), ")."),
        paragraph("The tangent of a left side is, for each quantity on the right, the local derivative times that"
                  " quantity's tangent, all added up. Sums stay where the definition has them, and the steps go from"
                  " the first equation to the last:"),
        Table(("from", "tangent"), tuple(_row(w, s) for s in derivative.steps)),
        *_closed(w),
    ]  # fmt: skip
    return Section(sentence("Forward mode: what ", Code("jvp"), " computes"), tuple(blocks))


def _row(w: Writer, step: Step) -> tuple[Sentence, ...]:
    equation = w.derivation.forward.equation(step.of)
    return w.references([equation] if equation else []), sentence(Math(w.latex.equation(step.equation)))


def _closed(w: Writer) -> list[Block]:
    """The kernel, where it differs from the steps."""
    kernel, steps = w.kernels["jvp"], [s.equation for s in w.derivation.jvp.steps]
    known = helpers(w, kernel)
    shown = [put_in(o.equation, known) for o in kernel.operations if o.left not in known]
    if all(e in steps for e in shown):
        return [paragraph("The code computes just that.")]
    return [paragraph("Put together, the code computes this."), *taken(w, kernel), *told(w, kernel)]
