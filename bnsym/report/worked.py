"""A worked example: the equations once more with numbers in them, exact fractions that a pencil can follow."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from bnsym.calculus.elements import evaluate
from bnsym.calculus.fractions import FRACTIONS, InexactError
from bnsym.model import Equation, Program, Quantity, quantities
from bnsym.report.blocks import Block, Section, Table, paragraph
from bnsym.report.pencil import Values, example
from bnsym.report.sentences import Code, Math, Sentence, enumerated, sentence
from bnsym.report.valued import Valued, fraction
from bnsym.report.writer import Writer

HEADER = ("by", "with numbers")
CURVED = (sympy.exp, sympy.log, sympy.tanh, sympy.erf)
"""Functions that make no fraction of a fraction, but for one."""


def worked(w: Writer) -> Section:
    """Forward, backward and the closed form with numbers; or a word on why there are none."""
    return _section(w, closed=True)


def by_steps(w: Writer) -> Section:
    """The same without the closed form."""
    return _section(w, closed=False)


def _section(w: Writer, *, closed: bool) -> Section:
    title = sentence("With numbers")
    curved = _curved(w)
    if curved:
        return Section(title, (paragraph(_why_not(w, curved)),))
    try:
        values = example(w.derivation, signed=not w.kernels["forward"].pivots)
    except InexactError:
        none = "None of the small numbers that were tried makes every root a fraction: there is no example to follow."
        return Section(title, (paragraph(none),))
    printer = Valued(w.notation, values)
    return Section(title, (*_told(w, printer, values), *(_closed(w, printer) if closed else ())))


def _told(w: Writer, printer: Valued, values: Values) -> list[Block]:
    program = w.derivation.forward
    steps = [s.equation for s in w.derivation.steps]
    return [
        paragraph("All of it once more with numbers, in exact fractions, so that a pencil is enough. Given are"
                  f"{_as_chosen(w, values)}"),
        _given(printer, w.derivation.backward.program.inputs),
        paragraph("Forward, equation by equation:"),
        _rows(w, printer, program.equations),
        paragraph("Backward, step by step, with the numbers from above:"),
        _rows(w, printer, steps),
    ]  # fmt: skip


def _as_chosen(w: Writer, values: Values) -> str:
    """Whether a constant is not what one would take."""
    constants = [q for q in w.derivation.forward.inputs if q.role == "constant"]
    unusual = any(values[q][()] != q.at_least for q in constants)
    return " these numbers, chosen such that every root is a fraction:" if unusual else ":"


def _given(printer: Valued, inputs: Iterable[Quantity]) -> Table:
    rows = []
    for q in inputs:
        places = printer.places(q)
        symbols = ", ".join(dict.fromkeys(printer.at(q, place) for place in places))
        numbers = ", ".join(fraction(printer.value(q, place)) for place in places)
        rows.append((sentence(Code(q.name)), sentence(Math(f"{symbols} = {numbers}"))))
    return Table(("in the code", "is"), tuple(rows))


def _rows(w: Writer, printer: Valued, equations: Iterable[Equation]) -> Table:
    """One row for each place of each left side, the number of the equation before the first."""
    rows: list[tuple[Sentence, ...]] = []
    for e in equations:
        for n, place in enumerate(printer.places(e.left)):
            rows.append((w.references([e]) if n == 0 else sentence(), sentence(Math(printer.worked(e, place)))))
    return Table(HEADER, tuple(rows))


def _closed(w: Writer, printer: Valued) -> list[Block]:
    """The closed form with the same numbers: it must give what the steps gave."""
    found = [e for e in w.closed if all(q in printer.values for q in _named(e))]
    if not found:
        return []
    for e in found:
        alone = Program(tuple(_named(e)), (e,), (e.left,))
        again = evaluate(alone, {q: printer.values[q] for q in alone.inputs}, FRACTIONS)[e.left]
        assert (again == printer.values[e.left]).all(), f"{e.left} comes out otherwise by its closed form"
    gradients = enumerated(w.bare(e.left) for e in found)
    return [paragraph("The closed form leads there at once: for ", gradients, " the same numbers by ",
                      w.references(found), ":"), _rows(w, printer, found)]  # fmt: skip


def _named(e: Equation) -> list[Quantity]:
    return [q for t in e.terms for q in quantities(t.body) if q.role != "size"]


def _curved(w: Writer) -> list[str]:
    """The functions in the definition that no fraction survives."""
    bodies = [t.body for e in w.derivation.forward.equations for t in e.terms]
    return [f.__name__ for f in CURVED if any(b.has(f) for b in bodies)]


def _why_not(w: Writer, curved: list[str]) -> Sentence:
    names, turn = enumerated(Code(name) for name in curved), "turns" if len(curved) == 1 else "turn"
    why = sentence("There is no example in exact fractions: ", names, f" {turn} fractions into numbers that are none.")
    if len(w.definition.parts) != 2:
        return why
    first = w.definition.parts[0]
    return sentence(why, " The report of ", Code(first.name), " has one, and the first part of this is as there.")
