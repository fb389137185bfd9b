"""What a plan of the Numba backend hands to a compiled call that is made again."""

from __future__ import annotations

from bnsym.backends.cupy_function import LaunchText
from bnsym.backends.plans import PlanText


class NumbaPlan(PlanText):
    """A module's plan. With a mask there is more to check than a call that is made again would."""

    def __init__(self, forward: LaunchText, backward: LaunchText):
        super().__init__(forward, backward)
        self._launched = {"forward": forward, "backward": backward}

    @property
    def replayed_forward(self) -> str:
        """The arrays that a later call of forward has in the place of those of the first."""
        return self._replayed(self._launched["forward"], [name for name, _ in self.forward])

    @property
    def replayed_backward(self) -> str:
        """The same of backward: those it is given, and those that forward was."""
        return self._replayed(self._launched["backward"], [name for name, _ in self.backward])

    def _replayed(self, function: LaunchText, own: list[str]) -> str:
        if function.mask or function.taken_arrays:
            return "(), []"
        launched = function.launched
        names = [*launched["arrays"], *launched["vectors"]]
        known = {
            n: name if name in own else f'self._given["{name}"]'
            for n, name in enumerate(names)
            if name in own or name in self.kept
        }
        places = ", ".join(map(str, known)) + "," * (len(known) == 1)
        return f"({places}), [{', '.join(known.values())}]"
