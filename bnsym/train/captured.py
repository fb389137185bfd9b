"""Steps of SGD on a GPU, each one launch of a CUDA graph: the host allocates, checks and waits for nothing in between.

The graph takes the next mini-batch by a number that it counts up itself, so that every step is the same launch. What
its kernels compute in between lies in a memory pool of its own, where a step before the capture put everything in
place: the memory of one step is that of all. So the step has no use for `batch_norm.plan`, which would do the same for
one layer alone.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from bnsym.train.batches import Batches, Indices
from bnsym.train.network import Network
from bnsym.train.steps import until_diverged

__all__ = ["Captured"]

AT_ONCE = 64  # steps that are launched before their losses are read
WARM_UPS = 2  # the second step allocates while results of the one before are held, as every later one does


class Captured:
    """Steps with CuPy, on the current stream, which must be one that can be captured: any but the default ones."""

    def __init__(self, network: Network, batches: Batches, lr: float):
        self._cupy = cupy = import_module("cupy")
        self._network, self._batches, self._lr = network, batches, lr
        self._pool = cupy.cuda.MemoryPool()
        self._graph: Any = None  # captured when it is first needed
        self._drawn = cupy.zeros((AT_ONCE, batches.size), np.int64)
        self._indices = cupy.zeros((1, batches.size), np.int64)
        self._number = cupy.zeros(1, np.int64)  # of the next step, among those that are launched at once
        self._losses = cupy.zeros(AT_ONCE, np.float64)

    def __call__(self, drawn: Sequence[Indices]) -> list[float]:
        """Train on mini-batches; also on those that follow a loss that is not finite, for it is read after them."""
        losses: list[float] = []
        for start in range(0, len(drawn), AT_ONCE):
            several = np.stack(drawn[start : start + AT_ONCE])
            self.launch(several)
            losses += self._cupy.asnumpy(self._losses[: len(several)]).tolist()
        return until_diverged(losses)

    def launch(self, drawn: Indices) -> None:
        """Launch at most `AT_ONCE` steps, one behind the other, and wait for none."""
        if self._graph is None:
            self._graph = self._captured()
        self._drawn[: len(drawn)] = self._cupy.asarray(drawn)
        self._number.fill(0)
        for _ in drawn:
            self._graph.launch()

    def _captured(self) -> Any:
        """The graph of a step. A capture runs nothing; what the warm-up learned is forgotten again.

        That is kept and put back, since a step at the rate 0 would not leave parameters alone that give no finite loss.
        """
        stream, parameters = self._cupy.cuda.get_current_stream(), self._network.parameters.flat
        before = parameters.copy()
        with self._cupy.cuda.using_allocator(self._pool.malloc):
            for _ in range(WARM_UPS):  # compiles kernels, too
                self._step()
            parameters[...] = before
            stream.begin_capture()
            try:
                self._step()
            finally:
                graph = stream.end_capture()
        return graph

    def _step(self) -> None:
        """Train on the next of the mini-batches drawn, and note its loss."""
        self._batches.take(self._drawn, self._number, axis=0, out=self._indices)
        (indices,) = self._indices
        loss = self._network.step(self._batches.images(indices), self._batches.targets(indices), self._lr)
        self._losses[self._number] = loss
        self._number += 1
