"""The kernels that a network is built from, handed to it as one value: nothing here knows which backend made them."""

from dataclasses import dataclass, fields
from importlib import import_module
from types import ModuleType

from bnsym.train.options import TrainError

__all__ = ["Kernels"]


@dataclass(frozen=True)
class Kernels:
    """The generated modules of one backend, under the names of their definitions."""

    batch_norm: ModuleType
    dense: ModuleType
    linear: ModuleType
    sigmoid: ModuleType
    softmax_cross_entropy: ModuleType

    @classmethod
    def load(cls, backend: str = "numpy") -> "Kernels":
        """Import a backend's modules from `bnsym.generated`; TrainError, which says what is missing, if that fails."""
        names = [field.name for field in fields(cls)]
        try:
            return cls(*(import_module(f"bnsym.generated.{backend}.{name}") for name in names))
        except ImportError as error:
            raise TrainError(str(error)) from None
