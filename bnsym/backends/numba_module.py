"""What the Numba templates lay out of a module: Python that checks and calls, and loops that Numba compiles."""

from __future__ import annotations

from collections.abc import Sequence

from bnsym.backends.cuda_module import schedules
from bnsym.backends.erf import erf_numbers
from bnsym.backends.library import NUMBA
from bnsym.backends.module import Module
from bnsym.backends.numba_call import CallText, WholeText
from bnsym.backends.numba_function import NumbaFunction
from bnsym.backends.numba_plan import NumbaPlan
from bnsym.lowering.kernel import Kernel
from bnsym.lowering.sweeps import Schedule
from bnsym.model import Definition, Proof

SECOND_ORDER = ("jvp", "double_backward", "backward_jvp")
"""What a module computes as NumPy does: these three would take longer to compile than all the rest."""


def compiled_schedules(definition: Definition, kernels: dict[str, Kernel]) -> dict[str, Schedule]:
    """The sweeps of each function that is compiled."""
    return schedules(definition, {name: k for name, k in kernels.items() if name not in SECOND_ORDER})


class NumbaModule(Module):
    """One generated module of the Numba backend. What has no sweeps over the data NumPy computes."""

    library = NUMBA

    def __init__(self, definition: Definition, kernels: dict[str, Kernel], proofs: Sequence[Proof]):
        super().__init__(definition, kernels, proofs)
        swept = compiled_schedules(definition, kernels)
        self.compiled = [NumbaFunction(swept[k.name], self.dims) for k in kernels.values() if k.name in swept]
        self.functions: list[CallText | WholeText] = [
            CallText(k, self) if k.name in swept else WholeText(k, self) for k in kernels.values()
        ]
        if self.compiled:
            first, second = (f for f in self.functions[:2] if isinstance(f, CallText))
            self.plan = NumbaPlan(first, second)
            self.exports = sorted([*self.exports, "Plan", "plan"])
        self.units = any(f.units for f in self.compiled)
        whole = [f for f in self.functions if isinstance(f, WholeText)]
        self.uses_erf = any("_erf(" in s.code for f in whole for s in (*f.first, *f.rest))
        self.erf = erf_numbers() if self.uses_erf else None
