"""What the NumPy templates lay out of a module."""

from __future__ import annotations

from collections.abc import Sequence

from bnsym.backends.erf import erf_numbers
from bnsym.backends.library import NUMPY
from bnsym.backends.module import OF, Module
from bnsym.backends.numpy_function import FunctionText
from bnsym.backends.plans import PlanText
from bnsym.lowering.kernel import Kernel
from bnsym.model import Definition, Proof


class NumpyModule(Module):
    """One generated module of the NumPy backend."""

    library, tiled, owns_results = NUMPY, True, True

    def __init__(self, definition: Definition, kernels: dict[str, Kernel], proofs: Sequence[Proof]):
        super().__init__(definition, kernels, proofs)
        self.functions: list[FunctionText] = [FunctionText(k, self) for k in kernels.values()]
        self.plan = PlanText(*self.functions[:2])
        self.exports = sorted([*self.exports, "Plan", "plan"])
        self.tiles_of = OF.get(self.layout, "element") + "s"
        self.units = bool(kernels["forward"].degrees)
        self.uses_erf = any("_erf(" in s.code for f in self.functions for s in (*f.first, *f.rest))
        self.erf = erf_numbers() if self.uses_erf else None
