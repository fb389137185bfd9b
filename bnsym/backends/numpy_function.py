"""What the NumPy templates lay out of one function: its signature, its statements and what it gives back."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bnsym.backends.numpy import body
from bnsym.backends.numpy_statistics import StatisticsText, words
from bnsym.lowering.kernel import Kernel
from bnsym.model import Quantity

if TYPE_CHECKING:
    from bnsym.backends.module import Module


class FunctionText(StatisticsText):
    """One generated function."""

    def __init__(self, kernel: Kernel, module: Module):
        super().__init__(kernel, module, body(kernel, module.dims))

    @cached_property
    def read(self) -> frozenset[str]:
        """The names that the statements use: of the rest it is enough that they were checked."""
        used = words((*self.first, *self.rest))
        return frozenset(used | ({q.name for q in self.vectors} if not self.calls_forward else set()))

    @property
    def first_code(self) -> str:
        """The text of the statements that compute statistics."""
        return " ".join(s.code for s in self.first)

    def _as_result(self, q: Quantity) -> str:
        if self.per_channel:
            return f"np.broadcast_to({q.name}, shape{'[1:]' if self.sizes else ''}).astype(dtype)"
        return f"{q.name}_result" if q.axes else f"float({q.name})"
