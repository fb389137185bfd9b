"""Where a number of a channel, a row or an element lies: indices in the canonical view of one sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bnsym.checks import DefinitionError
from bnsym.model import Axis, Quantity


class Places:
    """A sweep's view: dimensions it sums over, then those it keeps, then again those it sums over.

    The kernels know a position as `o`, `k` and `i`: its run among the first, its channel, and its place among the last.
    """

    def __init__(
        self, dims: Callable[[Iterable[Axis]], tuple[int, ...]], over: tuple[Axis, ...], kept: tuple[Axis, ...]
    ):
        self._dims = dims
        summed, channel = set(dims(over)), list(dims(kept))
        first, last = (channel[0], channel[-1]) if channel else (max(summed, default=-1) + 1,) * 2
        self.outer = [d for d in sorted(summed) if d < first] if channel else []
        self.kept = channel
        self.inner = [d for d in sorted(summed) if d > last] if channel else sorted(summed)
        if len(self.outer) + len(self.inner) != len(summed):
            raise DefinitionError(
                f"the CUDA kernels have no view in which {', '.join(map(str, over))} can be summed over"
            )

    def level(self, q: Quantity) -> str:
        """What a quantity is one number of: "channel", "row" (a run) or "element"."""
        dims = set(self._dims(q.axes))
        if dims <= set(self.kept):
            return "channel"
        return "row" if dims <= set(self.outer) else "element"

    def index(self, q: Quantity) -> str:
        """Where in its own array a quantity's number lies."""
        dims = list(self._dims(q.axes))
        for name, group in (("o", self.outer), ("k", self.kept), ("i", self.inner)):
            if dims == group:
                return name if group else "0"
        text = ""
        for d in dims:
            own = self._coordinate(d)
            text = f"({text}) * {self.length(d)} + {own}" if text else own
        return text

    def _coordinate(self, d: int) -> str:
        name, group = next((n, g) for n, g in (("o", self.outer), ("k", self.kept), ("i", self.inner)) if d in g)
        later = group[group.index(d) + 1 :]
        found = self.quotient(name, self.size(later)) if later else name
        return self.rest(found, self.length(d)) if group[0] != d else found

    def size_of(self, axis: Axis) -> str:
        """How long an axis is."""
        return " * ".join(map(self.length, self._dims([axis]))) or "1"

    def size(self, group: list[int]) -> str:
        """How many positions a group of dimensions has."""
        factors = [self.length(d) for d in group]
        return factors[0] if len(factors) == 1 else f"({' * '.join(factors)})" if factors else "1"

    def length(self, d: int) -> str:
        """How long a dimension is."""
        return f"a.n[{d}]"

    def quotient(self, n: str, d: str) -> str:
        """A whole number divided by another."""
        return f"quotient({n}, {d})"

    def rest(self, n: str, d: str) -> str:
        """What a division leaves."""
        return f"rest({n}, {d})"
