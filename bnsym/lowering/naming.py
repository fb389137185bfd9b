"""One name, one quantity: what lowering and printing invent may not bear the name of anything else."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from bnsym.checks import BUILTINS, LOCALS, DefinitionError
from bnsym.lowering.kernel import Kernel
from bnsym.model import Definition, Quantity, quantities

TEMPORARY = re.compile(r"work(_\d+)?|total_\d+")
"""What the printed text calls its buffers and its sums."""


def check_names(definition: Definition, kernels: Iterable[Kernel]) -> None:
    """Raise DefinitionError, one sentence, where a kernel could not tell two quantities apart."""
    program = definition.program
    own = {q.name: q for q in (*program.inputs, *(e.left for e in program.equations))}
    own |= {q.name: q for e in program.equations for t in e.terms for q in quantities(t.body) if q.name not in own}
    sizes = [q for e in program.equations for t in e.terms for q in quantities(t.body) if q.role == "size"]
    for kernel in kernels:
        for q in (*sizes, *_of(kernel)):
            if own.get(q.name, q) != q and q.name != "count":
                raise DefinitionError(
                    f"{definition.name}: {kernel.name} has a {q.name} of its own; call yours something else"
                )
        _check_apart(definition, kernel, set(own))


def _check_apart(definition: Definition, kernel: Kernel, own: set[str]) -> None:
    """Within one kernel: each name is that of one quantity, computed once, and none of the text's own words."""
    known: dict[str, Quantity] = {}
    given = {q.name for q in _given(kernel)}
    for q in _of(kernel):
        if known.setdefault(q.name, q) != q:
            raise DefinitionError(
                f"{definition.name}: {kernel.name} has two quantities called {q.name}; rename what that is made of"
            )
        if TEMPORARY.fullmatch(q.name) or (q.name not in own and _is_word(q.name)):
            raise DefinitionError(
                f"{definition.name}: {q.name} in {kernel.name} is a word of the printed text; rename what makes it"
            )
    for operation in kernel.operations:
        name = operation.left.name
        if name in given:
            raise DefinitionError(
                f"{definition.name}: {kernel.name} computes a second {name}; rename what that is made of"
            )
        given.add(name)


def _is_word(name: str) -> bool:
    return name in LOCALS or name in BUILTINS or keyword.iskeyword(name)


def _given(kernel: Kernel) -> Iterable[Quantity]:
    yield from (*kernel.arguments, *(q for _, q in kernel.takes_saved), *(p.pivot for p in kernel.pivots))


def _of(kernel: Kernel) -> Iterable[Quantity]:
    yield from _given(kernel)
    for o in kernel.operations:
        yield o.left
        yield from (q for t in o.equation.terms for q in quantities(t.body))
