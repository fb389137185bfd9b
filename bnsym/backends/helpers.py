"""Of the helpers that templates offer, those that a module needs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

GAP = "\n\n\n"
"""What stands between the blocks of a module: functions, and constants that belong together."""


@dataclass(frozen=True)
class _Block:
    """A part of a module: its text, the names it gives, and the names it uses."""

    text: str
    gives: frozenset[str]
    uses: frozenset[str]

    @property
    def private(self) -> bool:
        return all(name.startswith("_") for name in self.gives)


def needed(text: str) -> str:
    """A module's text without the private blocks that nothing in it needs, directly or through other blocks."""
    blocks = [_read(block.strip("\n")) for block in text.strip("\n").split(GAP)]
    kept: set[_Block] = set()
    new = {b for b in blocks if not b.private}
    while new:
        kept |= new
        uses = frozenset[str]().union(*(b.uses for b in new))
        new = {b for b in blocks if b.gives & uses} - kept
    return GAP.join(b.text for b in blocks if b in kept) + "\n"


def read(text: str) -> str:
    """A function's text without assignments to names that it never reads."""
    tree = ast.parse(text)
    lines = text.split("\n")
    known = _names(tree, ast.Load).union(
        *(_names(n, ast.Store) for n in ast.walk(tree) if isinstance(n, ast.AugAssign))
    )
    idle = {
        n.lineno
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign)
        and not known & _names(n, ast.Store)
        and all(isinstance(t, ast.Name) for t in n.targets)
    }
    return read("\n".join(line for n, line in enumerate(lines, start=1) if n not in idle)) if idle else text


@lru_cache(maxsize=4096)
def names(text: str) -> frozenset[str]:
    """The names that a text uses."""
    return _names(ast.parse(text), ast.Load)


@lru_cache(maxsize=4096)  # most modules have most helpers
def _read(text: str) -> _Block:
    body = ast.parse(text).body
    defined = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return _Block(text, frozenset(defined).union(*(_names(t, ast.Store) for t in targets)), names(text))


def _names(node: ast.AST, use: type[ast.expr_context]) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, use))
