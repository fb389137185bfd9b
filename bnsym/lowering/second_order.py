"""What the double backward is proved against: the closed backward, whose equality with the chain rule's is proved.

It is a tenth of the chain rule's program, so that SymPy can differentiate it in reasonable time. The derivative of the
backward along tangents is then proved to be the double backward's transpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from bnsym.calculus.derive import Derivation
from bnsym.calculus.routes.case import Case, size_names
from bnsym.lowering.kernel import Kernel
from bnsym.model import Equation, Program


def cases(derivation: Derivation, kernels: dict[str, Kernel]) -> Iterator[Case]:
    """The double backward, of the closed backward.

    Where something is held, of the chain rule's own: the closed one has used what it stands for, and sum(x - mean) = 0
    has another derivative where the mean is held.
    """
    premises, sizes = derivation.definition.premises, size_names(derivation.forward)
    held = any(e.held for e in derivation.forward.equations)
    closed = derivation.backward.program if held else closed_backward(derivation, kernels)
    yield Case("double_backward", closed, derivation.double_backward, premises, sizes, order=2)


def closed_backward(derivation: Derivation, kernels: dict[str, Kernel]) -> Program:
    """The backward kernel as a program of the data, what it takes from `saved` computed first."""
    chain, kernel = derivation.backward.program, kernels["backward"]
    before: dict[str, Equation] = {}
    for e in (*derivation.forward.equations, *(o.equation for o in kernels["forward"].operations)):
        if e.left.role in ("statistic", "count", "value") and not _is_pivoted(e, kernels["forward"]):
            before.setdefault(e.left.name, e)
    equations = (*before.values(), *(o.equation for o in kernel.operations if o.left.name not in before))
    needed = Program(chain.inputs, equations, chain.outputs).needed(chain.outputs)
    return Program(chain.inputs, needed.equations, chain.outputs)


def _is_pivoted(e: Equation, forward: Kernel) -> bool:
    return any(p.pivot in e.inputs or e.left == p.offset for p in forward.pivots)
