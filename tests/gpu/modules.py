"""The generated CuPy modules as they are, and arrays for them on the device; NumPy and CuPy are all that is needed."""

import importlib.util
import sys
from functools import cache
from pathlib import Path

import numpy as np

GENERATED = Path(__file__).parents[2] / "generated" / "cupy"


@cache
def module(name, copy=""):
    """A generated module from its file, so that nothing needs to be installed; another one for another copy."""
    spec = importlib.util.spec_from_file_location(f"gpu_{name}{copy}", GENERATED / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


WAYS = ("split", "tickets", "clusters")
"""How data can be gone through: pass by pass, or in one launch."""


def going(name, way, copy=""):
    """Another copy of a module, which goes one way wherever that is open, however small the data are."""
    made = module(name, f"_{way}{copy}")
    if hasattr(made, "_launches"):
        made._is_slab = lambda *_: False
        made._is_clustered = lambda *_: way == "clusters"
        made._is_ticketed = lambda *_: way == "tickets"
        made._launches.cache_clear()
    return made


def recorded(made):
    """The names of the kernels that a module plans to launch from here on, as they are planned."""
    kernel, names = made._kernel, set()

    def recording(function, name, dtype):
        names.add(f"{function}_{name}_{dtype}")
        return kernel(function, name, dtype)

    made._kernel = recording
    return names


def dtype(name):
    """A dtype by its name; bfloat16 is one of ml_dtypes, which CuPy asks for too."""
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def rounded(values, name):
    """float32 numbers in a dtype: of bfloat16 the bits are rounded here, to even, so that no conversion is trusted."""
    if name != "bfloat16":
        return values.astype(name)
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1)).astype(np.uint32)) >> 16).astype(np.uint16).view(dtype(name))


def widened(values):
    """In float64, exactly; bfloat16 by its bits."""
    if values.dtype.name == "bfloat16":
        values = (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float64)


def poisoned(cp, shape, name):
    """An array whose every element is NaN."""
    made = cp.empty(shape, dtype(name))
    made.view(np.uint8).fill(0xFF)
    return made


def normal(cp, seed, shape, name="float32", mean=0.0, std=1.0):
    """Random numbers on the device."""
    values = cp.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    values *= np.float32(std)
    values += np.float32(mean)
    return rounded(values, name)


def bits(*results):
    """The bytes of results; those of a `saved` are in it too."""
    found = []
    for r in results:
        if isinstance(r, tuple):
            found += bits(*r)
        elif hasattr(r, "get"):
            found.append(r.get().tobytes())
        elif r is not None:
            found.append(np.asarray(r).tobytes())
    return found
