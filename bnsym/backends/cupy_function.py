"""What the CuPy templates lay out of one function: what it hands to its kernels, and the arrays they write to."""

from __future__ import annotations

from bnsym.backends.signature import Signature
from bnsym.model import Quantity


class LaunchText(Signature):
    """One generated function that launches kernels."""

    @property
    def named_sizes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The sizes that it checks, or saves."""
        return self.sizes if self.name == "forward" or self.checks_count else ()

    @property
    def checks_count(self) -> bool:
        """Whether what was saved has to be of as many elements."""
        return bool(self.taken and self._module.counts and self.sizes and not self.calls_forward)

    @property
    def launched(self) -> dict[str, list[str]]:
        """What the launch is given, by kind: each in the order of the arguments, then of what was saved."""
        inputs = (*self.kernel.arguments, *(q for _, q in self.taken))
        small = [q for q in inputs if not self.is_array(q)]
        others = [q for q in self.kernel.outputs if not self.is_array(q)]
        return {
            "arrays": [f"saved.{q.name}" if q in self.taken_arrays else q.name for q in inputs if self.is_array(q)],
            "vectors": [q.name for q in small if q.axes],
            "numbers": [q.name for q in small if not q.axes],
            "outputs": [self._as_result(q) for q in self.array_outputs],
            "results": [*map(self._as_result, others), *(q.name for q in self.kept)],
        }

    @property
    def kept(self) -> tuple[Quantity, ...]:
        """What is saved beside the results."""
        return tuple(q for q in self.kernel.gives_saved if q not in self.kernel.outputs)

    @property
    def uses_kept(self) -> bool:
        """Whether a result is returned in the statistics' dtype."""
        return super().uses_kept or any(not q.axes for q in self.kernel.outputs)

    def _as_result(self, q: Quantity) -> str:
        return f"{q.name}_result"
