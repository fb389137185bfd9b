"""The closed form: the steps put into each other, every sum written out, and where each of its terms comes from."""

from __future__ import annotations

from bnsym.lowering.lower import textbook_backward
from bnsym.model import Equation, Reduction
from bnsym.report.births import births
from bnsym.report.blocks import Block, Section, paragraph
from bnsym.report.computed import is_raw
from bnsym.report.sentences import Math, Sentence, enumerated, sentence
from bnsym.report.told import helpers, is_sum, put_in
from bnsym.report.writer import Writer


def closed_form(w: Writer) -> Section | None:
    """Gradients that use sums, without any name for these, as a textbook has them."""
    blocks: list[Block] = []
    for whole in [] if is_raw(w) else _wholes(w):
        w.closed.append(whole)
        start = "Likewise" if blocks else "The steps above put into each other, with every sum written out"
        blocks += [paragraph(start, _renamed(w, whole), ":"), w.formula(whole), *births(w, whole)]
    return Section(sentence("The closed form"), tuple(blocks)) if blocks else None


def _wholes(w: Writer) -> list[Equation]:
    """The lowered gradients with every name put in that is only the code's."""
    kernel = textbook_backward(w.derivation)
    sums = {o.left: o.equation.right for o in kernel.operations if is_sum(o)}
    known = helpers(w, kernel)
    saved = {q for _, q in kernel.takes_saved} - {e.left for e in w.derivation.forward.equations}
    named = sums | known | {o.left: o.equation.right for o in w.kernels["forward"].operations if o.left in saved}
    found = [
        put_in(o.equation, named)
        for o in kernel.operations
        if o.left.role == "gradient" and not is_sum(o) and sums.keys() & set(put_in(o.equation, known).inputs)
    ]
    return [whole for whole in found if not any(q.role == "sum" for q in whole.inputs)]


def _renamed(w: Writer, e: Equation) -> Sentence:
    """A word on the letters that stand in for those of free indices, as the printer gives them."""
    found: dict[str, Sentence] = {}
    for reduction in sorted({r for t in e.terms for r in t.body.atoms(Reduction)}, key=str):
        scope = w.notation.scope(e.left.axes)
        for axis in reduction.axes:
            letter = w.notation.inner(axis, scope)
            scope = scope.under(axis, letter)
            if letter != w.notation.letter(axis):
                found[letter] = sentence(Math(letter), " takes the values of ", w.index(axis))
    return sentence(", where ", enumerated(found.values())) if found else ()
