"""The kernel modules under test: every definition of the registry, in every backend.

A further backend is one more entry of BACKENDS: a name, and how its modules are had, what they say and what they check.
A module takes and returns NumPy arrays, or what a stand-in for its array library has in their place.
"""

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, wraps
from pathlib import Path
from types import ModuleType

import bnsym.generated
import numpy as np

from tests.gpu import device


@dataclass(frozen=True)
class Backend:
    """Where a backend's modules come from, and in what they differ: what the tests of errors and memory ask for."""

    load: Callable[[str], ModuleType]
    load_file: Callable[[str, str], ModuleType]  # once more: a name for the module, and its file
    libraries: frozenset[str]  # what a module may import beside the standard library
    importable: bool = True  # under the module's own name, by another process
    checks_values: bool = True  # refuses numbers in arrays: masks that are not zeros and ones, counts too small
    arrays_as_numbers: bool = True  # takes an array without axes for a number
    checks_read_only: bool = True  # knows arrays that may not be written to
    raises_floats: bool = True  # an overflow would raise where the caller asks for that, and so must not escape
    takes_subclasses: bool = True  # such as a memory map, which is an array like any other
    holds_any_dtype: bool = True  # its arrays may be of a dtype that it refuses; else they are no arrays of its
    replaceable: bool = (
        True  # a function of a module may be replaced by one from another text, which is its mathematics
    )
    number_type: type = float  # what a result without axes is
    in_host_memory: bool = True  # what it allocates can be measured
    shorter: int = 1  # large arrays are so many times shorter, where a stand-in computes

    def __call__(self, name: str) -> ModuleType:
        return self.load(name)


def from_file(name: str, path: str) -> ModuleType:
    """A module from its file, under another name, by which pickle finds it."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def on_the_cpu(name: str, path: str) -> ModuleType:
    """A CuPy module from its file. Its CuPy is a stand-in: arrays are NumPy's, and kernels are compiled for the CPU.

    Small arrays would take few of the kernels, so it falls by chance which they take, the same for the same shape.
    """
    from tests.cuda.generated import by_chance, load

    module = load(name, path, schedule="shuffled")
    return by_chance(module) if hasattr(module, "_launches") else module


def on_the_gpu(name: str, path: str) -> ModuleType:
    """A CuPy module from its file, on a GPU. Its arrays go there and come back."""
    from tests.gpu.bridge import bridged

    return bridged(from_file(name, path), device.cupy())


def generated_for_cupy(name: str) -> str:
    return f"{Path(bnsym.generated.__file__).parent}/cupy/{name}.py"


@cache
def cupy_on_the_gpu(name: str) -> ModuleType:
    return on_the_gpu(f"cupy_{name}_on_the_gpu", generated_for_cupy(name))


@cache
def cupy_on_the_cpu(name: str) -> ModuleType:
    return on_the_cpu(f"cupy_{name}_on_the_cpu", generated_for_cupy(name))


@cache
def numpy_in_tiles(name: str) -> ModuleType:
    return in_tiles(f"numpy_{name}_in_tiles", f"{Path(bnsym.generated.__file__).parent}/numpy/{name}.py")


def in_tiles(name: str, path: str) -> ModuleType:
    """A NumPy module from its file, for which the cache is always too small: it works in parts, or else in tiles.

    However large the data are, they are cut into few pieces: more for each channel than one, where channels are cut.
    """
    module = from_file(name, path)
    if not hasattr(module, "_tiles"):
        return module
    tiles = module._tiles

    def cut(shape: tuple[int, ...], axis: int, *rest: object) -> object:
        pieces = 5 if axis == 0 else 3 * shape[axis]
        module._TILE = max(math.prod(shape) // pieces, 1) if pieces else 1
        return tiles(shape, axis, *rest)

    vars(module).update(_tiles=cut, _WIDE=1, _LARGE=0)
    return module


NUMPY = Backend(
    lambda name: importlib.import_module(f"bnsym.generated.numpy.{name}"),
    from_file,
    libraries=frozenset({"numpy"}),
)
NUMBA = replace(
    NUMPY,
    load=lambda name: importlib.import_module(f"bnsym.generated.numba.{name}"),
    libraries=frozenset({"numpy", "numba"}),
    replaceable=False,
)
CUPY = Backend(
    cupy_on_the_cpu,
    on_the_cpu,
    libraries=frozenset({"numpy", "cupy", "cupyx"}),
    importable=False,
    checks_values=False,
    arrays_as_numbers=False,
    checks_read_only=False,
    raises_floats=False,
    takes_subclasses=False,
    replaceable=False,
    number_type=np.ndarray,
    in_host_memory=False,
    shorter=16,
)
GPU = replace(CUPY, load=cupy_on_the_gpu, load_file=on_the_gpu, holds_any_dtype=False, shorter=1)

TILES = replace(NUMPY, load=numpy_in_tiles, load_file=in_tiles, importable=False)

BACKENDS = {"numpy": NUMPY, "tiles": TILES, "numba": NUMBA, "cupy": CUPY}
if device.asked() and not device.missing():
    BACKENDS["gpu"] = GPU


class Strict:
    """A kernel module each of whose calls is made with floating-point errors raising: none may escape a kernel."""

    def __init__(self, module, backend=NUMPY):
        self.module, self.does = module, backend
        self.state = "raise" if backend.raises_floats else "ignore"

    def __getattr__(self, name):
        function = getattr(self.module, name)

        @wraps(function)
        def call(*args, **kwargs):
            with np.errstate(all=self.state):
                return function(*args, **kwargs)

        return call
