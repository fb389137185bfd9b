"""The kernel modules under test: every definition of the registry, in every backend.

A further backend is one more entry of BACKENDS: a name, and how its modules are had, what they say and what they check.
A module takes and returns NumPy arrays, or what a stand-in for its array library has in their place.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from types import ModuleType

import bnsym.generated
import numpy as np


@dataclass(frozen=True)
class Backend:
    """Where a backend's modules come from, and in what they differ: what the tests of errors and memory ask for."""

    load: Callable[[str], ModuleType]
    array: str  # what an argument has to be, in words
    libraries: frozenset[str]  # what a module may import beside the standard library
    importable: bool = True  # under the module's own name, by another process
    checks_values: bool = True  # refuses numbers in arrays: masks that are not zeros and ones, counts too small
    arrays_as_numbers: bool = True  # takes an array without axes for a number
    checks_read_only: bool = True  # knows arrays that may not be written to
    tells_interleaved: bool = True  # knows that arrays between whose elements others lie share nothing
    takes_subclasses: bool = True  # such as a memory map, which is an array like any other
    number_type: type = float  # what a result without axes is

    def __call__(self, name: str) -> ModuleType:
        return self.load(name)


@cache
def on_the_cpu(name: str) -> ModuleType:
    """A CuPy module whose CuPy is a stand-in: arrays are NumPy's, and kernels are compiled for the CPU."""
    from tests.cuda.fake_cupy import fake_cupy

    spec = importlib.util.spec_from_file_location(
        f"on_the_cpu.{name}", Path(bnsym.generated.__file__).parent / "cupy" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # pickle looks there
    own = sys.modules.get("cupy")
    sys.modules["cupy"] = fake_cupy()
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["cupy"]
        if own is not None:
            sys.modules["cupy"] = own
    module._address = lambda array: array.__array_interface__["data"][0]
    return module


NUMPY = Backend(
    lambda name: importlib.import_module(f"bnsym.generated.numpy.{name}"),
    array="NumPy array",
    libraries=frozenset({"numpy"}),
)
CUPY = Backend(
    on_the_cpu,
    array="CuPy array",
    libraries=frozenset({"numpy", "cupy", "cupyx"}),
    importable=False,
    checks_values=False,
    arrays_as_numbers=False,
    checks_read_only=False,
    tells_interleaved=False,
    takes_subclasses=False,
    number_type=np.ndarray,
)

BACKENDS = {"numpy": NUMPY}
BACKENDS["cupy"] = CUPY


class Strict:
    """A kernel module each of whose calls is made with floating-point errors raising: none may escape a kernel."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        function = getattr(self.module, name)

        @wraps(function)
        def call(*args, **kwargs):
            with np.errstate(all="raise"):
                return function(*args, **kwargs)

        return call
