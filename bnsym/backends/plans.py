"""What a plan's methods take: forward's arguments, and of backward's the gradients and parameters."""

from __future__ import annotations

from bnsym.backends.arguments import Parameter
from bnsym.backends.signature import Signature


class PlanText:
    """A module's plan."""

    def __init__(self, forward: Signature, backward: Signature):
        self._forward, self._backward = forward, backward

    @property
    def required(self) -> list[Parameter]:
        """What forward is told of the layout without a default."""
        return [p for p in self._forward.positional if p.name == "num_groups"]

    @property
    def settings(self) -> list[Parameter]:
        """Forward's constants, and how its arrays lie."""
        return [p for p in self._forward.keywords if p.name != "out"]

    @property
    def forward(self) -> list[tuple[str, str]]:
        """The arguments of the plan's forward, with their types."""
        return [(p.name, p.type) for p in self._forward.positional if p.name != "num_groups"]

    @property
    def backward(self) -> list[tuple[str, str]]:
        """The arguments of the plan's backward: forward's data are not given again."""
        given = {q.name for q in self._backward.kernel.arguments if q.role in ("gradient", "parameter")}
        return [(p.name, p.type) for p in self._backward.positional if p.name in given]

    @property
    def kept(self) -> list[str]:
        """What forward was given and backward takes again."""
        own = {name for name, _ in self.backward}
        taken = {p.name for p in self._backward.positional}
        return [name for name, _ in self.forward if name in taken - own] or [self.forward[0][0]]

    @property
    def arguments_of_backward(self) -> list[str]:
        """What backward is called with: what was given, what forward was given, and what it saved."""
        own = {name for name, _ in self.backward}
        values = [
            p.name if p.name in own else "self._saved" if p.name == "saved" else f'self._given["{p.name}"]'
            for p in self._backward.positional
        ]
        layout = [p.name for p in self._backward.keywords if p.name != "out"]
        return [*values, *(f'{name}=self._settings["{name}"]' for name in layout)]
