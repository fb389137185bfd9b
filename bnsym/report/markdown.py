"""A report as Markdown that GitHub renders, formulas and graph included."""

from __future__ import annotations

import re

import jinja2

from bnsym.render import environment
from bnsym.report.blocks import Story

MARKS = re.compile(r"[\\`*\[\]<>|$#~&]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown would take for mark-up; an underscore within a word is none."""


def markdown(told: Story) -> str:
    """A report that is told already."""
    return markdown_environment().get_template("report/markdown.md.j2").render(story=told)


def markdown_environment() -> jinja2.Environment:
    """What every template needs that writes Markdown."""
    made = environment().overlay()
    made.filters |= {"plain": plain, "protected": protected, "verbatim": verbatim}
    return made


def plain(text: str) -> str:
    """Words that Markdown leaves as they are."""
    return MARKS.sub(lambda mark: f"\\{mark[0]}", text)


def protected(latex: str) -> str:
    """A formula in which no underscore can close an emphasis: a space before it means nothing to TeX."""
    return re.sub(r"\s*_", " _", latex)


def verbatim(code: str) -> str:
    """Code in a table: a bar would end the cell."""
    return code.replace("|", r"\|")
