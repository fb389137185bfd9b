"""The chain rule's steps, one section each: which paths meet, what each brings, what they add up to."""

from __future__ import annotations

from bnsym.calculus.chain import differentiable
from bnsym.calculus.evaluate import Evaluation
from bnsym.model import Axis, Contribution, Equation, Step, Term, outside_and_inside
from bnsym.report.blocks import Block, Section, Table, paragraph
from bnsym.report.products import product
from bnsym.report.sentences import Code, Math, Sentence, counted, enumerated, sentence
from bnsym.report.writer import Writer

HEADER = ("through", "gradient that arrives", "local derivative", "summed over")


def chain_rule(w: Writer) -> Section:
    """Every step, after a word on what the gradients are of."""
    derivative = w.derivation.backward
    blocks: list[Block] = [
        paragraph(_loss(w)),
        paragraph(
            "The gradient to a quantity comes back through every equation that uses it: the gradient to that equation's"
            " left side, times the local derivative of its right side, in which all other quantities are held fixed;"
            " summed over each index that the quantity itself does not have. All that comes back is added up. The steps"
            " go from the last equation to the inputs.",
            _within(w),
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


def _within(w: Writer) -> str:
    """Why the local derivative of a sum may have none: only one of its terms has the quantity at one place."""
    summed = any(
        a in step.of.axes for step in w.derivation.steps for c in step.contributions for a in _own_sums(c.consumer)
    )
    return " Where a quantity stands in a sum over its own index, just one term of the sum has it." if summed else ""


def _own_sums(e: Equation) -> list[Axis]:
    return [a for t in e.terms for a in t.axes]


def _section(w: Writer, number: int, step: Step) -> Section:
    left = step.equation.left
    consumers = [c.consumer for c in step.contributions]
    terms = counted(len(step.contributions), "term")
    uses = sentence(w.bare(step.of), " is used in ", w.references(consumers), f", so its gradient has {terms}.")
    also = _own(w, step) if len(step.equation.terms) > len(step.contributions) else ()
    rows = tuple(_row(w, step, c) for c in step.contributions)
    blocks = (
        paragraph(uses, also, " Rule: ", _rule(w, step), "."),
        Table(HEADER, rows),
        w.formula(step.equation),
        *_vanishing(w, step),
    )
    title = sentence(f"Step {number}: ", Code(left.name), ", the gradient to ", Code(step.of.name))
    return Section(title, blocks, step=step.of.name)


def _rule(w: Writer, step: Step) -> Sentence:
    """The rule's own words, with the letters that indices have here."""
    axes = dict.fromkeys(a for c in step.contributions for a in c.term.axes)
    words, over, _ = step.rule.partition("summed over ")
    return sentence(words, over, *(w.indices(axes) if over else ()))


def _vanishing(w: Writer, step: Step) -> list[Block]:
    """The terms that are zero whatever the data are: the normal form says which."""
    evaluation = Evaluation().assume(w.derivation.definition.premises).run(w.derivation.backward.program)
    idle = [c for c in step.contributions if not evaluation.term(c.term)]
    if not idle:
        return []
    rest = tuple(t for t in step.equation.terms if t not in [c.term for c in idle])
    through = w.references(c.consumer for c in idle)
    start = sentence("What comes back through ", through, " adds up to 0, whatever the data are")
    start = sentence(start, _why(w, evaluation, idle))
    if not rest:
        return [paragraph(start, ".")]
    return [paragraph(start, ". What is left is"), w.formula(Equation(step.equation.left, rest))]


def _why(w: Writer, evaluation: Evaluation, idle: list[Contribution]) -> Sentence:
    """The sum that is 0 by itself, where it is one of deviations from a mean."""
    for c in idle:
        inside = outside_and_inside(c.term)[1]
        deviations = Term(inside / product(inside).number, c.term.axes)
        mean = next((mean for _, mean in evaluation.centres.values() if inside.has(mean)), None)
        equation = w.derivation.forward.equation(mean) if mean is not None else None
        if c.term.axes and equation is not None and w.known(equation) and not evaluation.term(deviations):
            zero = Math(f"{w.latex.terms((deviations,), w.notation.scope(c.consumer.left.axes))} = 0")
            return sentence(": it has the factor ", zero, ", since by ", w.references([equation]),
                            " what lies above the mean and what lies below it cancel")  # fmt: skip
    return ()


def _own(w: Writer, step: Step) -> Sentence:
    """An output that other equations use as well: its own gradient counts too."""
    seed = w.derivation.backward.seeds[w.derivation.forward.outputs.index(step.of)]
    return sentence(" It is an output as well: its own gradient ", w.symbol(seed), " is added.")


def _row(w: Writer, step: Step, c: Contribution) -> tuple[Sentence, ...]:
    scope = w.notation.scope((*step.of.axes, *c.term.axes))
    through = sentence(w.references([c.consumer]), ", ", w.symbol(c.consumer.left))
    summed = w.indices(c.term.axes) if c.term.axes else sentence("nothing")
    return through, (w.symbol(c.upstream),), (w.local(c.local, scope),), summed
