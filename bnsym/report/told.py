"""A kernel told in the order in which it computes: sums over the data, and what is element by element between them."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import groupby

import sympy

from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.model import Axis, Equation, Quantity, Term
from bnsym.report.blocks import Block, Listing, paragraph
from bnsym.report.sentences import Code, Sentence, enumerated, sentence
from bnsym.report.writer import Writer

TAKEN = "From the forward pass it takes "
LONG = 400
"""So many letters of LaTeX make a line that is too long to read."""
MARKS = {
    "bar": "a bar marks a mean",
    "tilde": "a tilde marks what is left when the mean is subtracted",
    "sum": "an S stands for a sum",
}


def told(w: Writer, kernel: Kernel) -> list[Block]:
    """Every equation of a kernel, helpers put in, under a word on what it runs over."""
    known = _without_the_long(w, kernel, helpers(w, kernel))
    shown = [Operation(o.kind, put_in(o.equation, known)) for o in kernel.operations if o.left not in known]
    w.told[kernel.name] = {o.left: o.equation for o in shown}
    blocks: list[Block] = _marks(w, shown)
    lines = w.listings.of(kernel.name, [o.left for o in shown])
    for n, (_, stretch) in enumerate(groupby(shown, _stretch)):
        found = list(stretch)
        blocks.append(paragraph(*_words(w, found, n == 0)))
        for o in found:
            blocks += [w.formula(o.equation), *([Listing(lines[o.left])] if o.left in lines else [])]
    return blocks


def _without_the_long(w: Writer, kernel: Kernel, known: dict[Quantity, sympy.Expr]) -> dict[Quantity, sympy.Expr]:
    """The helpers that formulas can do without: where these make one too long, it has a symbol for each factor."""
    apart: set[Quantity] = set()
    for o in kernel.operations:
        if o.left not in known and len(w.latex.equation(put_in(o.equation, known))) > LONG:
            apart |= {q for q in o.equation.inputs if q in known and q.role == "sum"}
    for q in (q for q in known if q in apart):
        w.christen(q)
    return {q: e for q, e in known.items() if q not in apart}


def _marks(w: Writer, shown: list[Operation]) -> list[Block]:
    """What bars, tildes and S mean, where they first occur."""
    made = [o.left for o in shown if w.notation.mark(o.left) and not w.known(o.equation)]
    words: list[Sentence] = []
    for mark, what in MARKS.items():
        q = next((q for q in made if w.notation.mark(q) == mark), None)
        if q is not None and mark not in w.explained:
            w.explained.add(mark)
            start = what if words else what[0].upper() + what[1:]
            words.append(sentence(start, ": ", w.symbol(q), " is ", Code(q.name), " in the code"))
    if not words:
        return []
    return [paragraph(*[part for each in words for part in ("; ", each)][1:], ".")]


def helpers(w: Writer, kernel: Kernel) -> dict[Quantity, sympy.Expr]:
    """What the code names but a formula need not: arithmetic per channel, and functions of an array."""
    stated = {e.left for e in w.derivation.forward.equations}
    found = (o for o in kernel.operations if o.left not in stated and not is_sum(o))
    return {o.left: o.equation.right for o in found if o.left.role == "sum" or _is_function(o)}


def _is_function(o: Operation) -> bool:
    return o.left.role == "value" and isinstance(o.equation.right, sympy.Function)


def is_sum(o: Operation) -> bool:
    """Whether it runs over the data."""
    return any(t.axes for t in o.equation.terms)


def put_in(e: Equation, known: dict[Quantity, sympy.Expr]) -> Equation:
    """An equation with names replaced by what they stand for, and those in it by what these stand for."""
    while known.keys() & set(e.inputs):
        e = Equation(e.left, tuple(Term(t.body.xreplace(known), t.axes, t.largest) for t in e.terms))
    return e


def taken(w: Writer, kernel: Kernel) -> list[Block]:
    """What the forward pass saved, and how it comes about where the definition does not say."""
    if not kernel.takes_saved:
        return []
    forward = {o.left: o.equation for o in w.kernels["forward"].operations}
    stated = {e.left for e in w.derivation.forward.equations}
    saved = [q for _, q in kernel.takes_saved]
    made = [forward[q] for q in saved if q in forward and q not in stated]
    if made and all(w.known(e) for e in made):
        return [paragraph(TAKEN, w.listed(saved), ", see ", w.references(made), ".")]
    new = {e.left for e in made}
    named = enumerated(sentence(w.symbol(q), " (", Code(q.name), " in the code)") if q in new else sentence(w.symbol(q))
                       for q in saved)  # fmt: skip
    return [paragraph(TAKEN, named, ", where" if made else "."), *(w.formula(e) for e in made)]


def left_out(w: Writer, kernel: Kernel) -> list[Block]:
    """What a mask makes of no consequence."""
    mask = next((q for q in kernel.arguments if q.role == "mask"), None)
    if mask is None or not kernel.masked:
        return []
    nothing = [q for q in kernel.outputs if _vanishes(kernel, q, mask)]
    zero = sentence(", and ", w.listed(nothing), f" {'is' if len(nothing) == 1 else 'are'} 0 there") if nothing else ()
    held = w.listed(kernel.masked)
    verb = "holds" if len(kernel.masked) == 1 else "hold"
    return [paragraph("Where ", w.symbol(mask), " is 0, a position is left out: what ", held, f" {verb} there changes"
                      " nothing", zero, ".")]  # fmt: skip


def _vanishes(kernel: Kernel, q: Quantity, mask: Quantity) -> bool:
    equation = kernel.program.equation(q)
    return q.axes == mask.axes and equation is not None and equation.right.subs(mask, 0) == 0


def _over(o: Operation) -> tuple[Axis, ...]:
    return tuple(dict.fromkeys(a for t in o.equation.terms for a in t.axes))


def _stretch(o: Operation) -> Hashable:
    """Operations that one sentence introduces."""
    if not is_sum(o):
        return o.kind == Kind.MAP, () if o.kind == Kind.MAP else o.left.axes
    return _over(o), o.left.axes, o.kind == Kind.CONTRACT, any(t.largest for t in o.equation.terms)


def _words(w: Writer, found: list[Operation], start: bool) -> Sentence:
    first, several = found[0], len(found) > 1
    each = sentence(" for each ", w.indices(first.left.axes)) if first.left.axes else ()
    if not is_sum(first):
        once = sentence("Once" if start else "Then once", each) if each else sentence("From these")
        return sentence("Element by element" if first.kind == Kind.MAP else once, ":")
    what = "largest value" if any(t.largest for t in first.equation.terms) else "sum"
    matrix = first.kind == Kind.CONTRACT
    product = (", as matrix products" if several else ", as a matrix product") if matrix else ""
    over = sentence(f"{what}s over " if several else f"{what} over ", w.indices(_over(first)))
    if not each:
        return sentence("These are " if several else "This is the ", over, f"{product}:")
    return sentence("These " if several else "This ", over, " are taken once" if several else " is taken once", each,
                    f"{product}:")  # fmt: skip
