"""A sheet for students: the definition and the steps, with chosen right sides left to be written, and the answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from bnsym.calculus.derive import Derivation
from bnsym.lowering.kernel import Kernel
from bnsym.report.blocks import Block, Formula, Section, Story, Table, paragraph
from bnsym.report.chain import chain_rule
from bnsym.report.opening import axes, definition
from bnsym.report.paths import dependencies
from bnsym.report.sentences import Blank, Code, Math, Reference, Sentence, sentence
from bnsym.report.story import opening
from bnsym.report.worked import by_steps
from bnsym.report.writer import Writer

GIVEN = 1
"""Columns of a step's table that are left as they are: where a gradient comes from is in the graph."""


def sheet(derivation: Derivation, kernels: Mapping[str, Kernel], chosen: Collection[str]) -> tuple[Story, Story]:
    """What to fill in, and the same filled in; `chosen` are names of gradients."""
    w = Writer(derivation, kernels)
    sections = (definition(w), axes(w), dependencies(w), chain_rule(w), by_steps(w))
    steps = {s.of.name for s in derivation.steps if s.equation.left.name in chosen}
    numbers = {w.number(s.equation) for s in derivation.steps if s.equation.left.name in chosen}
    name = Code(derivation.definition.name)
    answers = Story(sentence(name, ": answers"), opening(w), sections)
    emptied = tuple(_emptied(s, steps, numbers) for s in sections)
    return Story(sentence(name, ": to be filled in"), (*opening(w), *_asked(w, derivation, steps)), emptied), answers


def _asked(w: Writer, derivation: Derivation, steps: Collection[str]) -> list[Block]:
    """What there is to do, where there is something."""
    left = w.references(s.equation for s in derivation.steps if s.of.name in steps)
    if not left:
        return []
    what = "step" if len(steps) == 1 else "steps"
    return [paragraph(f"Left open {'is' if len(steps) == 1 else 'are'} the {what} ", left, ": fill in the table, the"
                      " right side, and the numbers at the end. Equations have the numbers that they have in the"
                      " answers.")]  # fmt: skip


def _emptied(section: Section, steps: Collection[str], numbers: Collection[int | None]) -> Section:
    """A section with room for answers; what is said after an answer would give it away."""
    inner = tuple(_emptied(s, steps, numbers) for s in section.sections)
    if section.step in steps:
        last = next(n for n, b in enumerate(section.blocks) if isinstance(b, Formula))
        kept = section.blocks[: last + 1]
        return replace(section, blocks=tuple(_step_block(b) for b in kept), sections=inner, step="")
    return replace(section, blocks=tuple(_numbers_block(b, numbers) for b in section.blocks), sections=inner)


def _step_block(block: Block) -> Block:
    if isinstance(block, Formula):
        return replace(block, latex=_left(block.latex), blank=True)
    if isinstance(block, Table):
        rows = tuple((*row[:GIVEN], *((Blank(),) for _ in row[GIVEN:])) for row in block.rows)
        return replace(block, rows=rows)
    return block


def _numbers_block(block: Block, numbers: Collection[int | None]) -> Block:
    """In a table of numbers, the rows that belong to an equation's number; it stands before the first of them."""
    if not isinstance(block, Table):
        return block
    rows: list[tuple[Sentence, ...]] = []
    hidden = False
    for first, *rest in block.rows:
        if len(first) == 1 and isinstance(first[0], Reference):
            hidden = first[0].number in numbers
        elif first:
            hidden = False
        rows.append((first, *((_left_open(cell) for cell in rest) if hidden else rest)))
    return replace(block, rows=tuple(rows))


def _left_open(cell: Sentence) -> Sentence:
    (formula,) = cell
    return (Math(_left(formula.latex)), Blank()) if isinstance(formula, Math) else cell


def _left(latex: str) -> str:
    return latex.split(" = ")[0] + " ="
