"""What a generated function takes, whatever array library it computes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bnsym.backends.layout import PER_CHANNEL, is_array, sizes
from bnsym.checks import DefinitionError
from bnsym.lowering.kernel import Kernel
from bnsym.model import Quantity

if TYPE_CHECKING:
    from bnsym.backends.module import Module


@dataclass(frozen=True)
class Parameter:
    """One parameter of a generated function."""

    name: str
    type: str
    default: str = ""


class Arguments:
    """What one generated function takes: its parameters, and the arrays and numbers among them."""

    def __init__(self, kernel: Kernel, module: Module):
        self._module, self.kernel, self.name = module, kernel, kernel.name
        others = [q for q in kernel.arguments if not is_array(q, kernel)]
        self.arrays = tuple(q for q in kernel.arguments if is_array(q, kernel))
        self.vectors = tuple(q for q in others if q.role != "constant")
        self.constants = tuple(q for q in others if q.role == "constant")
        self.array_outputs = tuple(q for q in kernel.outputs if is_array(q, kernel))
        self.sizes = sizes(kernel, module.dims)
        self.per_channel = kernel.name in PER_CHANNEL
        self.calls_forward = kernel.after_forward
        self.taken = kernel.takes_saved
        self.taken_arrays = tuple(q for _, q in self.taken if self.is_array(q))
        self.taken_counts = tuple(q for _, q in self.taken if q.role == "count" and not self.calls_forward)
        self.count = " * ".join(name for name, _ in self.sizes)
        self.mask = next((q.name for q in self.arrays if q.role == "mask" and module.layout != "arrays"), "")
        self.masked = kernel.masked

    def is_array(self, q: Quantity) -> bool:
        """Whether a quantity has the data's shape here."""
        return is_array(q, self.kernel)

    @property
    def named_sizes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The sizes that the text of the function names."""
        return self.sizes

    def may_be_none(self, q: Quantity) -> bool:
        """Whether an argument may be omitted: a parameter with a neutral value, or a tangent, which is then zero."""
        return q.absent is not None or q in self.kernel.optional

    def absent(self, q: Quantity) -> int | None:
        """What an omitted argument stands for."""
        return 0 if q in self.kernel.optional else q.absent

    @property
    def reference(self) -> str:
        """The array whose shape and dtype the others follow."""
        module_is_arrays = self._module.layout == "arrays"
        arrays = [
            q.name
            for q in (*self.arrays, *self.taken_arrays)
            if not self.may_be_none(q) and (q.role != "mask" or module_is_arrays)
        ]
        names = arrays or [q.name for q in self.vectors if not self.may_be_none(q)]
        first = self._module.definition.program.inputs[0].name
        if not names:
            raise DefinitionError(f"{self._module.definition.name}: what {self.name} computes depends on no array")
        return first if first in names else names[0]

    @property
    def reference_ndim(self) -> int:
        """How many axes that array has."""
        return next(len(q.axes) for q in self.kernel.arguments if q.name == self.reference)

    @property
    def positional(self) -> list[Parameter]:
        """Arrays and parameters in order, then `saved`, then numbers that have no default."""
        given = [q for q in self.kernel.arguments if q.role != "constant"]
        found = [Parameter(q.name, ("Array" if q.axes else "float") + " | None" * self.may_be_none(q)) for q in given]
        saved = [Parameter("saved", "Saved")] * bool(self.taken and not self.calls_forward)
        found = [*saved, *found] if self.name == "correction" else [*found, *saved]
        counts = [Parameter(q.name, "Array" if q.axes else "int") for q in self.constants if q.name == "count"]
        required = [Parameter(q.name, "float") for q in self.constants if q.name != "count" and q.default is None]
        groups = [Parameter("num_groups", "int")] * bool(self._module.layout == "groups" and not self._has_groups)
        return [*found, *counts, *required, *groups]

    @property
    def _has_groups(self) -> bool:
        """Whether the number of groups is told by what forward saved."""
        return self.per_channel or bool(self.taken and not self.calls_forward)

    @property
    def keywords(self) -> list[Parameter]:
        """Constants with a default, how the arrays lie, and `out`."""
        found = [Parameter(q.name, "float", repr(q.default)) for q in self.constants if q.default is not None]
        if self.per_channel:
            return found
        if self._module.layout == "channels":
            found.append(Parameter("channel_axis", "int", "1"))
        if self._module.layout == "trailing":
            found.append(Parameter("normalized_ndim", "int | None", "None"))
        if self.takes_out:
            several = len(self.kernel.outputs) > 1
            found.append(Parameter("out", f"Array | {'tuple[Array | None, ...] | ' if several else ''}None", "None"))
        if self._module.library.threads and self._module.layout != "arrays":
            found.append(Parameter("threads", "int | None", "None"))
        return found

    @property
    def takes_out(self) -> bool:
        """Whether results can be written into given arrays."""
        return not self.per_channel and not self.kernel.optional and any(q.axes for q in self.kernel.outputs)

    @property
    def call_of_forward(self) -> str:
        """Forward called with what this function was given."""
        forward = self._module.forward
        keywords = [p.name for p in forward.keywords if p.name != "out"]
        return ", ".join([*(p.name for p in forward.positional), *(f"{name}={name}" for name in keywords)])

    @property
    def given(self) -> list[str]:
        """Every array of the call, none of which a result may overlap."""
        names = [q.name for q in (*self.arrays, *self.vectors) if q.axes]
        kept = len(self._module.saved)
        return names + [f"*saved[:{kept}]"] * bool(self.taken)

    @property
    def trailing(self) -> str:
        """Parameters over the trailing axes, any of which says how many there are; and what was saved says so too."""
        feature = self._module.axes[-1]
        names = [q.name for q in self.vectors if [a.name for a in q.axes] == [feature]]
        return "".join(f", {name}={name}" for name in names)

    @property
    def saved_statistic(self) -> str:
        """A statistic that is taken from `saved`: its shape tells how the data lie."""
        if self.calls_forward:
            return ""
        return next((field for field, q in self.taken if not self.is_array(q)), "")

    @property
    def reduced(self) -> tuple[int, ...]:
        """The dimensions that the statistics are taken over."""
        statistic = next(q for q in self.kernel.gives_saved)
        reference = self._module.definition.program.inputs[0]
        return self._module.dims(a for a in reference.axes if a not in statistic.axes)

    @property
    def filled(self) -> tuple[int, ...]:
        """The dimensions, beside those of its sizes, along which there must be something: for a maximum, or a count."""
        sized = {d for _, dims in self.sizes for d in dims}
        axes = [a for o in self.kernel.operations for t in o.equation.terms if t.largest for a in t.axes]
        counted = self.reduced if self._module.has_counts else ()
        return tuple(sorted({*self._module.dims(axes), *counted} - sized))
