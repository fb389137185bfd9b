"""Kernels as statements a template can lay out: what is computed, into what, from what."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace

WIDTH = 120
"""Characters in a line of a generated file."""


@dataclass(frozen=True)
class Statement:
    """`target = code`, or a call that writes in place where there is no target; `note` is said before it.

    Where it is too long for one line, `terms` stand in parentheses, a line each, after `lead`.
    """

    code: str
    target: str = ""
    note: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    lead: str = ""


def broken(statement: Statement, addends: tuple[str, ...]) -> Statement:
    """An assignment in several lines, if it is too long for one: between the terms of a sum, or inside its last factor."""
    if len(statement.target) + len(statement.code) + 7 <= WIDTH:
        return statement
    if len(addends) > 1:
        return replace(statement, terms=addends)
    opening = _opening(statement.code)
    return replace(statement, lead=statement.code[:opening], terms=(statement.code[opening + 1 : -1],))


def _opening(code: str) -> int:
    """Where the parenthesis is opened that the text ends with."""
    depth = 0
    for n in range(len(code) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(code[n], 0)
        if depth == 0:
            return n
    return 0


def noted(statement: Statement, text: str) -> Statement:
    """A statement with a comment, in as many lines as it takes."""
    lines = textwrap.wrap(text, WIDTH - 6, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return replace(statement, note=tuple(lines))
