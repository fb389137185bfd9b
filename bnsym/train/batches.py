"""Mini-batches of a training set, drawn without replacement and copied once, into buffers that are reused."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bnsym.train.data import Images, Labels
from bnsym.train.parameters import Array

__all__ = ["draw", "one_hot", "take_rows"]


def one_hot(labels: Labels, classes: int) -> Images:
    """Return float32 targets of shape (examples, classes): 1 at each label, 0 elsewhere."""
    targets = np.zeros((len(labels), classes), np.float32)
    targets[np.arange(len(labels)), labels] = 1
    return targets


def draw(examples: int, batch: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the indices of mini-batches without end, in a new order each epoch.

    An epoch's last examples, fewer than a mini-batch, are left out; the next epoch's order picks others.
    """
    while True:
        order = rng.permutation(examples)
        for start in range(0, examples - batch + 1, batch):
            yield order[start : start + batch]


def take_rows(array: Array, indices: npt.NDArray[np.int64], out: Array) -> Array:
    """Copy rows of an array into `out`, of the same dtype, and return it."""
    # Nothing is out of range, so nothing is clipped; but with mode="raise" NumPy would go through a buffer of its own.
    return np.take(array, indices, axis=0, out=out, mode="clip")
