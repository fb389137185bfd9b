"""Running text as data: words, formulas, code and the numbers of equations in a row, and how a row is put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Text:
    """Plain words."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Math:
    """A formula within a sentence, as LaTeX."""

    kind: ClassVar[str] = "math"
    latex: str


@dataclass(frozen=True)
class Code:
    """A name as code spells it."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Reference:
    """The number of an equation."""

    kind: ClassVar[str] = "reference"
    number: int


@dataclass(frozen=True)
class Blank:
    """Room to write in."""

    kind: ClassVar[str] = "blank"


Span = Text | Math | Code | Reference | Blank
Sentence = tuple[Span, ...]


def sentence(*parts: str | Span | Sequence[Span]) -> Sentence:
    """Words and formulas in a row: a string is plain words."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            spans.append(Text(part))
        elif isinstance(part, (Text, Math, Code, Reference, Blank)):
            spans.append(part)
        else:
            spans.extend(part)
    return tuple(s for s in spans if s != Text(""))


def prose(text: str) -> Sentence:
    """Words that somebody else wrote; what stands between backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return sentence(text)
    return sentence(*(Code(part) if n % 2 else part for n, part in enumerate(parts)))


def enumerated(parts: Iterable[Span | Sentence], last: str = "and") -> Sentence:
    """`a`, `a and b`, or `a, b and c`."""
    spans = list(parts)
    words: list[str | Span | Sentence] = []
    for n, span in enumerate(spans):
        words += [span] if n == 0 else [f" {last} " if n == len(spans) - 1 else ", ", span]
    return sentence(*words)


def counted(number: int, thing: str) -> str:
    """`one path`, `3 paths`: small counts as a reader expects them."""
    return f"one {thing}" if number == 1 else f"{number} {thing}s"
