"""Generated CuPy modules on the CPU, and ways to choose among their kernels."""

import hashlib
import importlib.util
import re
import sys
from pathlib import Path

import bnsym.generated
import pytest

from tests.cuda.fake_cupy import fake_cupy

FOLDER = Path(bnsym.generated.__file__).parent / "cupy"
NAMES = sorted(path.stem for path in FOLDER.glob("*.cu") if "_FUNCTIONS" in path.with_suffix(".py").read_text())
"""The modules whose kernels go over the data; those of others multiply matrices."""
WAYS = {  # whether threads go along channels, and what takes whole channels through all sweeps in one launch, if any
    "slab-along": (True, "slab"),
    "slab-across": (False, "slab"),
    "cluster-along": (True, "cluster"),
    "ticket-along": (True, "ticket"),
    "ticket-across": (False, "ticket"),
    "split-along": (True, None),
    "split-across": (False, None),
}
KERNEL = re.compile(r"__global__ void (?:__\w+__\([\d, ]+\) )*(\w+?)_(?:##name|(float32|float64))\(")


def load(name, path, cupy=None, **how):
    """A module from its file, with a stand-in for CuPy; pickle finds it by its name."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", cupy or fake_cupy(**how))
        spec.loader.exec_module(module)
    module._address = lambda array: array.__array_interface__["data"][0]
    return module


def generated(name, way=None, **how):
    """The module of a definition; where a way is given it goes that way, and divides even small arrays into parts."""
    module = load(f"cupy_{name}_in_ways", FOLDER / f"{name}.py", **how)
    return go(divided(module), way) if way else module


def go(module, way):
    """The module, going one way wherever that way is open: a slab across channels has one column of each."""
    ahead, whole = WAYS[way]
    return choosing(
        module,
        lambda *view: ahead,
        lambda outer, kept, inner, itemsize, along, processors: whole == "slab" and (along or inner == 1),
        lambda kept, processors: whole == "cluster",
        lambda size, held, cache: whole == "ticket",
    )


def by_chance(module):
    """The module, going as the shape falls: every way is right for every shape, and the same for the same shape."""
    return choosing(
        divided(module),
        lambda *view: _falls("along", *view[:3]),
        lambda outer, kept, inner, itemsize, along, processors: (
            (along or inner == 1) and _falls("slab", outer, kept, inner, along)
        ),
        lambda kept, processors: _falls("cluster", kept),
        lambda size, held, cache: _falls("ticket", size, held),
    )


def choosing(module, is_along, is_slab, is_clustered, is_ticketed):
    """The module, with others of the functions that choose kernels by the shape."""
    module._is_along, module._is_slab = is_along, is_slab
    module._is_clustered, module._is_ticketed = is_clustered, is_ticketed
    module._launches.cache_clear()
    return module


def _falls(*what):
    return hashlib.sha256(repr(what).encode()).digest()[0] % 2 == 0


def divided(module):
    """The module, with as many parts for small arrays as it has for those that are 16 times as large, or larger."""
    parted, module._TICKET = module._parted, 1 << 14
    module._lag = lambda blocks, tickets: tickets % 3  # where it is 0, tickets have to wait
    module._parted = lambda count, others, tile, processors, unit: parted(
        count, others, max(tile // 16, 1), processors, unit
    )
    return module


def kernels(source, dtype):
    """The kernels that a source has for data of a dtype."""
    kept = "float64" if dtype == "float64" else "float32"
    found = KERNEL.findall(source)
    assert len(found) == source.count(" __global__ "), "a kernel whose name was not understood"
    return {f"{name}_{only or dtype}" for name, only in found if only in ("", kept)}
