"""What is measured on a GPU: the CuPy module, PyTorch and a copy, by events on the device.

Each call takes the next of several sets of arrays, so that none is in the cache when its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from statistics import median
from typing import Any

import numpy as np

from bnsym.bench.arrays import Array, Given, Missing
from bnsym.bench.device import MOST_SETS, CupyClock, TorchClock, on_the_device, sets_for
from bnsym.bench.modules import load
from bnsym.bench.ours import Kernels, Plans
from bnsym.bench.reference import flat
from bnsym.bench.roof import Roof
from bnsym.bench.subject import Call, Subject, imported, version
from bnsym.bench.torches import Compiled, Torch

__all__ = ["CudaCompiled", "CudaTorch", "CupyKernels", "CupyPlan", "CupyRoof", "Placed"]


class Placed(Given):
    """The arrays of a case, moved to a device when they are first asked for; a set of its own."""

    def __init__(self, given: Given, place: Callable[[Array], Any]) -> None:
        super().__init__(given.case, given.mean)
        self.given, self.place = given, place

    def _draw(self, name: str) -> Any:
        value = self.given(name)
        return self.place(value) if isinstance(value, np.ndarray) else value


class OnDevice(Subject):
    """Timed by events. It goes before the class that makes its calls among the bases."""

    clock: Any
    reports_memory = False

    def place(self, array: Array) -> Any:
        """An array of the host on the device."""
        return array

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """Those of one set of arrays, over several sets in turn."""
        sets = [Placed(given, self.place) for _ in range(sets_for(given.case.nbytes))]
        made = [super(OnDevice, self).ways(function, one, right) for one in sets]
        return {way: self._in_turn([one[way] for one in made]) for way in made[0]}

    def _in_turn(self, calls: list[Call]) -> Call:
        turn = count()
        return lambda: calls[next(turn) % len(calls)]()

    def calls_for(self, call: Call, target: float) -> tuple[int, float]:
        """How many there are is settled in each round."""
        return 1, self.seconds(call, 1)

    def seconds(self, call: Call, count: int) -> float:
        """The median of single calls between events."""
        return 1e-6 * median(on_the_device(self.clock, lambda k: call(), MOST_SETS))


class OfCupy(OnDevice):
    """Whose arrays are CuPy's."""

    def __init__(self, threads: int) -> None:
        super().__init__(1)
        try:
            load("cupy", "batch_norm")
        except ImportError as error:
            raise Missing(str(error)) from None
        self.cupy = imported("cupy")
        self.clock = CupyClock(self.cupy)

    def versions(self) -> dict[str, str]:
        """CuPy's, and the device."""
        name = self.cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
        return {"bnsym": version("bnsym"), "cupy": self.cupy.__version__, "GPU": name}

    def place(self, array: Array) -> Any:
        """A copy on the device."""
        return self.cupy.array(array)

    def arrays(self, result: Any) -> list[Array]:
        """Copies on the host."""
        found = result if isinstance(result, list) else flat(result)
        return [self.cupy.asnumpy(value) for value in found]


class CupyKernels(OfCupy, Kernels):
    """The CuPy module's functions."""

    backend = "cupy"


class CupyPlan(OfCupy, Plans):
    """The CuPy module's plan."""

    backend = "cupy"


class CupyRoof(OfCupy, Roof):
    """A copy or an add on the device."""


class OfTorch(OnDevice):
    """Whose arrays are PyTorch's, on its device."""

    torch: Any

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        if not self.torch.cuda.is_available():
            raise Missing("PyTorch finds no CUDA device")
        self.clock = TorchClock(self.torch)

    def arrays(self, result: Any) -> list[Array]:
        """Copies on the host."""
        found = result if isinstance(result, tuple | list) else [result]
        return [value.detach().cpu().numpy() for value in found if value is not None]

    def _tensor(self, given: Given, name: str) -> Any:
        return self.torch.from_numpy(given(name)).cuda()


class CudaTorch(OfTorch, Torch):
    """Eager PyTorch, which may choose cuDNN."""


class CudaCompiled(OfTorch, Compiled):
    """torch.compile."""
