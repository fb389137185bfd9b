"""Where a number of a channel, a run or an element lies, and what the loops of a sweep have in common."""

from __future__ import annotations

import re

from bnsym.backends.cuda_places import Places
from bnsym.model import Quantity


class NumbaPlaces(Places):
    """The same view in Python. A run is what lies side by side: along the last dimension alone."""

    def length(self, d: int) -> str:
        """How long a dimension is."""
        return f"shape[{d}]"

    def quotient(self, n: str, d: str) -> str:
        """A whole number divided by another."""
        return f"{n} // {d}" if " " not in n else f"({n}) // {d}"

    def rest(self, n: str, d: str) -> str:
        """What a division leaves."""
        return f"{n} % {d}" if " " not in n else f"({n}) % {d}"

    @property
    def run(self) -> str:
        """How long a run is."""
        return self.length(self.inner[-1]) if self.inner else "1"

    @property
    def runs(self) -> str:
        """How many runs a channel has in each of its outer positions."""
        return self.size(self.inner[:-1])

    def along(self, q: Quantity) -> str:
        """What a quantity is one number of where loops go along channels: "channel", "run" or "element"."""
        dims = set(self._dims(q.axes))
        if dims <= set(self.kept):
            return "channel"
        return "element" if self.inner and self.inner[-1] in dims else "run"

    def index(self, q: Quantity) -> str:
        """Where in its own array a quantity's number lies; of an element of a run, which is j after the one at `i`."""
        text = super().index(q)
        if not self.inner or self.inner[-1] not in self._dims(q.axes):
            return text
        later = re.sub(r"\bi\b", "i + j", text)
        return f"np.uintp({later})"
