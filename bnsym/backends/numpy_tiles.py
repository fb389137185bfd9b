"""How a NumPy function takes its arrays in tiles: along which dimension, and what becomes of each tile's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import sympy

from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.model import Quantity

if TYPE_CHECKING:
    from bnsym.backends.layout import Dimensions
    from bnsym.backends.module import Module

AXES = {"channels": 1, "trailing": 0, "groups": 0, "instance": 0, "elementwise": 0}
"""The dimension of the canonical view that is cut, by layout: no statistic is taken over it."""


@dataclass(frozen=True)
class Number:
    """What a tile gives beside arrays: along the tiles at `place`, or, where there is none, a share of a sum."""

    name: str
    place: int | None


class Tiles:
    """The tiles of one function."""

    def __init__(self, kernel: Kernel, module: Module):
        self.kernel, self.dims = kernel, module.dims
        self.axis = AXES.get(module.layout)
        self.possible = self.axis is not None and all(map(self._adds_up, kernel.operations))

    def _adds_up(self, o: Operation) -> bool:
        """Whether an operation on a tile's share of sums gives a share of what it gives on the sums."""
        terms = o.equation.terms
        if any(t.axes and self.axis in self.dims(t.axes) for t in terms):
            return o.kind is Kind.REDUCE and all(self.axis in self.dims(t.axes) and not t.largest for t in terms)
        shared = [q for q in o.equation.inputs if q in self._shared]
        if not shared:
            return True
        right = sympy.expand(o.equation.right)
        return bool(right.subs(dict.fromkeys(shared, 0)) == 0) and all(
            right.diff(q).free_symbols.isdisjoint(shared) for q in shared
        )

    @cached_property
    def _shared(self) -> frozenset[Quantity]:
        """What is summed over the tiles, and what is computed of such sums."""
        found: set[Quantity] = set()
        for o in self.kernel.operations:
            over = any(t.axes and self.axis in self.dims(t.axes) for t in o.equation.terms)
            if over or not found.isdisjoint(o.equation.inputs):
                found.add(o.left)
        return frozenset(found)

    def number(self, q: Quantity) -> Number:
        """What becomes of a tile's numbers."""
        return Number(q.name, self.place(q))

    def place(self, q: Quantity) -> int | None:
        """Which of a quantity's dimensions the tiles cut, if any."""
        dims = self._own(q, self.dims)
        return dims.index(self.axis) if self.axis in dims else None

    @staticmethod
    def _own(q: Quantity, dims: Dimensions) -> tuple[int, ...]:
        return dims(q.axes) if q.axes else ()

    def cut(self, q: Quantity) -> str:
        """The index that takes a tile out of a quantity's array."""
        place = self.place(q)
        return "" if place is None else f"[{':, ' * place}_k]"
