"""A module's kernels in CUDA C++, for the templates to lay out."""

from __future__ import annotations

import bnsym
from bnsym.backends.cuda_channels import CudaChannels
from bnsym.backends.cuda_function import CudaFunction
from bnsym.backends.layout import PER_CHANNEL, Dimensions
from bnsym.backends.numpy_printer import readable
from bnsym.lowering.kernel import Kernel
from bnsym.model import Definition

DTYPES = (("__half", "float16"), ("__nv_bfloat16", "bfloat16"), ("float", "float32"), ("double", "float64"))


class Source:
    """The .cu file of one definition."""

    def __init__(self, definition: Definition, kernels: dict[str, Kernel]):
        dims, axes = Dimensions(definition), definition.program.inputs[0].axes
        self.name, self.source, self.version, self.dtypes = definition.name, definition.source, bnsym.__version__, DTYPES
        self.doc = definition.doc.splitlines()[0].rstrip(".") if definition.doc else definition.name
        self.equations = [f"{e.left.name} = {readable(e.right)}" for e in definition.program.equations]
        numbered = list(enumerate(kernels.values(), start=1))
        self.functions = [CudaFunction(k, n, dims, axes) for n, k in numbered if k.name not in PER_CHANNEL]
        self.per_channel = [CudaChannels(k, n) for n, k in numbered if k.name in PER_CHANNEL]

    @property
    def entries(self) -> int:
        """How many kernels there are for all dtypes."""
        return sum(len(f.entries) for f in self.functions) * len(DTYPES) + 2 * len(self.per_channel)
