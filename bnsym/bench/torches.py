"""PyTorch as its users call it: the fastest of autograd, the native functions and their `.out` forms; and compiled."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from bnsym.bench.arrays import Array, Given, Missing
from bnsym.bench.modules import asked, eps_of, load
from bnsym.bench.subject import Call, Subject, imported

__all__ = ["Compiled", "Torch"]

ACTIVATIONS = {
    "relu": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "gelu": "gelu",
}


class Torch(Subject):
    """Eager PyTorch."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.torch = imported("torch")
        self.torch.set_num_threads(threads)

    def versions(self) -> dict[str, str]:
        """PyTorch's."""
        return {"torch": self.torch.__version__}

    def arrays(self, result: Any) -> list[Array]:
        """As NumPy's, sharing memory."""
        found = result if isinstance(result, tuple | list) else [result]
        return [np.asarray(value.detach().numpy()) for value in found if value is not None]

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """Through autograd; batch norm's also through the functions that autograd calls."""
        makes = {"forward": self._forward, "backward": self._backward, "inference": self._inference}
        if function not in makes:
            raise Missing(f"PyTorch has no {function} to call")
        return makes[function](given)

    def _tensor(self, given: Given, name: str) -> Any:
        return self.torch.from_numpy(given(name))

    def _arguments(self, given: Given) -> dict[str, Any]:
        names = asked(load("numpy", given.case.norm).forward)
        return {name: self._tensor(given, name) for name in names if name != "num_groups"}

    def _function(self, given: Given) -> Callable[..., Any]:
        """The forward pass of tensors."""
        return functional(self.torch.nn.functional, given)

    def _forward(self, given: Given) -> dict[str, Call]:
        values, function = [*self._arguments(given).values()], self._function(given)
        learnt = [value.clone().requires_grad_() for value in values]
        found = {"autograd": lambda: function(*learnt), "no_grad": self._without_grad(lambda: function(*values))}
        return found | self._native_forward(given)

    def _backward(self, given: Given) -> dict[str, Call]:
        learnt = [value.requires_grad_() for value in self._arguments(given).values()]
        dy, y = self._tensor(given, "dy"), self._function(given)(*learnt)
        grad = self.torch.autograd.grad
        return {"autograd": lambda: grad(y, learnt, dy, retain_graph=True)} | self._native_backward(given)

    def _inference(self, given: Given) -> dict[str, Call]:
        if given.case.norm != "batch_norm":
            raise Missing(f"PyTorch has no inference of {given.case.norm} to call")
        x, gamma, beta, mean, var = (self._tensor(given, n) for n in ("x", "gamma", "beta", "mean", "var"))
        f, eps = self.torch.nn.functional, eps_of(load("numpy", "batch_norm"))
        return {"no_grad": self._without_grad(lambda: f.batch_norm(x, mean, var, gamma, beta, eps=eps))}

    def _without_grad(self, call: Call) -> Call:
        def run() -> Any:
            with self.torch.no_grad():
                return call()

        return run

    def _native_forward(self, given: Given) -> dict[str, Call]:
        if given.case.norm != "batch_norm":
            return {}
        x, gamma, beta = self._arguments(given).values()
        settings = (gamma, beta, None, None, True, 0.1, eps_of(load("numpy", "batch_norm")))
        native, empty = self.torch.native_batch_norm, self.torch.empty_like
        out = {"out": empty(x), "save_mean": empty(gamma), "save_invstd": empty(gamma)}
        into = self.torch.ops.aten.native_batch_norm.out
        return {
            "native": self._without_grad(lambda: native(x, *settings)[0]),
            "native .out": self._without_grad(lambda: into(x, *settings, **out)[0]),
        }

    def _native_backward(self, given: Given) -> dict[str, Call]:
        if given.case.norm != "batch_norm":
            return {}
        x, gamma, beta = self._arguments(given).values()
        dy, eps = self._tensor(given, "dy"), eps_of(load("numpy", "batch_norm"))
        _, mean, inv_std = self.torch.native_batch_norm(x, gamma, beta, None, None, True, 0.1, eps)
        native = self.torch.ops.aten.native_batch_norm_backward
        settings = (None, None, mean, inv_std, True, eps, [True, True, True])
        return {"native": self._without_grad(lambda: native(dy, x, gamma, *settings))}


class Compiled(Torch):
    """torch.compile; compiling is done before anything is timed."""

    def versions(self) -> dict[str, str]:
        """PyTorch's, and that it compiles."""
        return {"torch.compile": self.torch.__version__}

    def _function(self, given: Given) -> Callable[..., Any]:
        functorch: Any = importlib.import_module("torch._functorch.config")
        functorch.donated_buffer = False  # so that the backward can be run again and again
        importlib.import_module("torch._dynamo").reset()
        compiled: Callable[..., Any] = self.torch.compile(super()._function(given), dynamic=False)
        return compiled

    def _inference(self, given: Given) -> dict[str, Call]:
        raise Missing("inference is measured of eager PyTorch alone")

    def _native_forward(self, given: Given) -> dict[str, Call]:
        return {}

    def _native_backward(self, given: Given) -> dict[str, Call]:
        return {}


def functional(f: Any, given: Given) -> Callable[..., Any]:
    """The forward pass of a definition in `torch.nn.functional`. Raises Missing."""
    norm, groups, eps = given.case.norm, given.case.groups, eps_of(load("numpy", given.case.norm))
    known: dict[str, Callable[..., Any]] = {
        "batch_norm": lambda x, g, b: f.batch_norm(x, None, None, g, b, training=True, eps=eps),
        "layer_norm": lambda x, g, b: f.layer_norm(x, g.shape, g, b, eps=eps),
        "rms_norm": lambda x, g: f.rms_norm(x, g.shape, g, eps=eps),
        "group_norm": lambda x, g, b: f.group_norm(x, groups, g, b, eps=eps),
        "instance_norm": lambda x, g, b: f.instance_norm(x, None, None, g, b, eps=eps),
        "add_layer_norm": lambda x, r, g, b: f.layer_norm(x + r, g.shape, g, b, eps=eps),
        "add_rms_norm": lambda x, r, g: f.rms_norm(x + r, g.shape, g, eps=eps),
        "batch_norm_add_relu": lambda x, r, g, b: f.relu(known["batch_norm"](x, g, b) + r),
        "gelu_tanh": lambda z: f.gelu(z, approximate="tanh"),
        **{name: getattr(f, own) for name, own in ACTIVATIONS.items()},
    }
    if norm in known:
        return known[norm]
    outer = known.get(norm.removeprefix("batch_norm_"))
    if outer is None:
        raise Missing(f"PyTorch has no {norm}")
    return lambda x, g, b: outer(known["batch_norm"](x, g, b))
