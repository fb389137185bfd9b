"""bnsym's own kernels: the functions of a generated module, or its plan."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from bnsym.bench.arrays import Array, Given, Missing
from bnsym.bench.modules import asked, called, has, load
from bnsym.bench.reference import flat
from bnsym.bench.subject import Call, Subject, version

__all__ = ["NumbaKernels", "NumbaPlan", "NumpyKernels", "NumpyPlan"]


class Kernels(Subject):
    """The functions of a module, with `out=` where they take it, as a training loop would call them."""

    backend = "numpy"
    reports_memory = True

    def versions(self) -> dict[str, str]:
        """The library's and bnsym's."""
        return {"bnsym": version("bnsym"), self.backend: version(self.backend)}

    def module(self, norm: str) -> ModuleType:
        """The module that is measured. Raises Missing."""
        try:
            return load(self.backend, norm)
        except ImportError as error:
            raise Missing(f"{self.backend} cannot be used here: {error}") from None

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """One: with `out=` where there is one, else as it is."""
        module = self.module(given.case.norm)
        kernel = getattr(module, function, None)
        if kernel is None:
            raise Missing(f"the {self.backend} module has no {function}")
        if "saved" in asked(kernel):
            given.keep("saved", called(module.forward, given, threads=self.threads)()[1])
        if not has(kernel, "out"):
            return {"": called(kernel, given, threads=self.threads)}
        return {"out=": called(kernel, given, threads=self.threads, out=self._room(kernel, given))}

    def _room(self, kernel: Callable[..., Any], given: Given) -> Any:
        """Arrays to write to: for the results that have x's shape."""
        result = called(kernel, given, threads=self.threads)()
        if not isinstance(result, tuple):
            return np.empty_like(result)
        room = [np.empty_like(r) if given.is_data(r) else None for r in result if not hasattr(r, "_fields")]
        return room[0] if len(flat(result)) == 1 else tuple(room)


class Plans(Kernels):
    """A plan's functions, whose buffers are its own."""

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """One plan for each function and data: its results are its own until its next call."""
        make = getattr(self.module(given.case.norm), "plan", None)
        if make is None:
            raise Missing(f"the {self.backend} module has no plan")
        values = {"shape": given.case.shape, "dtype": given.case.dtype}
        plan = called(make, lambda name: values[name] if name in values else given(name), threads=self.threads)()
        if not hasattr(plan, function):
            raise Missing(f"the plan has no {function}")
        called(plan.forward, given)()
        return {"plan": called(getattr(plan, function), given)}


class NumpyKernels(Kernels):
    """Those for NumPy."""


class NumpyPlan(Plans):
    """NumPy's plan."""


class NumbaKernels(Kernels):
    """Those for Numba; what its compiled code allocates for itself is not seen by the count of memory."""

    backend = "numba"


class NumbaPlan(NumbaKernels, Plans):
    """Numba's plan."""

    ways = Plans.ways
