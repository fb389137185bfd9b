"""A generated module has what its own functions need, and nothing else."""

import ast
from pathlib import Path

from bnsym.backends.helpers import needed


def top_level(module):
    """What a module defines or imports at its top: each name, and the statement it comes from."""
    for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "module", "") != "__future__":
            yield from ((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id, node
        elif isinstance(node, ast.Assign):
            yield from ((n.id, node) for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name))


def used_in(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def test_nothing_in_a_module_is_without_use(subject):
    """Every import and every private helper is used by what the module exports, directly or through other helpers."""
    module = subject.kernels.module
    found = dict(top_level(module))
    needed, new = set(), set(module.__all__)
    while new:
        needed |= new
        new = {name for user in new for name in used_in(found[user]) if name in found} - needed
    assert set(found) - needed == {"__all__"}


def test_needed_are_those_used_directly_or_through_others():
    blocks = [
        "def f():\n    return _a()",
        "def _a():\n    return _B",
        "_B = [n for n in ()]",
        "def _c():\n    return _c()",
    ]
    assert needed("\n\n\n".join(blocks)) == "\n\n\n".join(blocks[:3]) + "\n"
