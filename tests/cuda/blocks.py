"""Single blocks of the launches that generated modules make."""

import numpy as np

from tests.cuda.cpu_module import MOST_GRID, CpuModule
from tests.cuda.generated import FOLDER, generated

PLACED = """
static unsigned first_block, all_blocks;
extern "C" __global__ void place_grid(long long first, long long all) { first_block = first; all_blocks = all; }
#define blockIdx uint3{unsigned(blockIdx.x + first_block), 0, 0}
#define gridDim dim3(all_blocks)
"""
PROCESSORS = 2**15  # so that blocks are small


class Blocks:
    """A module whose launches run no blocks, but of one kernel three: the first, the last and one between.

    `check` is given what runs a block, its number, how many there are, and where numbers and parts of sums lie, their
    stride, how many parts there are, how long, over how many columns of a channel, and whether packs are read.
    """

    def __init__(self, name, kernel, check):
        self.module = generated(name, MultiProcessorCount=PROCESSORS)
        self.module._is_clustered = self.module._is_ticketed = lambda *_: False  # a block's work is known by its number
        self.module._kernel = lambda function, name, dtype: (
            lambda *launch, shared_mem: self.launched(function, name, *launch)
        )
        self.source = (FOLDER / f"{name}.cu").read_text()
        self.kernel, self.check, self.ran = kernel, check, []

    def launched(self, function, name, grid, threads, args):
        assert len(grid) == 1, "counts beyond 65,535 go in the first dimension alone"
        assert grid[0] <= MOST_GRID[0]
        if name != self.kernel:
            return
        number = self.module._FUNCTIONS[function].number
        compiled = CpuModule(PLACED + self.source, (f"-DFUNCTION={number}", "-DDTYPE=3"))
        for block in (0, grid[0] // 2 + 1, grid[0] - 1):

            def run(block=block):
                compiled.get_function("place_grid")((1,), (1,), (np.int64(block), np.int64(grid[0])))
                compiled.get_function(f"{function}_{name}_float32")((1,), threads, args)

            fields = args[0].view(np.int64)[-9:].tolist()
            numbers, partials, _, *geometry, _ = fields  # without tickets, and their lag
            self.check(run, block, grid[0], [numbers, partials, *geometry])
            self.ran.append(block)
