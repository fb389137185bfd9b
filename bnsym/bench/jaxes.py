"""JAX on the CPU: the forward pass in jax.numpy, compiled, and its own derivatives of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from bnsym.bench.arrays import Array, Given, Missing
from bnsym.bench.modules import asked, eps_of, load
from bnsym.bench.reference import flat
from bnsym.bench.subject import Call, Subject, imported, pinned

__all__ = ["Jax"]


class Jax(Subject):
    """Everything under `jax.jit`, waited for."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        pinned(threads)  # XLA starts as many threads as it sees processors
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        self.jax = imported("jax")

    def versions(self) -> dict[str, str]:
        """JAX's."""
        return {"jax": self.jax.__version__}

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """Forward with and without what backward needs; backward from that, or all anew."""
        forward = function_of(self.jax.numpy, given)
        self.jax.config.update("jax_enable_x64", given.case.dtype == "float64")
        names = [name for name in asked(load("numpy", given.case.norm).forward) if name != "num_groups"]
        values = [self.jax.device_put(given(name)) for name in names]
        jit, pulling = self.jax.jit, self.jax.jit(lambda *v: self.jax.vjp(forward, *v))
        if function == "forward":
            plain = jit(forward)
            return {"jit": self._waited(plain, *values), "jit, saving": self._waited(pulling, *values)}
        if function == "backward":
            dy, pull = self.jax.device_put(given("dy")), pulling(*values)[1]
            anew = jit(lambda d, *v: self.jax.vjp(forward, *v)[1](d))
            return {
                "jit, saved": self._waited(jit(lambda p, d: p(d)), pull, dy),
                "jit, anew": self._waited(anew, dy, *values),
            }
        if function == "jvp":
            tangents = [self.jax.device_put(given(f"t{name}")) for name in names]
            return {"jit": self._waited(jit(lambda v, t: self.jax.jvp(forward, v, t)), tuple(values), tuple(tangents))}
        raise Missing(f"JAX is not asked for {function}")

    def _waited(self, call: Callable[..., Any], *arguments: Any) -> Call:
        return lambda: self.jax.block_until_ready(call(*arguments))

    def arrays(self, result: Any) -> list[Array]:
        """As NumPy's; what is saved for backward is left out."""
        return [np.asarray(value) for value in flat(result) if hasattr(value, "shape")]


def function_of(np_: Any, given: Given) -> Callable[..., Any]:
    """The forward pass of arrays. Raises Missing."""
    norm, eps = given.case.norm, eps_of(load("numpy", given.case.norm))
    rank = len(given.case.shape)
    axes = (0, *range(2, rank)) if norm == "batch_norm" else tuple(range(2, rank)) if norm == "instance_norm" else (-1,)
    param = (1, -1, *(1,) * (rank - 2)) if norm in ("batch_norm", "instance_norm") else (-1,)

    def rms_norm(x: Any, gamma: Any) -> Any:
        return x / np_.sqrt((x * x).mean(axes, keepdims=True) + eps) * gamma

    def centred_norm(x: Any, gamma: Any, beta: Any) -> Any:
        mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        return ((x - mean) / np_.sqrt(var + eps) * gamma.reshape(param) + beta.reshape(param)).astype(x.dtype)

    if norm not in ("batch_norm", "layer_norm", "instance_norm", "rms_norm"):
        raise Missing(f"JAX is not asked for {norm}")
    return rms_norm if norm == "rms_norm" else centred_norm
