"""The formats that a report is written in, by the ending of their files."""

from __future__ import annotations

from collections.abc import Callable

from bnsym.model import Definition
from bnsym.report.blocks import Story
from bnsym.report.html import html
from bnsym.report.markdown import markdown
from bnsym.report.notebook import notebook
from bnsym.report.tex import latex

FORMATS: dict[str, Callable[[Story, Definition], str]] = {
    "md": lambda told, definition: markdown(told),
    "html": lambda told, definition: html(told),
    "tex": lambda told, definition: latex(told),
    "ipynb": notebook,
}
