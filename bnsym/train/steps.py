"""Several steps of SGD at a time: with NumPy one after the other."""

import math
from collections.abc import Sequence
from typing import Protocol

from bnsym.train.batches import Batches, Indices
from bnsym.train.network import Network

__all__ = ["OneByOne", "Steps", "until_diverged"]


class Steps(Protocol):
    """What trains a network on mini-batches of one data set, at one learning rate."""

    def __init__(self, network: Network, batches: Batches, lr: float): ...

    def __call__(self, drawn: Sequence[Indices]) -> list[float]:
        """Train on mini-batches, each given by its examples' indices; the loss before each step.

        The first loss that is not finite is the last: what the parameters are then does not matter.
        """


class OneByOne:
    """Steps with NumPy; errors as the kernels'."""

    def __init__(self, network: Network, batches: Batches, lr: float):
        self._network, self._batches, self._lr = network, batches, lr

    def __call__(self, drawn: Sequence[Indices]) -> list[float]:
        """Train on mini-batches; none after the first loss that is not finite."""
        losses: list[float] = []
        for indices in drawn:
            images, targets = self._batches.images(indices), self._batches.targets(indices)
            losses.append(self._network.step(images, targets, self._lr))
            if not math.isfinite(losses[-1]):
                break
        return losses


def until_diverged(losses: list[float]) -> list[float]:
    """The losses up to the first that is not finite."""
    end = next((n for n, loss in enumerate(losses, start=1) if not math.isfinite(loss)), len(losses))
    return losses[:end]
