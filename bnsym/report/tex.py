"""A report as LaTeX that needs article, amsmath and amssymb alone."""

from __future__ import annotations

import re

from bnsym.render import environment
from bnsym.report.blocks import Story, Table
from bnsym.report.chart import chart
from bnsym.report.diagram import diagram
from bnsym.report.mathml import GREEK
from bnsym.report.sentences import Blank, Math, Reference, Sentence, Span

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}"}
SPECIAL |= {mark: f"\\{mark}" for mark in "&%$#_{}"} | {">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"}
SPECIAL |= {sign: rf"$\{name}$" for name, sign in GREEK.items()}
SPECIAL |= {"−": "$-$", "→": r"$\to$", "–": "--", "²": "$^2$"}
NARROW, BROAD, BLANK = 5, 100, 16
"""The least and the most letters that a column is given room for, and how many to write in a blank."""


def latex(told: Story) -> str:
    """A report that is told already: the same bytes on every machine."""
    page = environment().overlay(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    page.filters |= {"tex": tex, "code": code, "chart": chart, "diagram": diagram, "shares": shares}
    return page.get_template("report/page.tex.j2").render(story=told)


def tex(text: str) -> str:
    """Words that LaTeX leaves as they are; a letter that it has none for is named by its number."""
    return "".join(SPECIAL.get(c, c if ord(c) < 256 else f"[U+{ord(c):04X}]") for c in text)


def code(name: str) -> str:
    """A name as code spells it, which may be broken at its underscores."""
    return tex(name).replace(r"\_", r"\_\allowbreak ")


def shares(table: Table) -> tuple[float, ...]:
    """What part of the width each column takes: by its longest cell, within reason."""
    columns = zip(table.header, *table.rows, strict=True)
    room = [max(min(BROAD, max(_length(cell) for cell in column)), NARROW) for column in columns]
    return tuple(round(n / sum(room), 3) for n in room)


def _length(cell: str | Sentence) -> int:
    if isinstance(cell, str):
        return len(cell)
    return sum(_room(span) for span in cell)


def _room(span: Span) -> int:
    if isinstance(span, Reference):
        return len(str(span.number)) + 2
    if isinstance(span, Blank):
        return BLANK
    return _written(span.latex) if isinstance(span, Math) else len(span.text)


def _written(latex: str) -> int:
    """About how many signs of a formula stand side by side."""
    return len(re.sub(r"\\[a-zA-Z]+", "x", re.sub(r"[{}_^ ]", "", latex)))
