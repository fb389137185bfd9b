"""How a definition's arrays lie: the dimensions of its axes in the canonical view, and whole arrays."""

from __future__ import annotations

from collections.abc import Iterable

from bnsym.lowering.kernel import Kernel
from bnsym.lowering.operations import is_element
from bnsym.model import Axis, Definition, Quantity, Size

DIMENSIONS = {"channels": ((0, 2), (1,)), "trailing": ((0,), (1,)), "groups": ((0,), (1,), (2,), (3,)),
              "instance": ((0,), (1,), (2,)), "elementwise": ((0,),)}  # fmt: skip
"""Dimensions of the canonical view that the data's axes take, in order; in "arrays" each axis has one."""

PER_CHANNEL = ("fold", "population", "update_running", "correction")
"""Functions of statistics and parameters alone."""


class Dimensions:
    """The dimensions of one definition's axes."""

    def __init__(self, definition: Definition):
        places = DIMENSIONS.get(definition.layout)
        axes = definition.program.inputs[0].axes if places else definition.program.axes
        self._dims = {a.name: d for a, d in zip(axes, places or tuple((n,) for n in range(len(axes))), strict=True)}

    def __call__(self, axes: Iterable[Axis]) -> tuple[int, ...]:
        """The dimensions that axes take in the canonical view; the axis of batches comes first."""
        return tuple(sorted({d for a in axes for d in self._dims.get(a.name, (0,))}))


def is_array(q: Quantity, kernel: Kernel) -> bool:
    """Whether a quantity is a whole array in a kernel, rather than one number a channel."""
    inputs = (*kernel.arguments, *(taken for _, taken in kernel.takes_saved))
    return is_element(q, inputs) and kernel.name not in PER_CHANNEL


def sizes(kernel: Kernel, dims: Dimensions) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Each size that a kernel uses, and the dimensions whose product it is."""
    found = {q for o in kernel.operations for t in o.equation.terms for q in t.body.atoms(Size)}
    return tuple((q.name, dims([q.axis])) for q in sorted(found, key=lambda q: q.name))
