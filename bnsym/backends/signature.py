"""What a generated function takes and gives back, whatever array library it computes with."""

from __future__ import annotations

from abc import ABC, abstractmethod

from bnsym.backends.arguments import Arguments
from bnsym.backends.docs import describe, summary
from bnsym.model import Quantity

DERIVED = ("d{}", "g_{}", "td{}")
"""What the gradients of a parameter are called."""


class Signature(Arguments, ABC):
    """One generated function, but for what it does with its arrays."""

    def is_zero(self, q: Quantity) -> bool:
        """Whether a result is zero whatever the arguments are."""
        return any(o.left == q and o.equation.right == 0 for o in self.kernel.operations)

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
    def returned(self) -> list[str]:
        """The results, None for the gradient of a parameter that was not given, and what is saved."""
        found = [self._returned(q) for q in self.kernel.outputs]
        if self.calls_forward:
            found = [name for pair in zip(self.forward_results, found, strict=True) for name in pair]
        return found + ["saved"] * bool(self.name == "forward" and self._module.saved)

    def _returned(self, q: Quantity) -> str:
        result = self._as_result(q)
        absent = (p for p in (*self.vectors, *self.arrays) if p.absent is not None)
        owner = next((p for p in absent if q.name in [d.format(p.name) for d in DERIVED]), None)
        return f"{result} if has_{owner.name} else None" if owner and not self.per_channel else result

    @abstractmethod
    def _as_result(self, q: Quantity) -> str:
        """The text of what is returned for a quantity."""

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
        if returned == "saved":
            return "Saved"
        numbers = [self._as_result(q) for q in self.kernel.outputs if not q.axes]
        numbers += [f"{q.name}_result" for q in self._module.definition.program.outputs if not q.axes]
        kind = self._module.library.number_type if returned.split(" if ")[0] in numbers else "Array"
        return f"{kind} | None" if " if has_" in returned else kind

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return summary(self.name, self._module.definition)

    @property
    def doc(self) -> list[str]:
        """The rest of its docstring, line by line."""
        module = self._module
        return describe(self, module.definition, module.proofs, module.library)
