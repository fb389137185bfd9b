"""What a training run leaves behind: its history and final accuracy, and the JSON file of them."""

import json
import platform
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bnsym import __version__
from bnsym.train.options import Options, TrainError

__all__ = ["Evaluation", "Result", "check_writable"]


@dataclass(frozen=True)
class Evaluation:
    """The test accuracy after a step, from 0 to 1, and the mean training loss of the steps since the one before."""

    step: int
    train_loss: float
    test_accuracy: float


@dataclass(frozen=True)
class Result:
    """A run that ended: with its last step, or at `diverged_at`, the step whose loss or parameters were not finite."""

    data: str
    options: Options
    history: tuple[Evaluation, ...]
    diverged_at: int | None
    seconds: float

    @property
    def accuracy(self) -> float | None:
        """The test accuracy after the last step; None for a run that diverged."""
        return None if self.diverged_at is not None else self.history[-1].test_accuracy

    def accuracy_at(self, step: int) -> float | None:
        """The test accuracy after a step; None where there was no evaluation."""
        return next((entry.test_accuracy for entry in self.history if entry.step == step), None)

    def to_json(self) -> str:
        """The result as JSON text; a number that is not finite is nowhere in it."""
        content: dict[str, Any] = {
            "data": self.data,
            "settings": asdict(self.options),
            "versions": {"python": platform.python_version(), "numpy": np.__version__, "bnsym": __version__},
            "seconds": round(self.seconds, 3),
            "diverged_at": self.diverged_at,
            "test_accuracy": self.accuracy,
            "history": [asdict(entry) for entry in self.history],
        }
        return json.dumps(content, indent=2, allow_nan=False) + "\n"


def check_writable(path: Path) -> None:
    """TrainError when a file cannot be written there, to be known before training and not after; makes directories."""
    if path.is_dir():
        raise TrainError(f"{path} is a directory, expected the name of a file to write results to")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise TrainError(f"{path} cannot be written ({error.strerror}), expected a path that can be") from None
