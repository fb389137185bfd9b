"""What the Numba templates lay out of one function: what it hands to compiled ones, and the arrays they write to."""

from __future__ import annotations

from bnsym.backends.cupy_function import LaunchText
from bnsym.backends.numpy_function import FunctionText
from bnsym.model import Quantity


class CallText(LaunchText):
    """One generated function that calls compiled ones."""

    is_called = True
    moments: tuple[()] = ()  # which NumPy would take in statements

    def _as_result(self, q: Quantity) -> str:
        return f"{q.name}_result" if q.axes else f"float({q.name}_result)"

    @property
    def launched(self) -> dict[str, list[str]]:
        """What the call is given, by kind."""
        others = [f"{q.name}_result" for q in self.kernel.outputs if not self.is_array(q)]
        return super().launched | {
            "outputs": [f"{q.name}_result" for q in self.array_outputs],
            "results": [*others, *(q.name for q in self.kept)],
        }


class WholeText(FunctionText):
    """One generated function of whole arrays, or of statistics and parameters alone, as NumPy has it."""

    is_called = False
