"""Training: steps of SGD, the test accuracy as it goes, and an end that is recorded, whichever it is."""

import math
import time
from collections.abc import Callable
from itertools import islice
from statistics import fmean
from typing import Any

import numpy as np

from bnsym.train.batches import Batches, draw
from bnsym.train.captured import Captured
from bnsym.train.data import Dataset
from bnsym.train.kernels import Kernels
from bnsym.train.library import library
from bnsym.train.network import Architecture, Network
from bnsym.train.options import Options
from bnsym.train.parameters import Array
from bnsym.train.results import Evaluation, Result
from bnsym.train.steps import OneByOne, Steps
from bnsym.train.threads import limited

__all__ = ["OnProgress", "Trainer", "train"]

# Called with the steps done, and with an evaluation where one was made after that step.
OnProgress = Callable[[int, Evaluation | None], None]

CHUNK = 1000  # test images inferred at once: their activations stay in the processor's cache
PROGRESS_EVERY = 50
STEPS: dict[str, type[Steps]] = {"numpy": OneByOne, "numba": OneByOne, "cupy": Captured}


class Trainer:
    """A network and its mini-batches; the same options give the same bits, whenever the accuracy is asked for.

    Three streams come from the seed: the weights, the mini-batches that train, and those that Algorithm 2 averages,
    which are the same at every evaluation. TrainError when the options do not fit the data, or for want of the backend.
    """

    def __init__(self, dataset: Dataset, options: Options, kernels: Kernels | None = None):
        examples = len(dataset.train_images)
        options.check_fits(examples)
        weights, training, population = map(np.random.default_rng, np.random.SeedSequence(options.seed).spawn(3))
        kernels, self._library = kernels or Kernels.load(options.backend), library(options.backend)
        architecture = Architecture(
            dataset.width, options.hidden, dataset.classes, options.batch, options.batch_norm, options.eps
        )
        self._drawn = draw(examples, options.batch, training)
        averaged = islice(draw(examples, options.batch, population), options.population_batches)
        with self._library.stream:
            xp = self._library.xp
            self._batches = Batches(dataset, options.batch, self._library)
            self._test = xp.asarray(dataset.test_images), xp.asarray(dataset.test_labels)
            self._population = [xp.asarray(indices) for indices in averaged]
            self.network = Network(architecture, kernels, options.std, weights, xp)
            self._steps = STEPS[options.backend](self.network, self._batches, options.lr)

    def step(self) -> float:
        """Train on the next mini-batch; the loss before the step, which may be anything once it diverged."""
        return self.steps(1)[0]

    def steps(self, count: int) -> list[float]:
        """Train on the next mini-batches; the loss before each step, up to the first that is not finite."""
        with self._library.stream:
            return self._steps(list(islice(self._drawn, count)))

    def is_finite(self) -> bool:
        """Whether every parameter is."""
        with self._library.stream:
            return bool(self._library.xp.isfinite(self.network.parameters.flat).all())

    def accuracy(self) -> float:
        """The share of test images named right, with the population's statistics by Algorithm 2."""
        with self._library.stream:
            self.network.freeze(map(self._batches.images, self._population))
            return _accuracy(self.network, *self._test)


def _accuracy(network: Network, images: Array, labels: Array) -> float:
    """The share of images whose largest logit is their label's; a device is asked for it once, at the end."""
    right: Any = 0
    for start in range(0, len(images), CHUNK):
        named = network.infer(images[start : start + CHUNK]).argmax(axis=1)
        right += (named == labels[start : start + CHUNK]).sum()
    return int(right) / len(images)


def train(
    dataset: Dataset, options: Options, on_progress: OnProgress | None = None, kernels: Kernels | None = None
) -> Result:
    """Train a network and return what came of it; TrainError when the options do not fit the data.

    It is evaluated after every `interval` steps and after the last. A run that diverges ends there and says so.
    """
    start = time.perf_counter()
    # What is not finite is looked for in the run; it needs no warning besides.
    with limited(options.threads), np.errstate(all="ignore"):
        trainer = Trainer(dataset, options, kernels)
        history, diverged_at = _run(trainer, options, on_progress or (lambda step, evaluation: None))
    return Result(dataset.name, options, tuple(history), diverged_at, time.perf_counter() - start)


def _run(trainer: Trainer, options: Options, on_progress: OnProgress) -> tuple[list[Evaluation], int | None]:
    """The evaluations of a run, and the step at which it diverged, if it did."""
    history: list[Evaluation] = []
    losses: list[float] = []
    step = 0
    while step < options.steps:
        until = min(options.steps, *(step - step % every + every for every in (options.interval, PROGRESS_EVERY)))
        seen = trainer.steps(until - step)
        step += len(seen)
        losses += seen
        is_evaluated = step % options.interval == 0 or step == options.steps
        if not math.isfinite(losses[-1]) or (is_evaluated and not trainer.is_finite()):
            return history, step
        if is_evaluated:
            history.append(Evaluation(step, fmean(losses), trainer.accuracy()))
            losses.clear()
        on_progress(step, history[-1] if is_evaluated else None)
    return history, None
