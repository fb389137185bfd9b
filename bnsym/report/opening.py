"""The beginning of a report: the definition's equations, its quantities and axes."""

from __future__ import annotations

from bnsym.model import Axis, Quantity, Term
from bnsym.report.blocks import Block, Code, Items, Section, Sentence, Table, Text, counted, paragraph, sentence
from bnsym.report.writer import Writer

ROLES = {
    "data": "input, differentiated",
    "mask": "input of zeros and ones",
    "parameter": "learned input, differentiated",
    "constant": "constant",
    "statistic": "statistic",
    "value": "intermediate value",
}


def definition(w: Writer) -> Section:
    """The equations as the definition states them."""
    equations = w.derivation.forward.equations
    number = counted(len(equations), "equation")
    blocks: list[Block] = [paragraph(f"The definition states {number}, computed in this order.")]
    blocks += [paragraph(note) for note in _left_out(w)]
    blocks += [w.formula(e) for e in equations]
    held = [e for e in equations if e.held]
    if held:
        blocks.append(paragraph(w.references(held), " is held: derivatives treat its left side as a constant."))
    if w.definition.premises:
        blocks.append(paragraph("Of the inputs this is taken for granted:"))
    for premise in w.definition.premises:
        left = _axes_left(premise.term)
        scope = w.notation.scope(left)
        whole = f"{w.latex.terms((premise.term,), scope)} = {w.latex.local(premise.value, scope)}"
        blocks.append(w.numbered(whole))
    return Section(sentence("The definition"), tuple(blocks))


def _axes_left(term: Term) -> tuple[Axis, ...]:
    bodies = [q for q in term.body.free_symbols if isinstance(q, Quantity)]
    axes = {a for q in bodies for a in q.axes} - set(term.axes)
    return tuple(sorted(axes, key=lambda a: a.name))


def _left_out(w: Writer) -> list[Sentence]:
    """Which indices the formulas do without, and why."""
    found = [a for a in w.derivation.forward.axes if a not in w.notation.shown]
    if not found:
        return []
    which = "this index is" if len(found) == 1 else "these indices are"
    start = "Nothing here or below is summed over "
    return [sentence(start, w.indices(found), f", so {which} left out: each equation holds for every value alone.")]


def axes(w: Writer) -> Section:
    """Which quantity varies along which axis, and what runs along an axis."""
    program = w.derivation.forward
    listed = [*program.inputs, *(e.left for e in program.equations)]
    rows = tuple((_symbol(w, q), (Code(q.name),), _along(w, q), _role(w, q)) for q in listed)
    table = Table(("symbol", "in the code", "varies along", "what it is"), rows)
    items = tuple(_axis(w, a) for a in program.axes)
    return Section(sentence("Quantities and axes"), (table, *((Items(items),) if items else ())))


def _symbol(w: Writer, q: Quantity) -> Sentence:
    return (w.symbol(q),)


def _along(w: Writer, q: Quantity) -> Sentence:
    return w.indices(q.axes) if q.axes else sentence("nothing: one number")


def _role(w: Writer, q: Quantity) -> Sentence:
    output = q in w.derivation.forward.outputs
    words = "output" if output and q.role == "value" else ROLES.get(q.role, q.role) + (", output" if output else "")
    words += ", kept for the backward pass" if q in w.definition.saved else ""
    words += f"; {q.absent} where it is left out" if q.absent is not None else ""
    return sentence(words + (f"; {q.default:g} unless given" if q.default is not None else ""))


def _axis(w: Writer, axis: Axis) -> Sentence:
    size = w.notation.size(axis)
    last = [" runs from 1 to ", w.local(w.notation.sizes[axis], {})] if size else [" has any number of values"]
    summed = [e for e in w.derivation.forward.equations if any(axis in t.axes and not t.largest for t in e.terms)]
    largest = [e for e in w.derivation.forward.equations if any(axis in t.axes and t.largest for t in e.terms)]
    uses = [Text(" sums over it"), *[s for s in ()]]
    what: list[Sentence] = []
    if summed:
        what.append(sentence(w.references(summed), " sum over it" if len(summed) > 1 else uses[0]))
    if largest:
        what.append(sentence(w.references(largest), " takes the largest value along it"))
    if not what:
        what.append(sentence("no equation above sums over it"))
    joined = [s for n, part in enumerate(what) for s in ([Text(", and ")] if n else []) + list(part)]
    return sentence(w.index(axis), *last, ": ", joined, ".")
