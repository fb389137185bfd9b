"""What the CuPy templates lay out of a module: Python that checks and launches, and the CUDA source beside it."""

from __future__ import annotations

from collections.abc import Sequence

from bnsym.backends.cuda_module import Source
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
        text = LaunchText if self.launches else ArraysText
        self.functions = [text(k, self) for k in kernels.values()]
        self.units = bool(kernels["forward"].degrees)
        self.beside = Source(definition, kernels) if self.launches else None
        if self.launches:
            self.plan = PlanText(*self.functions[:2])
            self.exports = sorted([*self.exports, "Plan", "plan"])
