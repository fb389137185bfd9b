"""A module's kernels in CUDA C++, for the templates to lay out."""

from __future__ import annotations

import bnsym
from bnsym.backends.cuda_channels import CudaChannels
from bnsym.backends.cuda_function import CudaFunction
from bnsym.backends.layout import PER_CHANNEL, Dimensions
from bnsym.backends.numpy_printer import readable
from bnsym.lowering.kernel import Kernel
from bnsym.lowering.schedule import scheduled
from bnsym.lowering.sweeps import Schedule
from bnsym.model import Definition

DTYPES = ("float16", "bfloat16", "float32", "float64")


def schedules(definition: Definition, kernels: dict[str, Kernel]) -> dict[str, Schedule]:
    """The sweeps of each function that goes over the data; none where CuPy's own functions do."""
    if definition.layout == "arrays":
        return {}
    axes = definition.program.inputs[0].axes
    return {name: scheduled(kernel, axes) for name, kernel in kernels.items() if name not in PER_CHANNEL}


class Source:
    """The .cu file of one definition."""

    template = "module.cu.j2"

    def __init__(self, definition: Definition, kernels: dict[str, Kernel]):
        dims, swept = Dimensions(definition), schedules(definition, kernels)
        self.source, self.version = definition.source, bnsym.__version__
        self.doc = definition.doc.splitlines()[0].rstrip(".") if definition.doc else definition.name
        self.equations = [f"{e.left.name} = {readable(e.right)}" for e in definition.program.equations]
        numbered = list(enumerate(kernels.values(), start=1))
        self.functions = [CudaFunction(swept[k.name], n, dims) for n, k in numbered if k.name in swept]
        self.per_channel = [CudaChannels(k, n) for n, k in numbered if k.name not in swept]

    @property
    def entries(self) -> int:
        """How many kernels there are for all dtypes."""
        return sum(len(f.entries) for f in self.functions) * len(DTYPES) + 2 * len(self.per_channel)

    @property
    def in_clusters(self) -> int:
        """How many of them work in clusters, which not every architecture has."""
        return sum(e.in_cluster for f in self.functions for e in f.entries) * len(DTYPES)

    @property
    def reads_near(self) -> bool:
        """Whether a function reads a vector for each element or row."""
        return any(f.near for f in self.functions)

    @property
    def takes_rows(self) -> bool:
        """Whether a function has a kernel that takes sums of rows, and then of columns."""
        return any(f.is_whole and f.takes_rows for f in self.functions)
