"""What the CUDA templates lay out of a module's kernels."""

from __future__ import annotations

from collections.abc import Mapping

from bnsym.lowering.kernel import Kernel
from bnsym.model import Definition


class Source:
    """The CUDA source of a module."""

    def __init__(self, definition: Definition, kernels: Mapping[str, Kernel]):
        self.definition, self.kernels = definition, kernels
