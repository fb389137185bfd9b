"""The lines of the generated NumPy kernels, by the equation that they came from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from bnsym.backends.numpy_module import NumpyModule
from bnsym.backends.statements import Statement
from bnsym.lowering.kernel import Kernel
from bnsym.model import Axis, Definition, Quantity
from bnsym.render import environment


class Listings:
    """What the NumPy backend prints of each operation, as it stands in the generated module."""

    def __init__(self, definition: Definition, kernels: Mapping[str, Kernel]):
        self._kernels = kernels
        self._module = NumpyModule(definition, dict(kernels), ())

    def of(self, name: str, shown: Iterable[Quantity]) -> dict[Quantity, str]:
        """For each quantity that a kernel's account shows, its lines, and before them those that only serve it."""
        wanted, found = set(shown), {}
        function = next(f for f in self._module.functions if f.name == name)
        statements: tuple[Statement, ...] = (*function.first, *function.rest)
        pending: list[str] = []
        for operation in self._kernels[name].operations:
            pending.append(operation.left.name)
            if operation.left in wanted:
                found[operation.left] = self._text([s for s in statements if s.of in pending])
                pending = []
        return {q: text for q, text in found.items() if text}

    def dimensions(self, q: Quantity, axis: Axis) -> tuple[int, ...]:
        """The dimensions of an array that an axis takes in the code."""
        every = self._module.dims(q.axes)
        return tuple(every.index(d) for d in self._module.dims((axis,)))

    def _text(self, statements: list[Statement]) -> str:
        template = environment().get_template("report/code.j2")
        text = template.render(statements=statements, module=self._module, xp=self._module.library.name)
        return textwrap.dedent(text).strip("\n")
