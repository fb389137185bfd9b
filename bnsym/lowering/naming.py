"""One name, one quantity: what lowering invents may not bear the name of something in the definition."""

from __future__ import annotations

from collections.abc import Iterable

from bnsym.checks import DefinitionError
from bnsym.lowering.kernel import Kernel
from bnsym.model import Definition, Quantity, quantities


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


def _of(kernel: Kernel) -> Iterable[Quantity]:
    yield from (*kernel.arguments, *(q for _, q in kernel.takes_saved))
    for o in kernel.operations:
        yield o.left
        yield from (q for t in o.equation.terms for q in quantities(t.body))
