"""The generated CuPy modules, and a plain copy of the same bytes: what is prepared for a case, and its runs."""

import numpy as np

from tests.gpu import modules
from tests.gpu.device import cupy

from .cases import EPS
from .clock import CupyClock, WallClock
from .measuring import sets_for
from .missing import Missing
from .reference import checked, reference


def stand_in():
    """CuPy's place is taken by NumPy, and kernels are compiled for the CPU: a dry run."""
    import sys

    from tests.cuda.fake_cupy import fake_cupy

    sys.modules["cupy"] = fake_cupy()
    loaded = modules.module

    def module(name, copy=""):
        made = loaded(name, copy)
        made._address = lambda array: array.__array_interface__["data"][0]
        return made

    modules.module = module


class Copies:
    """A copy from device to device: the ceiling. Bytes count twice, read and written."""

    def __init__(self, is_dry=False):
        self.cupy = cupy()
        self.clock = WallClock() if is_dry else CupyClock(self.cupy)

    def prepare(self, case):
        return self.of_bytes(case.nbytes)

    def of_bytes(self, count):
        self.sets = sets_for(count)
        self.pairs = [
            (self.cupy.full(count, k % 251, np.uint8), self.cupy.empty(count, np.uint8)) for k in range(self.sets)
        ]
        self.forward(0)
        if not bool((self.pairs[0][1] == self.pairs[0][0]).all()):
            raise RuntimeError("a copy differs from what was copied")
        return {"sets": self.sets}

    def forward(self, k):
        source, target = self.pairs[k]
        if hasattr(target.data, "copy_from_device_async"):
            target.data.copy_from_device_async(source.data, source.nbytes, self.cupy.cuda.get_current_stream())
        else:
            target[...] = source

    backward = forward


class Ours:
    way = ""  # as the module chooses

    def __init__(self, is_dry=False):
        self.cupy = cupy()
        self.clock = WallClock() if is_dry else CupyClock(self.cupy)

    def prepare(self, case):
        """Arrays, and one check of every result; nothing is timed that is wrong."""
        cp, self.case, self.module = self.cupy, case, self._module(case.norm)
        self.sets = sets_for(case.nbytes)
        draw = lambda seed, shape, dtype, **how: modules.normal(cp, seed, shape, dtype, **how)  # noqa: E731
        self.x = [draw(2 * k, case.stored, case.dtype, mean=0.5, std=2.0) for k in range(self.sets)]
        self.dy = [draw(2 * k + 1, case.stored, case.dtype) for k in range(self.sets)]
        own = case.dtype if case.norm != "batch_norm" else "float32"  # as PyTorch takes them
        self.gamma = draw(1001, case.channels, own, mean=2.0)
        self.beta = draw(1002, case.channels, own) if case.has_beta else None
        self.y = [modules.poisoned(cp, case.stored, case.dtype) for _ in self.x]
        self.dx = [modules.poisoned(cp, case.stored, case.dtype) for _ in self.x]
        self.saved = [None for _ in self.x]
        launches = {n: self._launches(getattr(self, n)) for n in ("forward", "backward")}
        self._check_way(launches)
        for k in range(1, self.sets):
            self.forward(k)
        modules_own = self.backward(0)
        return {"sets": self.sets, "launches": launches, **self._checked(modules_own)}

    def _module(self, norm):
        return modules.going(norm, self.way) if self.way else modules.module(norm)

    def _check_way(self, launches):
        wanted = self.way.removesuffix("s")
        if (
            self.way
            and self.way != "split"
            and not any(wanted in kernel for names in launches.values() for kernel in names)
        ):
            raise Missing(f"no {wanted} takes this shape")

    def _given(self):
        return (self.gamma, self.beta) if self.case.has_beta else (self.gamma,)

    def forward(self, k):
        _, self.saved[k] = self.module.forward(
            self.x[k], *self._given(), eps=EPS, out=self.y[k], **self.case.options("forward")
        )
        return self.saved[k]

    def backward(self, k):
        out = (self.dx[k], *(None for _ in self._given()))
        options = self.case.options("backward")
        return self.module.backward(self.dy[k], self.x[k], self.gamma, self.saved[k], out=out, **options)

    def _launches(self, run):
        """The names of the kernels that are planned for a run; None where the module cannot be looked into."""
        module, made = self.module, getattr(self.module, "_kernel", None)
        forget = getattr(getattr(module, "_launches", None), "cache_clear", lambda: None)
        if made is None:
            run(0)
            return None
        calls = []

        def counted(*args):
            calls.append(args[1])
            return made(*args)

        forget()
        module._kernel = counted
        try:
            run(0)
        finally:
            module._kernel = made
            forget()
        return calls

    def _checked(self, results):
        arrays = [self.x[0], self.dy[0], self.gamma, *([self.beta] if self.case.has_beta else [])]
        found = [self.y[0], *results]
        try:
            import torch
        except ImportError:
            where, wide = "CuPy", modules.widened
        else:
            where = "PyTorch"

            def wide(array):
                array = modules.widened(array)
                return torch.from_numpy(array) if type(array) is np.ndarray else torch.as_tensor(array, device="cuda")

        x, dy, gamma, beta = [*map(wide, arrays), None][:4]
        self.clock.synchronize()
        got = dict(zip(("y", "dx", "dgamma", "dbeta"), map(wide, found), strict=False))
        errors = checked(self.case, got, reference(self.case, x, dy, gamma, beta))
        return {"errors": errors, "reference": f"{where}, float64"}


class Split(Ours):
    way = "split"


class Tickets(Ours):
    way = "tickets"


class Clusters(Ours):
    way = "clusters"
