"""What the NumPy templates lay out of one function: its parameters, its views and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bnsym.backends.numpy_docs import describe, summary
from bnsym.backends.numpy_layout import PER_CHANNEL, Function
from bnsym.backends.numpy_statistics import StatisticsText, words
from bnsym.checks import DefinitionError
from bnsym.model import Quantity

if TYPE_CHECKING:
    from bnsym.backends.numpy_module import Module


DERIVED = ("d{}", "g_{}", "td{}")
"""What the gradients of a parameter are called."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a generated function."""

    name: str
    type: str
    default: str = ""


class FunctionText(StatisticsText):
    """One generated function."""

    def __init__(self, function: Function, module: Module):
        super().__init__(function, module)
        self._function, self.name = function, function.name
        self.array_outputs = function.array_outputs
        self.per_channel = function.name in PER_CHANNEL
        self.calls_forward = function.kernel.after_forward
        self.taken = function.kernel.takes_saved
        self.taken_arrays = tuple(q for _, q in self.taken if self.is_array(q))
        self.taken_counts = tuple(q for _, q in self.taken if q.role == "count" and not self.calls_forward)
        self.count = " * ".join(name for name, _ in self.sizes)
        self.mask = next((q.name for q in self.arrays if q.role == "mask" and module.layout != "arrays"), "")
        self.masked = function.kernel.masked

    def is_array(self, q: Quantity) -> bool:
        """Whether a quantity has the data's shape here."""
        return not self.per_channel and self._function.is_array(q)

    def may_be_none(self, q: Quantity) -> bool:
        """Whether an argument may be omitted: a parameter with a neutral value, or a tangent, which is then zero."""
        return q.absent is not None or q in self.kernel.optional

    def absent(self, q: Quantity) -> int | None:
        """What an omitted argument stands for."""
        return 0 if q in self.kernel.optional else q.absent

    def is_zero(self, q: Quantity) -> bool:
        """Whether a result is zero whatever the arguments are."""
        return any(o.left == q and o.equation.right == 0 for o in self.kernel.operations)

    @cached_property
    def read(self) -> frozenset[str]:
        """The names that the statements use: of the rest it is enough that they were checked."""
        used = words((*self.first, *self.rest))
        return frozenset(used | ({q.name for q in self.vectors} if not self.calls_forward else set()))

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
        return found

    @property
    def takes_out(self) -> bool:
        """Whether results can be written into given arrays."""
        return bool(self.results) and not self.kernel.optional

    @property
    def call_of_forward(self) -> str:
        """Forward called with what this function was given."""
        forward = self._module.forward
        keywords = [p.name for p in forward.keywords if p.name != "out"]
        return ", ".join([*(p.name for p in forward.positional), *(f"{name}={name}" for name in keywords)])

    @property
    def results(self) -> list[str]:
        """The arrays that results go to."""
        return [] if self.per_channel else [f"{q.name}_result" for q in self.kernel.outputs if q.axes]

    def result_dtype(self, q: Quantity) -> str:
        """A result's dtype: the data's, or that of statistics and of parameters' gradients."""
        parameters = [p.name for p in self._module.definition.program.inputs if p.role == "parameter"]
        of_parameter = any(q.name == d.format(p) for p in parameters for d in DERIVED)
        return f"{self.reference}.dtype" if self.is_array(q) and not of_parameter else "kept_dtype"

    @property
    def uses_kept(self) -> bool:
        """Whether a result is returned in the statistics' dtype."""
        saves = self.name == "forward" and any(not self.is_array(q) for q in self._module.saved)
        wide = [q for q in self.kernel.outputs if q.axes]
        return saves or bool(self.results and any(self.result_dtype(q) == "kept_dtype" for q in wide))

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
    def returned(self) -> list[str]:
        """The results, None for the gradient of a parameter that was not given, and what is saved."""
        found = [self._returned(q) for q in self.kernel.outputs]
        if self.calls_forward:
            found = [name for pair in zip(self.forward_results, found, strict=True) for name in pair]
        return found + ["saved"] * bool(self.name == "forward" and self._module.saved)

    def _returned(self, q: Quantity) -> str:
        if self.per_channel:
            return f"np.broadcast_to({q.name}, shape{'[1:]' if self.sizes else ''}).astype(dtype)"
        result = f"{q.name}_result" if q.axes else f"float({q.name})"
        absent = (p for p in (*self.vectors, *self.arrays) if p.absent is not None)
        owner = next((p for p in absent if q.name in [d.format(p.name) for d in DERIVED]), None)
        return f"{result} if has_{owner.name} else None" if owner else result

    def like(self, q: Quantity) -> str:
        """The shape of an array with the axes of an optional one."""
        given = [a.name for a in self.arrays if a.axes == q.axes and not self.may_be_none(a)]
        taken = [f"saved.{a.name}" for a in self.taken_arrays if a.axes == q.axes]
        return f"{(given + taken)[0]}.shape"

    @property
    def forward_results(self) -> list[str]:
        """What forward's results are called here."""
        return [f"{q.name}_result" for q in self._module.definition.program.outputs]

    @property
    def optional(self) -> list[str]:
        """Parameters whose absence decides what is returned."""
        return [p.name for p in (*self.vectors, *self.arrays) if any(f"has_{p.name}" in r for r in self.returned)]

    @property
    def returns(self) -> str:
        """The type of what it returns."""
        types = [self._type(r) for r in self.returned]
        return types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"

    def _type(self, returned: str) -> str:
        numbers = [f"{q.name}_result" for q in self._module.definition.program.outputs if not q.axes]
        if returned.startswith("float(") or returned in numbers:
            return "float | None" if " if has_" in returned else "float"
        return "Saved" if returned == "saved" else "Array | None" if " if has_" in returned else "Array"

    @property
    def first_code(self) -> str:
        """The text of the statements that compute statistics."""
        return " ".join(s.code for s in self.first)

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return summary(self.name, self._module.definition)

    @property
    def doc(self) -> list[str]:
        """The rest of its docstring, line by line."""
        return describe(self, self._module.definition, self._module.proofs)
