"""Which arrays a mask of zeros and ones makes of no consequence where it is 0: what they hold there may be anything."""

from __future__ import annotations

from dataclasses import replace

from bnsym.calculus.derive import Derivation
from bnsym.calculus.equality import same_outputs
from bnsym.lowering.kernel import Kernel
from bnsym.model import Program, Quantity


def masked(derivation: Derivation, kernel: Kernel) -> Kernel:
    """The kernel with the arrays that may be read through its mask: with mask * x for x its results are the same."""
    mask = next((q for q in kernel.arguments if q.role == "mask"), None)
    if mask is None or derivation.definition.premises:
        return kernel
    arrays = [q for q in kernel.arguments if q.role in ("data", "gradient") and q.axes == mask.axes]
    return replace(kernel, masked=tuple(q for q in arrays if _is_masked(kernel.program, q, mask)))


def _is_masked(program: Program, q: Quantity, mask: Quantity) -> bool:
    equations = tuple(e.replace({q: mask * q}) for e in program.equations)
    other = Program(program.inputs, equations, program.outputs)
    return all(p.holds for p in same_outputs(program, other))
