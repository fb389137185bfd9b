"""The chain rule's steps, one section each: which paths meet, what each brings, what they add up to."""

from __future__ import annotations

from bnsym.calculus.chain import differentiable
from bnsym.calculus.evaluate import Evaluation
from bnsym.model import Contribution, Step
from bnsym.report.blocks import Block, Code, Math, Section, Sentence, Table, counted, enumerated, paragraph, sentence
from bnsym.report.writer import Writer

HEADER = ("through", "gradient that arrives", "local derivative", "summed over")


def chain_rule(w: Writer) -> Section:
    """Every step, after a word on what the gradients are of."""
    derivative = w.derivation.backward
    blocks: list[Block] = [
        paragraph(_loss(w)),
        paragraph(
            "The gradient to a quantity comes back through every equation that uses it: the gradient to that equation's"
            " left side, times the local derivative of its right side, summed over each index that the quantity itself"
            " does not have. All that comes back is added up. The steps go from the last equation to the inputs."
        ),
    ]
    unreached = [q for q in differentiable(w.derivation.forward) if q not in derivative.gradients]
    steps = tuple(_section(w, n, step) for n, step in enumerate(derivative.steps, start=1))
    if unreached:
        what = " has no step: its gradient is 0." if len(unreached) == 1 else " have no step: their gradients are 0."
        blocks.append(paragraph(w.symbols(unreached), what))
    return Section(sentence("The chain rule"), tuple(blocks), steps)


def _loss(w: Writer) -> Sentence:
    seeds, outputs = w.derivation.backward.seeds, w.symbols(w.derivation.forward.outputs)
    start = sentence("Let ", Math(r"\ell"), " be the number that training makes small. It depends on ", outputs, ": ")
    verb = "is given; the code calls it " if len(seeds) == 1 else "are given; the code calls them "
    return sentence(start, enumerated(w.symbol(q) for q in seeds), f" {verb}", w.names(q.name for q in seeds), ".")


def _section(w: Writer, number: int, step: Step) -> Section:
    left = step.equation.left
    consumers = [c.consumer for c in step.contributions]
    terms = counted(len(step.contributions), "term")
    uses = sentence(w.bare(step.of), " is used in ", w.references(consumers), f", so its gradient has {terms}.")
    also = _own(w, step) if len(step.equation.terms) > len(step.contributions) else ()
    rows = tuple(_row(w, step, c) for c in step.contributions)
    blocks = (
        paragraph(uses, also, f" Rule: {step.rule}."),
        Table(HEADER, rows),
        w.formula(step.equation),
        *_vanishing(w, step),
    )
    title = sentence(f"Step {number}: ", Code(left.name), ", the gradient to ", Code(step.of.name))
    return Section(title, blocks, step=step.of.name)


def _vanishing(w: Writer, step: Step) -> list[Block]:
    """The terms that are zero whatever the data are: the normal form says which."""
    evaluation = Evaluation().assume(w.derivation.definition.premises).run(w.derivation.backward.program)
    idle = [c.consumer for c in step.contributions if not evaluation.term(c.term)]
    if not idle:
        return []
    return [paragraph("What comes back through ", w.references(idle), " adds up to 0, whatever the data are.")]


def _own(w: Writer, step: Step) -> Sentence:
    """An output that other equations use as well: its own gradient counts too."""
    seed = w.derivation.backward.seeds[w.derivation.forward.outputs.index(step.of)]
    return sentence(" It is an output as well: its own gradient ", w.symbol(seed), " is added.")


def _row(w: Writer, step: Step, c: Contribution) -> tuple[Sentence, ...]:
    scope = w.notation.scope((*step.of.axes, *c.term.axes))
    through = sentence(w.references([c.consumer]), ", ", w.symbol(c.consumer.left))
    summed = w.indices(c.term.axes) if c.term.axes else sentence("nothing")
    return through, (w.symbol(c.upstream),), (w.local(c.local, scope),), summed
