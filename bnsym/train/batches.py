"""Mini-batches of a training set, drawn without replacement and copied into buffers that are reused."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bnsym.train.data import Dataset, Images, Labels
from bnsym.train.library import NUMPY, Library
from bnsym.train.parameters import Array

__all__ = ["Batches", "Indices", "draw", "one_hot"]

Indices = npt.NDArray[np.int64]


def one_hot(labels: Labels, classes: int) -> Images:
    """Return float32 targets of shape (examples, classes): 1 at each label, 0 elsewhere."""
    targets = np.zeros((len(labels), classes), np.float32)
    targets[np.arange(len(labels)), labels] = 1
    return targets


def draw(examples: int, size: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Yield the indices of mini-batches without end, in a new order each epoch.

    An epoch's last examples, fewer than a mini-batch, are left out; the next epoch's order picks others. `size` is at
    most `examples`.
    """
    while True:
        order = rng.permutation(examples)
        for start in range(0, examples - size + 1, size):
            yield order[start : start + size]


class Batches:
    """The training examples of a data set, to be taken by their indices, `size` at a time.

    They lie where the library's arrays do, and so do the indices.
    """

    def __init__(self, dataset: Dataset, size: int, library: Library = NUMPY):
        self.size, self.take, self._xp = size, library.take, library.xp
        # Images are binary: as bytes they are a quarter of what has to be read from all over the memory.
        self._images = self._xp.asarray(dataset.train_images.astype(np.uint8))
        self._targets = self._xp.asarray(one_hot(dataset.train_labels, dataset.classes))
        self._bytes = self._xp.empty((size, dataset.width), np.uint8)
        self._x = self._xp.empty((size, dataset.width), np.float32)
        self._t = self._xp.empty((size, dataset.classes), np.float32)

    def images(self, indices: Array) -> Array:
        """Return x, float32 of shape (size, pixels), in a buffer that the next call overwrites."""
        self._xp.copyto(self._x, self.take(self._images, indices, axis=0, out=self._bytes))
        return self._x

    def targets(self, indices: Array) -> Array:
        """Return t, float32 and one-hot of shape (size, classes), in a buffer that the next call overwrites."""
        self.take(self._targets, indices, axis=0, out=self._t)
        return self._t
