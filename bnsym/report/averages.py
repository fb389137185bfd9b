"""Where inference's statistics come from, and how the factor that makes them unbiased was derived."""

from __future__ import annotations

import sympy

from bnsym.calculus.population import MU, SIGMA2, averaged, correction, counts, expectation, number
from bnsym.model import Axis, Equation, Program, Quantity, Size
from bnsym.report.blocks import Block, Formula, Section, paragraph
from bnsym.report.latex import Latex
from bnsym.report.notation import Notation
from bnsym.report.sentences import Code, Math, Sentence, sentence
from bnsym.report.symbols import Symbol
from bnsym.report.writer import Writer

MOMENTS = {MU: Quantity("expectation of x"), SIGMA2: Quantity("variance of x")}
"""No name in a definition holds a space, so these are nobody else's."""


def population(w: Writer) -> Section | None:
    """Statistics of mini-batches, their expectations, and averages that are right."""
    program, running = w.derivation.population, w.derivation.update_running
    if program is None or running is None:
        return None
    spelled, examples = _notation(w), _examples(w)
    several = len(program.outputs) > 1
    start = "The statistics that inference is given are" if several else "The statistic that inference is given is"
    batch = program.inputs[0].axes[0]
    shared = counts(w.definition)
    many = w.notation.symbols["count"].base + f"_{spelled.letter(batch)}" if shared else Latex(spelled).local(examples)
    part = " that take part" if shared else ""
    blocks: list[Block] = [
        paragraph(start, " averaged over mini-batches ", Math(f"{spelled.letter(batch)} = 1"), " to ",
                  Math(spelled.size(batch) or ""),
                  ", each of ", Math(many), f" examples{part}."),
        *_expectations(w, spelled),
        *(paragraph(_verdict(w, spelled, s, examples)) for s in program.outputs),
        *_averages(w, spelled, program, examples),
        paragraph("While training, running averages may be tracked instead; ", Code("momentum"),
                  " weighs the new mini-batch:"),
        *_averages(w, spelled, running, examples),
    ]  # fmt: skip
    return Section(sentence("Statistics of the population"), tuple(blocks))


def _reduced(w: Writer, s: Quantity) -> tuple[Axis, ...]:
    return tuple(a for a in w.definition.program.inputs[0].axes if a not in s.axes)


def _examples(w: Writer) -> sympy.Expr:
    """The number of examples in a mini-batch, in the definition's names."""
    statistic = averaged(w.definition)[0]
    return number(w.definition, statistic).xreplace(_sizes(w, statistic))


def _sizes(w: Writer, s: Quantity) -> dict[sympy.Basic, sympy.Expr]:
    return {Size(f"size_{a.name}", a): w.notation.sizes[a] for a in _reduced(w, s) if a in w.notation.sizes}


def _notation(w: Writer) -> Notation:
    """Statistics of one mini-batch are those of the definition with an index or a word below."""
    program, running = w.derivation.population, w.derivation.update_running
    assert program is not None
    assert running is not None
    x = w.definition.program.inputs[0]
    inside = w.notation.quantity(Quantity(x.name, tuple(a for a in x.axes if a not in _reduced(w, program.outputs[0]))))
    symbols = {
        m.name: Symbol(rf"\mathrm{{{op}}}\left[{inside}\right]")
        for m, op in zip(MOMENTS.values(), ("E", "Var"), strict=True)
    }
    for s, several, new in zip(program.outputs, program.inputs, running.outputs, strict=False):
        base = w.notation.symbols[s.name].base
        symbols |= {several.name: Symbol(base), new.name: Symbol(base, r"\mathrm{new}")}
        symbols |= {f"batch_{s.name}": Symbol(base, r"\mathrm{batch}")}
    batch = program.inputs[0].axes[0]
    taken = {s.base for s in w.notation.symbols.values()} | set(w.notation.letters.values())
    size = w.notation.sizes[batch]
    symbols |= {} if "B" in taken else {size.name: Symbol("B")}
    return w.notation.calling(symbols, {batch: w.notation.letter(batch)}, [size])


def _expectations(w: Writer, spelled: Notation) -> list[Block]:
    """E of each statistic, where the mean and variance of an example decide it."""
    found = {s: expectation(w.definition, s) for s in averaged(w.definition)}
    if all(e is None for e in found.values()):
        return []
    mean, variance = (spelled.quantity(q) for q in MOMENTS.values())
    blocks: list[Block] = [
        paragraph("Is such an average right? Let the examples be independent draws with expectation ", Math(mean),
                  " and variance ", Math(variance), f".{_mask(w)} Multiply the definition out."
                  " The square of one example has the expectation ", Math(f"{mean}^{{2}} + {variance}"),
                  ", the product of two different ones ", Math(f"{mean}^{{2}}"), ". Added up:"),
    ]  # fmt: skip
    return [*blocks, *(_expectation(w, spelled, s, e) for s, e in found.items() if e is not None)]


def _mask(w: Writer) -> str:
    return " Which of them take part is taken as given." if counts(w.definition) else ""


def _expectation(w: Writer, spelled: Notation, s: Quantity, expected: sympy.Expr) -> Formula:
    sizes = _sizes(w, s)
    right = Latex(spelled)
    left = rf"\mathrm{{E}}\left[{spelled.quantity(s)}\right]"
    for moment, named in MOMENTS.items():
        factor = sympy.factor(sympy.cancel(expected / moment)).xreplace(sizes)
        if not factor.has(MU, SIGMA2):
            coefficient = "" if factor == 1 else right.local(factor) + " "
            return w.numbered(f"{left} = {coefficient}{spelled.quantity(named)}")
    return w.numbered(f"{left} = {right.local(sympy.expand(expected).xreplace(sizes | MOMENTS))}")


def _verdict(w: Writer, spelled: Notation, s: Quantity, examples: sympy.Expr) -> Sentence:
    """What follows for one statistic: it is right as it is, or is multiplied by a factor."""
    expected = expectation(w.definition, s)
    factor = correction(w.definition, s, Quantity("count", positive=True))
    symbol = w.bare(s)
    if expected is None:
        return sentence(
            "The expectation of ", symbol, " does not follow from those of an example: it is averaged as it is."
        )
    if factor != 1:
        by = Math(Latex(spelled).local(factor.xreplace({Quantity("count", positive=True): examples})))
        return sentence("The average of ", symbol, " would be biased; multiplied by ", by, " it is not.")
    if expected.atoms(Size):
        return sentence("The average of ", symbol, " depends on the size of a mini-batch: it is taken as it is.")
    return sentence("The average of ", symbol, " is unbiased as it is.")


def _averages(w: Writer, spelled: Notation, program: Program, examples: sympy.Expr) -> list[Block]:
    """Each mini-batch has equally many examples, but where a mask leaves some out."""
    same = {q: examples for q in program.inputs if q.name == "count" and not q.axes}
    return [w.formula(Equation(e.left, e.replace(same).terms), spelled) for e in program.equations]
