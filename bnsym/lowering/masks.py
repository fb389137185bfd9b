"""Which arrays a mask of zeros and ones makes of no consequence where it is 0: what they hold there may be anything."""

from __future__ import annotations

from dataclasses import replace

from bnsym.calculus.derive import Derivation
from bnsym.calculus.equality import same_outputs
from bnsym.lowering.kernel import Kernel
from bnsym.model import Program, Quantity


def masked(derivation: Derivation, kernel: Kernel) -> Kernel:
    """The kernel with the arrays that may be read through its mask: with mask * x for x its results are the same.

    A kernel that calls forward hands the arrays on, so that forward's results have to be the same too. Of several masks
    none is read through: each leaves other positions.
    """
    masks = [q for q in derivation.forward.inputs if q.role == "mask"]
    if len(masks) != 1 or masks[0] not in kernel.arguments or derivation.definition.premises:
        return kernel
    (mask,) = masks
    arrays = tuple(q for q in kernel.arguments if q.role in ("data", "gradient") and q.axes == mask.axes)
    if kernel.after_forward:
        forward = _with_saved(derivation)
        given = tuple(q for q in arrays if q in forward.inputs)
        kept = _those_masked(forward, given, mask)
        arrays = tuple(q for q in arrays if q not in given or q in kept)
    return replace(kernel, masked=_those_masked(kernel.program, arrays, mask))


def _with_saved(derivation: Derivation) -> Program:
    """Forward and what it saves."""
    program = derivation.forward
    saved = tuple(q for q in derivation.definition.saved if q not in program.outputs)
    return replace(program, outputs=(*program.outputs, *saved))


def _those_masked(program: Program, arrays: tuple[Quantity, ...], mask: Quantity) -> tuple[Quantity, ...]:
    """All of them at once, where it holds, for that is one question."""
    if _are_masked(program, arrays, mask):
        return arrays
    return tuple(q for q in arrays if _are_masked(program, (q,), mask))


def _are_masked(program: Program, arrays: tuple[Quantity, ...], mask: Quantity) -> bool:
    equations = tuple(e.replace({q: mask * q for q in arrays}) for e in program.equations)
    other = Program(program.inputs, equations, program.outputs)
    return all(p.holds for p in same_outputs(program, other))
