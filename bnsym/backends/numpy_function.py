"""What the NumPy templates lay out of one function: its signature, its statements and what it gives back."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bnsym.backends.arguments import Arguments
from bnsym.backends.numpy import body
from bnsym.backends.numpy_parts import Sweep, Sweeps, sweeps
from bnsym.backends.numpy_statistics import StatisticsText, words
from bnsym.backends.numpy_tiles import Number, Tiles
from bnsym.lowering.kernel import Kernel
from bnsym.model import Axis, Quantity

if TYPE_CHECKING:
    from bnsym.backends.module import Module


class FunctionText(StatisticsText):
    """One generated function."""

    def __init__(self, kernel: Kernel, module: Module):
        self.tiles = Tiles(kernel, module)
        self.is_tiled = module.tiled and self.tiles.axis is not None
        roomy = frozenset(module.definition.program.inputs[0].axes if self.is_tiled else ())
        data = Arguments(kernel, module).reference if roomy and module.layout == "channels" else ""
        made = body(kernel, module.dims, roomy, data)
        super().__init__(kernel, module, made)
        self.rooms = made.rooms
        self.parts = self._in_parts(roomy, data)
        if self.is_tiled:  # a result that is 0 is no tile's
            zeros = {q.name for q in kernel.outputs if self.is_zero(q) and not self.is_array(q)}
            self.rest = tuple(s for s in self.rest if s.target not in zeros)

    @cached_property
    def read(self) -> frozenset[str]:
        """The names that the statements use: of the rest it is enough that they were checked."""
        used = words((*self.first, *self.rest))
        return frozenset(used | ({q.name for q in self.vectors} if not self.calls_forward else set()))

    def _in_parts(self, roomy: frozenset[Axis], data: str) -> Sweeps | None:
        """The sweeps over channels that no cache holds: the step of a training loop has them."""
        if self.name not in ("forward", "backward") or not data or self.mask:
            return None
        if any(t.largest for o in self.kernel.operations for t in o.equation.terms):
            return None  # parts are added up
        made = sweeps(self.kernel, self.kernel.operations, self._module.dims, roomy, data)
        saved = [q.name for q in self.kernel.gives_saved]
        looked_at = not self.first or any(made.gives(s, saved) for s in made.sweeps)
        return made if made.are_cheap and looked_at else None

    @property
    def taken_in_parts(self) -> list[tuple[str, str]]:
        """What is handed to the function that goes over parts: arrays by other names, since their parts have these."""
        wide = {q.name for q in (*self.arrays, *self.array_outputs)}
        return [(f"all_{name}" if name in wide else name, type) for name, type in self.taken_by_tile]

    def parts_of(self, sweep: Sweep) -> tuple[list[str], list[str]]:
        """The arrays that a sweep reads, and those that it writes."""
        used = words(sweep.statements)
        return [q.name for q in self.arrays if q.name in used], [q.name for q in self.array_outputs if q.name in used]

    @property
    def numbers_in_parts(self) -> list[str]:
        """What the function that goes over parts gives back."""
        return [q.name for q in self._narrow]

    def settles(self, sweep: Sweep) -> bool:
        """Whether the statistics are known after a sweep."""
        saved = [q.name for q in self.kernel.gives_saved]
        return self.parts is not None and bool(self.first) and self.parts.gives(sweep, saved)

    @property
    def taken_by_tile(self) -> list[tuple[str, str]]:
        """What is handed to the function of one tile, with its type."""
        used = words((*self.first, *self.rest)) | ({self.mask} if self.masked or self.mask in self.read else set())
        arrays = (*self.arrays, *self.vectors, *(q for _, q in self.taken), *self.array_outputs)
        found = [(q.name, "Array") for q in arrays if q.name in used]
        numbers = (*(c.name for c in self.constants), *(n for n, _ in self.sizes))
        return found + [(name, "Any") for name in numbers if name in used]

    def cut(self, name: str) -> str:
        """The index that takes a tile out of what has this name."""
        given = (*self.arrays, *self.vectors, *(q for _, q in self.taken), *self.array_outputs)
        return next((self.tiles.cut(q) for q in given if q.name == name), "")

    @property
    def numbers(self) -> list[Number]:
        """What a tile gives beside its arrays."""
        return [self.tiles.number(q) for q in self._narrow]

    @property
    def kept_numbers(self) -> list[str]:
        """The same by their names in the function of a tile: what is saved may be in other units than what is used."""
        return [f"{q.name}_kept" if self.first and q in self.kernel.gives_saved else q.name for q in self._narrow]

    @property
    def given_by_tile(self) -> str:
        """The type of that."""
        return "None" if not self._narrow else "Array" if len(self._narrow) == 1 else "tuple[Array, ...]"

    @property
    def _narrow(self) -> list[Quantity]:
        found = (*self.kernel.gives_saved, *self.kernel.outputs)
        return [q for q in found if not self.is_array(q) and not self.is_zero(q)]

    @property
    def first_code(self) -> str:
        """The text of the statements that compute statistics."""
        return " ".join(s.code for s in self.first)

    def _as_result(self, q: Quantity) -> str:
        if self.per_channel:
            return f"np.broadcast_to({q.name}, shape{'[1:]' if self.sizes else ''}).astype(dtype)"
        return f"{q.name}_result" if q.axes else f"float({q.name})"
