"""What a training run is asked for, checked before it starts."""

import math
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["BACKENDS", "DEFAULTS", "Options", "TrainError", "options_for"]

BACKENDS = ("numpy", "numba", "cupy")


class TrainError(ValueError):
    """A run cannot be done as it was asked for; the message is one sentence for the user."""


@dataclass(frozen=True)
class Options:
    """The settings of a run; TrainError, naming the first one that is out of range.

    The paper gives the layers, the mini-batch of 60 and 50,000 steps (Section 4.1), not the learning rate `lr` nor the
    standard deviation `std` of the first weights. `population_batches` is how many mini-batches Algorithm 2 averages.
    `backend` says whose kernels train: NumPy's, those that Numba compiles, or CuPy's on a GPU.
    """

    steps: int
    lr: float
    std: float
    batch_norm: bool = True
    seed: int = 0
    threads: int = 1
    batch: int = 60
    hidden: tuple[int, ...] = (100, 100, 100)
    eps: float = 1e-5
    population_batches: int = 100
    eval_every: int | None = None
    backend: str = "numpy"

    def __post_init__(self) -> None:
        at_least = {"steps": 1, "seed": 0, "threads": 1, "batch": 2, "population_batches": 1, "eval_every": 1}
        for name, least in at_least.items():
            value = getattr(self, name)
            _check(name, value is None or value >= least, f"at least {least}", value)
        for width in self.hidden:
            _check("hidden", width >= 1, "widths of at least 1", self.hidden)
        _check("backend", self.backend in BACKENDS, f"one of {', '.join(BACKENDS)}", self.backend)
        _check("lr", 0 < self.lr < math.inf, "a finite number above 0", self.lr)
        _check("std", 0 <= self.std < math.inf, "a finite number, at least 0", self.std)
        _check("eps", 0 <= self.eps < math.inf, "a finite number, at least 0", self.eps)

    @property
    def interval(self) -> int:
        """The steps from one evaluation to the next: `eval_every`, or what suits the number of steps."""
        return self.eval_every or default_interval(self.steps)

    def check_fits(self, examples: int) -> None:
        """TrainError when a mini-batch is more than there are examples to train on."""
        _check("batch", self.batch <= examples, f"at most the {examples} examples to train on", self.batch)


def _check(name: str, fits: bool, wanted: str, got: Any) -> None:
    if not fits:
        raise TrainError(f"{name} needs to be {wanted}, got {got}")


def default_interval(steps: int) -> int:
    """A twentieth of the steps or less, as 1, 2 or 5 times a power of ten, and at most 2000.

    So every run that reaches step 2000 is evaluated there, and runs of different lengths can be compared.
    """
    wanted = max(1, min(steps // 20, 2000))
    power = int("1" + "0" * (len(str(wanted)) - 1))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= wanted)


# The run that suits each data set, to be changed setting by setting.
DEFAULTS = {
    "digits": Options(steps=6000, lr=0.3, std=0.05),
    "mnist": Options(steps=50_000, lr=0.1, std=0.1),
}


def options_for(data: str, **settings: Any) -> Options:
    """Return a data set's default run with other settings in it, None for its own; errors as `Options`."""
    if data not in DEFAULTS:
        raise TrainError(f"there is no data set {data!r}, expected one of: {', '.join(DEFAULTS)}")
    given = {name: value for name, value in settings.items() if value is not None}
    return replace(DEFAULTS[data], **given)
