"""What templates lay out of a module, whatever array library it computes with: what it saves, and says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bnsym
from bnsym.backends.layout import Dimensions
from bnsym.backends.library import Library
from bnsym.backends.numpy_printer import readable
from bnsym.backends.signature import Signature
from bnsym.lowering.kernel import Kernel
from bnsym.model import Definition, Proof

OF = {"channels": "channel", "trailing": "row", "groups": "group of channels", "instance": "group of channels"}
"""What statistics are saved of, by layout: to instance norm each channel of an example is a group."""


class Module:
    """One generated module; a backend adds its functions."""

    library: Library
    functions: Sequence[Signature]
    tiled = False  # whether functions of whole arrays take these in tiles
    owns_results = False  # whether a plan hands its own results to the functions, which look at them less closely
    launches = False  # whether functions hand their arrays to kernels in a file beside the module
    beside: Any = None  # what the template of that file lays out

    @property
    def empty(self) -> str:
        """What gives an array to write to."""
        return "_empty" if self.launches else f"{self.library.name}.empty"

    def __init__(self, definition: Definition, kernels: dict[str, Kernel], proofs: Sequence[Proof]):
        self.proofs = proofs
        self.definition, self.dims = definition, Dimensions(definition)
        self.saved = kernels["forward"].gives_saved
        self.layout, self.source = definition.layout, _quotable(definition.source)
        self.title = _quotable(definition.doc.splitlines()[0].rstrip(".") if definition.doc else definition.name)
        self.name, self.version = definition.name, bnsym.__version__
        self.has_counts = any(q.role == "count" for q in self.saved)
        self.counts = any(q.role == "statistic" for q in self.saved) and not self.has_counts
        self.data = definition.program.inputs[0].name
        self.axes = [
            a.name for a in (definition.program.axes if self.layout == "arrays" else definition.program.inputs[0].axes)
        ]
        self.equations = [f"{e.left.name} = {readable(e.right)}" for e in definition.program.equations]
        self.exports = sorted([*(["Saved"] if self.saved else []), *kernels])

    @property
    def forward(self) -> Signature:
        """The function that the others follow."""
        return self.functions[0]

    @property
    def meaning(self) -> str:
        """What is saved, and of what: where two definitions mean the same, each takes what the other saves."""
        made = {e.left: readable(e.right) for e in self.definition.program.equations}
        names = [q.name for q in self.saved] + ["count"] * self.counts
        if self.layout in OF:
            return f"{', '.join(names)} of each {OF[self.layout]}"
        return ", ".join(f"{q.name} = {made[q]}" if q in made else q.name for q in self.saved)


def _quotable(text: str) -> str:
    """A user's text that may stand in a docstring."""
    return " ".join(text.replace("\\", "\\\\").replace('"', "'").split())
