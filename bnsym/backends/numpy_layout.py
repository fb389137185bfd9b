"""How a definition's arrays lie: the dimensions that its axes take in the canonical view, and what a function is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bnsym.backends.statements import Statement
from bnsym.lowering.kernel import Kernel
from bnsym.model import Axis, Definition, Quantity

DIMENSIONS = {"channels": ((0, 2), (1,)), "trailing": ((0,), (1,)), "groups": ((0,), (1,), (2,), (3,)),
              "instance": ((0,), (1,), (2,)), "elementwise": ((0,),)}  # fmt: skip
"""Dimensions of the canonical view that the data's axes take, in order; in "arrays" each axis has one."""

PER_CHANNEL = ("fold", "population", "update_running", "correction")
"""Functions of statistics and parameters alone."""


@dataclass(frozen=True)
class Function:
    """One generated function, as the template needs it.

    `first` computes the statistics, `rest` the rest, where forward must look at the statistics before it goes on.
    """

    kernel: Kernel
    first: tuple[Statement, ...]
    rest: tuple[Statement, ...]
    sizes: tuple[tuple[str, tuple[int, ...]], ...]
    arrays: tuple[Quantity, ...]
    vectors: tuple[Quantity, ...]
    constants: tuple[Quantity, ...]
    array_outputs: tuple[Quantity, ...]
    live: tuple[str, ...]
    is_array: Callable[[Quantity], bool]

    @property
    def name(self) -> str:
        """Its name."""
        return self.kernel.name


class Dimensions:
    """The dimensions of one definition's axes."""

    def __init__(self, definition: Definition):
        places = DIMENSIONS.get(definition.layout)
        axes = definition.program.inputs[0].axes if places else definition.program.axes
        self._dims = {a.name: d for a, d in zip(axes, places or tuple((n,) for n in range(len(axes))), strict=True)}

    def __call__(self, axes: Iterable[Axis]) -> tuple[int, ...]:
        """The dimensions that axes take in the canonical view; the axis of batches comes first."""
        return tuple(sorted({d for a in axes for d in self._dims.get(a.name, (0,))}))
