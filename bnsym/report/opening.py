"""The beginning of a report: the definition's equations, its quantities and axes."""

from __future__ import annotations

from bnsym.model import Axis, Quantity
from bnsym.report.blocks import Block, Code, Items, Math, Section, Sentence, Table, counted, paragraph, sentence
from bnsym.report.products import free
from bnsym.report.writer import Writer

ROLES = {
    "data": "input, differentiated",
    "mask": "input of zeros and ones, not differentiated",
    "parameter": "learned input, differentiated",
    "constant": "constant",
    "statistic": "statistic",
    "count": "number of positions that take part",
    "fixed": "input, held fixed by derivatives",
    "value": "intermediate value",
}


def definition(w: Writer) -> Section:
    """The equations as the definition states them."""
    equations = w.derivation.forward.equations
    order = ", computed in this order" if len(equations) > 1 else ""
    blocks: list[Block] = [paragraph(f"The definition states {counted(len(equations), 'equation')}{order}.")]
    blocks += [paragraph(note) for note in _left_out(w)]
    blocks += [w.formula(e) for e in equations]
    held = [e for e in equations if e.held]
    if held:
        verb, sides = (
            ("is", "its left side as a constant") if len(held) == 1 else ("are", "their left sides as constants")
        )
        blocks.append(paragraph(w.references(held), f" {verb} held: derivatives treat {sides}."))
    return Section(sentence("The definition"), (*blocks, *_premises(w)))


def _premises(w: Writer) -> list[Block]:
    """What is taken for granted of the inputs."""
    blocks: list[Block] = []
    for premise in w.definition.premises:
        scope = w.notation.scope(free(premise.term.expression))
        whole = f"{w.latex.terms((premise.term,), scope)} = {w.latex.local(premise.value, scope)}"
        blocks.append(w.premise(whole))
    return [paragraph("Of the inputs this is taken for granted:"), *blocks] if blocks else []


def _left_out(w: Writer) -> list[Sentence]:
    """Which indices the formulas do without, and why."""
    found = [a for a in w.derivation.forward.axes if a not in w.notation.shown]
    if not found:
        return []
    which = "this index is" if len(found) == 1 else "these indices are"
    start, end = "Nothing here or below is summed over ", f", so {which} left out: each equation holds for every "
    return [sentence(start, w.indices(found), end, w.indices(found), " on its own.")]


def axes(w: Writer) -> Section:
    """Which quantity varies along which axis, and what runs along an axis."""
    program = w.derivation.forward
    listed = [*program.inputs, *(e.left for e in program.equations)]
    rows = tuple(((w.symbol(q),), (Code(q.name),), _along(w, q), _role(w, q)) for q in listed)
    table = Table(("symbol", "in the code", "varies along", "what it is"), rows)
    items = tuple(_axis(w, a) for a in program.axes)
    return Section(sentence("Quantities and axes"), (table, *((Items(items),) if items else ())))


def _along(w: Writer, q: Quantity) -> Sentence:
    return w.indices(q.axes) if q.axes else sentence("one number")


def _role(w: Writer, q: Quantity) -> Sentence:
    output = q in w.derivation.forward.outputs
    words = "output" if output and q.role == "value" else ROLES[q.role] + (", output" if output else "")
    words += ", saved by the forward pass" if q in w.definition.saved else ""
    words += f"; {q.absent} where it is left out" if q.absent is not None else ""
    return sentence(words, *(("; ", Code(f"{q.default:g}"), " unless given") if q.default is not None else ()))


def _axis(w: Writer, axis: Axis) -> Sentence:
    size = w.notation.size(axis)
    values = sentence(" runs from 1 to ", Math(size)) if size else sentence(" has any number of values")
    uses = [_use(w, axis, False, ("sums over it", "sum over it"))]
    uses.append(_use(w, axis, True, ("takes the largest value along it", "take the largest value along it")))
    what = [u for u in uses if u] or [sentence("no equation above sums over it")]
    return sentence(w.index(axis), values, ": ", *[part for use in what for part in (", and ", use)][1:], ".")


def _use(w: Writer, axis: Axis, largest: bool, verbs: tuple[str, str]) -> Sentence:
    """The equations that reduce over an axis, and what they do."""
    equations = w.derivation.forward.equations
    found = [e for e in equations if any(axis in t.axes and t.largest == largest for t in e.terms)]
    return sentence(w.references(found), f" {verbs[len(found) > 1]}") if found else ()
