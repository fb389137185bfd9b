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
    arrays = tuple(q for q in kernel.arguments if q.role in ("data", "gradient") and q.axes == mask.axes)
    if _are_masked(kernel.program, arrays, mask):
        return replace(kernel, masked=arrays)
    return replace(kernel, masked=tuple(q for q in arrays if _are_masked(kernel.program, (q,), mask)))


def _are_masked(program: Program, arrays: tuple[Quantity, ...], mask: Quantity) -> bool:
    equations = tuple(e.replace({q: mask * q for q in arrays}) for e in program.equations)
    other = Program(program.inputs, equations, program.outputs)
    return all(p.holds for p in same_outputs(program, other))
