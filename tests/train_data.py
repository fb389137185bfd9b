"""A small data set for tests of the trainer, drawn here."""

import numpy as np

from bnsym.train.data import Dataset


def made_up(examples=70, tests=25, width=20):
    """Binary images, each class with pixels that it prefers."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 10, examples + tests)
    likely = rng.random((10, width))
    images = (rng.random((examples + tests, width)) < likely[labels]).astype(np.float32)
    return Dataset("made up", images[:examples], labels[:examples], images[examples:], labels[examples:])
