"""What the CuPy templates lay out of a module: Python that checks and launches, and the CUDA source beside it."""

from __future__ import annotations

from collections.abc import Sequence

from bnsym.backends.cuda_module import Source
from bnsym.backends.cuda_product import ProductSource
from bnsym.backends.cupy_arrays import ArraysText
from bnsym.backends.cupy_function import LaunchText
from bnsym.backends.library import CUPY
from bnsym.backends.module import Module
from bnsym.backends.plans import PlanText
from bnsym.lowering.kernel import Kernel
from bnsym.model import Definition, Proof


class CupyModule(Module):
    """One generated module of the CuPy backend. Where arrays have just their axes, CuPy's own functions compute."""

    library = CUPY

    def __init__(self, definition: Definition, kernels: dict[str, Kernel], proofs: Sequence[Proof]):
        super().__init__(definition, kernels, proofs)
        self.launches = self.layout != "arrays"
        self.units = bool(kernels["forward"].degrees)
        if self.launches:
            self.functions = functions = [LaunchText(k, self) for k in kernels.values()]
            self.beside = Source(definition, kernels)
            self.plan = PlanText(*functions[:2])
            self.exports = sorted([*self.exports, "Plan", "plan"])
        else:
            self.functions = whole = [ArraysText(k, self) for k in kernels.values()]
            self.beside = ProductSource(definition) if any(f.multiplies for f in whole) else None
