"""Call every function of the named CuPy modules once for each way that their kernels have of going through data.

python -m tests.gpu_report.sanitized NAME ...
"""

import inspect
import sys
from itertools import product

import numpy as np

from tests.gpu.device import cupy
from tests.gpu.modules import WAYS, going, module, normal

SHAPES = (
    (60, 100),
    (96, 8, 12, 12),
    (3000, 24),
    (2, 4, 4000),
    (8, 6, 5, 7),
)  # by channel, by slab, by parts, not in packs
VECTORS = ("gamma", "beta", "mean", "var", "r", "d", "running_mean", "running_var")
DTYPES = ("float32", "float16")


def base(name):
    """What a derivative is to: x of ddx."""
    for prefix in ("td", "dd", "t", "d"):
        rest = name.removeprefix(prefix)
        if rest != name and rest in ("x", "y", "residual", "gamma", "beta"):
            return rest
    return name


class Arguments:
    """Arrays by the names of a function's parameters."""

    def __init__(self, cp, name, shape, dtype):
        self.cp, self.shape, self.dtype = cp, shape, dtype
        self.of_rows = name.endswith(("layer_norm", "rms_norm"))
        self.channels = shape[-1] if self.of_rows else shape[1]
        self.saved, self.drawn = None, 0

    def normal(self, shape, dtype="float32", **how):
        self.drawn += 1
        return normal(self.cp, self.drawn, shape, dtype, **how)

    def __call__(self, name):
        if base(name) in ("x", "y", "residual"):
            return self.normal(self.shape, self.dtype)
        if base(name) in VECTORS:
            value = self.normal(self.channels)
            return value * value + 1 if name in ("var", "running_var", "r") else value
        others = {
            "mask": lambda: (self.normal(self.shape) > -1).astype(self.dtype),
            "means": lambda: self.normal((3, self.channels)),
            "variances": lambda: self.normal((3, self.channels)) ** 2,
            "saved": lambda: self.saved,
            "num_groups": lambda: 2,
            "r_max": lambda: 3.0,
            "d_max": lambda: 5.0,
        }
        if name == "count":  # of each channel's, where a mask is taken
            counted = isinstance(getattr(self.saved, "count", 1), self.cp.ndarray)
            return self.cp.full((3, self.channels), 7, np.int64) if counted else 7
        return others[name]()


def called(cp, name, shape, dtype, way):
    """The functions that were called."""
    found, given = going(name, way) if way else module(name), Arguments(cp, name, shape, dtype)
    functions = [n for n in found.__all__ if inspect.isfunction(getattr(found, n)) and n != "plan"]
    for function in sorted(functions, key=lambda n: n != "forward"):
        parameters = inspect.signature(getattr(found, function)).parameters.values()
        wanted = {p.name: given(p.name) for p in parameters if p.default is p.empty}
        got = getattr(found, function)(**wanted)
        if function == "forward":
            given.saved = got[1] if isinstance(got, tuple) else None
        cp.cuda.runtime.deviceSynchronize()
    return functions


def main(names):
    cp = cupy()
    if hasattr(cp.cuda, "set_allocator"):
        cp.cuda.set_allocator(None)  # each array by itself, so that what reads past its end is seen
    ways = ("", *(way for way in WAYS if way != "split"))  # as chosen, which passes are for some of the shapes
    calls = [function for each in product(names, SHAPES, DTYPES, ways) for function in called(cp, *each)]
    print(f"called {len(calls)} functions of {len(names)} modules")


if __name__ == "__main__":
    main(sys.argv[1:])
