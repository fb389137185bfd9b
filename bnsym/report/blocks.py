"""A report as data: sections of paragraphs, equations, tables and graphs. How they look is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bnsym.report.sentences import Sentence, Span, sentence


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    kind: ClassVar[str] = "paragraph"
    spans: Sentence


@dataclass(frozen=True)
class Formula:
    """An equation on a line of its own, with its number; with `blank` there is room after it to write in."""

    kind: ClassVar[str] = "formula"
    latex: str
    number: int
    blank: bool = False


@dataclass(frozen=True)
class Listing:
    """Lines of generated code."""

    kind: ClassVar[str] = "listing"
    text: str


@dataclass(frozen=True)
class Items:
    """A list."""

    kind: ClassVar[str] = "items"
    items: tuple[Sentence, ...]


@dataclass(frozen=True)
class Table:
    """A table: every row has as many cells as the header."""

    kind: ClassVar[str] = "table"
    header: tuple[str, ...]
    rows: tuple[tuple[Sentence, ...], ...]


@dataclass(frozen=True)
class Edge:
    """`target`'s equation uses `source`; dotted where it is held. Both are places in the list of nodes.

    `back`: whether a gradient comes back, as a step of the chain rule says.
    """

    source: int
    target: int
    dotted: bool
    back: bool


@dataclass(frozen=True)
class Node:
    """A quantity: its name in the code, its symbol as LaTeX and in plain signs, and the number of its equation.

    What is given has no equation.
    """

    name: str
    latex: str
    signs: str
    equation: int | None


@dataclass(frozen=True)
class Graph:
    """Quantities, and which depends on which."""

    kind: ClassVar[str] = "graph"
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Series:
    """One curve: what it shows, and its height above each value of the plot."""

    name: str
    heights: tuple[float, ...]


@dataclass(frozen=True)
class Mark:
    """A height that is worth a line of its own, and why."""

    at: float
    what: str


@dataclass(frozen=True)
class Plot:
    """Curves over the same values, both axes logarithmic."""

    kind: ClassVar[str] = "plot"
    title: str
    across: str
    up: str
    values: tuple[float, ...]
    series: tuple[Series, ...]
    mark: Mark


Block = Paragraph | Formula | Listing | Items | Table | Graph | Plot


@dataclass(frozen=True)
class Section:
    """A title, what stands under it, and sections within; `step` names the quantity whose gradient it derives."""

    title: Sentence
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    step: str = ""


@dataclass(frozen=True)
class Story:
    """A whole report."""

    title: Sentence
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...]


def paragraph(*parts: str | Span | Sequence[Span]) -> Paragraph:
    """A sentence as a paragraph of its own."""
    return Paragraph(sentence(*parts))
