"""The beginning of a report: the definition's equations, its quantities and axes."""

from __future__ import annotations

import sympy

from bnsym.functions import Abs, maximum, minimum, sign, step
from bnsym.model import Axis, Quantity
from bnsym.report.blocks import Block, Items, Section, Table, paragraph
from bnsym.report.notation import SHOWN
from bnsym.report.products import free
from bnsym.report.sentences import Code, Math, Sentence, counted, sentence
from bnsym.report.told import left_out
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

WORDS: dict[type[sympy.Basic], tuple[str, str]] = {
    step: (r"\mathrm{step}", " is 1 where its argument is positive, and 0 elsewhere. Its derivative is 0."),
    sign: (r"\mathrm{sign}", " is 1, 0 or -1, as its argument is positive, 0 or negative. Its derivative is 0."),
    Abs: (r"\left\lvert \cdot \right\rvert", " is the absolute value. Its derivative is taken to be 0 at 0."),
    sympy.erf: (r"\mathrm{erf}", " is the error function: its derivative is the bell curve "),
    maximum: (
        r"\max",
        " of two takes the larger one. Where they are equal, its derivative is that of what stands last.",
    ),
    minimum: (
        r"\min",
        " of two takes the smaller one. Where they are equal, its derivative is that of what stands last.",
    ),
}
"""What functions are whose derivative needs a word."""
BELL = r"\frac{2}{\sqrt{\pi}} \exp\left(-u^{2}\right)"


def definition(w: Writer) -> Section:
    """The equations as the definition states them."""
    equations = w.derivation.forward.equations
    order = ", computed in this order" if len(equations) > 1 else ""
    blocks: list[Block] = [paragraph(f"The definition states {counted(len(equations), 'equation')}{order}.")]
    blocks += [paragraph(note) for note in _left_out(w)]
    blocks += [w.formula(e) for e in equations]
    blocks += left_out(w, w.kernels["forward"])
    held = [e for e in equations if e.held]
    if held:
        verb, sides = (
            ("is", "its left side as a constant") if len(held) == 1 else ("are", "their left sides as constants")
        )
        blocks.append(paragraph(w.references(held), f" {verb} held: derivatives treat {sides}."))
    return Section(sentence("The definition"), (*blocks, *_parts(w), *_premises(w), *_correction(w)))


def _parts(w: Writer) -> list[Block]:
    """Which equations come from which of two definitions."""
    if len(w.definition.parts) != 2:
        return []
    first, then = w.definition.parts
    come = " come from " if len(first.program.equations) > 1 else " comes from "
    return [paragraph(w.references(first.program.equations), come, Code(first.name), ", ",
                      w.references(then.program.equations), " from ", Code(then.name), "; ",
                      w.symbols(first.program.outputs), " stands between the two.")]  # fmt: skip


def _correction(w: Writer) -> list[Block]:
    """Where the inputs come from that derivatives hold fixed."""
    program = w.derivation.correction
    if program is None:
        return []
    fixed = w.symbols(program.outputs)
    several = len(program.outputs) > 1
    start = sentence(fixed, " are inputs that derivatives hold fixed. " if several else " is an input that derivatives"
                     " hold fixed. ", Code("correction"), f" computes {'them' if several else 'it'} from what a forward"
                     " pass saved:")  # fmt: skip
    return [paragraph(start), *(w.formula(e) for e in program.equations)]


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
    aside = w.derivation.correction.inputs if w.derivation.correction else ()
    stated = [*program.inputs, *(e.left for e in program.equations)]
    listed = [*program.inputs, *(q for q in aside if q not in stated), *(e.left for e in program.equations)]
    rows = tuple(((w.symbol(q),), (Code(q.name),), _along(w, q), _role(w, q)) for q in listed)
    table = Table(("symbol", "in the code", "varies along", "what it is"), rows)
    items = tuple(_axis(w, a) for a in program.axes)
    return Section(sentence("Quantities and axes"), (table, *((Items(items),) if items else ()), *_functions(w)))


def _functions(w: Writer) -> list[Block]:
    """The functions in it that need a word."""
    derivation = w.derivation
    programs = [derivation.forward, derivation.backward.program, *(w.kernels[k].program for k in SHOWN)]
    bodies = [t.body for p in programs for e in p.equations if not e.held for t in e.terms]
    found = [f for f in WORDS if any(b.has(f) for b in bodies)]
    bell = {sympy.erf: (Math(BELL), " of its argument ", Math("u"), ".")}
    items = tuple(sentence(Math(WORDS[f][0]), WORDS[f][1], *bell.get(f, ())) for f in found)
    return [paragraph("Of these functions the derivatives need a word:"), Items(items)] if items else []


def _along(w: Writer, q: Quantity) -> Sentence:
    return w.indices(q.axes) if q.axes else sentence("one number")


def _role(w: Writer, q: Quantity) -> Sentence:
    output = q in w.derivation.forward.outputs
    words = "output" if output and q.role == "value" else ROLES[q.role] + (", output" if output else "")
    words += ", saved by the forward pass" if q in w.definition.saved else ""
    words += f"; {q.absent} where it is left out" if q.absent is not None else ""
    words += f" of at least {q.at_least}" if q.at_least else ""
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
