"""Kernels as statements a template can lay out: what is computed, into what, from what."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace

WIDTH = 120
"""Characters in a line of a generated file."""


@dataclass(frozen=True)
class Statement:
    """`target = code`, or a call that writes in place where there is no target; `note` is said before it.

    It belongs to what computes the quantity `of`. With `where` it is executed only if that holds somewhere.

    Where it is too long for one line, `terms` stand in parentheses, a line each, between `lead` and `trail`.
    """

    code: str
    target: str = ""
    note: tuple[str, ...] = ()
    where: str = ""
    terms: tuple[str, ...] = ()
    lead: str = ""
    trail: str = ""
    of: str = ""


@dataclass(frozen=True)
class Body:
    """The statements of a function.

    `first` computes the statistics, `rest` the rest, where forward must look at the statistics before it goes on; of
    what the first compute `live` is used afterwards. They work in so many `rooms` of the data's shape.
    """

    first: tuple[Statement, ...] = ()
    rest: tuple[Statement, ...] = ()
    live: tuple[str, ...] = ()
    rooms: int = 0


def broken(statement: Statement, indent: int = 4) -> Statement:
    """An assignment in several lines, if it is too long for one: between the terms of a sum, or inside parentheses."""
    code = statement.code
    if len(statement.target) + len(code) + indent + 3 <= WIDTH:
        return statement
    terms = _split(code)
    if len(terms) > 1:
        return replace(statement, terms=terms)
    start, end = _longest_group(code)
    if start == end:
        return replace(statement, terms=(code,))
    inner = code[start + 1 : end]
    terms = (inner,) if len(inner) + indent + 4 <= WIDTH else _split(inner)
    return replace(statement, lead=code[:start], terms=terms, trail=code[end + 1 :])


def _split(code: str, *signs: str) -> tuple[str, ...]:
    """The terms of a sum, each after the first with its operator before it; or what other signs stand between."""
    cuts, depth = [0], 0
    for n, letter in enumerate(code):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        if depth == 0 and code[n : n + 3] in (signs or (" + ", " - ")):
            cuts.append(n)
    return tuple(code[i:j].strip() for i, j in zip(cuts, [*cuts[1:], len(code)], strict=True))


def _longest_group(code: str) -> tuple[int, int]:
    """Where the longest parenthesis that stands in no other begins and ends."""
    groups, open_at, depth = [(0, 0)], 0, 0
    for n, letter in enumerate(code):
        if letter == "(":
            open_at = n if depth == 0 else open_at
            depth += 1
        elif letter == ")":
            depth -= 1
            groups += [(open_at, n)] if depth == 0 else []
    return max(groups, key=lambda g: g[1] - g[0])


def noted(statement: Statement, text: str) -> Statement:
    """A statement with a comment, in as many lines as it takes."""
    lines = textwrap.wrap(text, WIDTH - 6, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return replace(statement, note=tuple(lines))


def fitted(text: str) -> str:
    """A text whose assignments are broken where they are too long for a line."""
    lines: list[str] = []
    for line in text.split("\n"):
        code = line.strip()
        target, equals, right = code.partition(" = ")
        if len(line) <= WIDTH or not equals or code.startswith("#"):
            lines.append(line)
            continue
        indent = " " * (len(line) - len(code))
        made = broken(Statement(right, target), len(indent))
        inner = indent + "    "
        terms = [inner + line for t in made.terms for line in _factors(t, WIDTH - len(inner))]
        lines += [f"{indent}{target} = {made.lead}(", *terms, f"{indent}){made.trail}"]
    return "\n".join(lines)


def _factors(term: str, width: int) -> tuple[str, ...]:
    """A term, or its factors where it is too long for a line."""
    return (term,) if len(term) <= width else _split(term, " * ", " / ")
