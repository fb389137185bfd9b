"""The kernels that a network is built from, handed to it as one value: nothing here knows which backend made them."""

from dataclasses import dataclass, fields
from importlib import import_module
from types import ModuleType

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
        """Import a backend's modules from `bnsym.generated`; ImportError where there is no such backend."""
        return cls(**{field.name: import_module(f"bnsym.generated.{backend}.{field.name}") for field in fields(cls)})
