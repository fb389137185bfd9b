"""The kernels' five functions by PyTorch's own machinery, for any function of `functions.py`, results by name."""

import inspect
import warnings

import numpy as np
import torch

from ..kernels.norms import program
from .functions import FUNCTIONS


class Torch:
    """A case as tensors.

    `absent` are the parameters that are left out: None in forward, and what None stands for in the rest. torch 2.13
    itself fails there ("tensor does not have a device" in group_norm's backward without a weight, "Expected a proper
    Tensor but got None" in the derivatives of batch_norm's).
    """

    def __init__(self, case, absent=(), function=None):
        self.case, self.absent = case, absent
        self.function = function or FUNCTIONS[case.name]
        self.of = [q.name.removeprefix("d") for q in program(case.name, "backward").outputs]
        self.of = [name for name in self.of if name not in absent]
        options = {"eps": case.eps, **case.view.options}
        taken = inspect.signature(FUNCTIONS[case.name]).parameters
        everything = any(p.kind == p.VAR_KEYWORD for p in taken.values())
        self.options = {k: v for k, v in options.items() if (everything and case.view.options) or k in taken}

    def tensor(self, name, function):
        """An input of one of the five functions; zero where the function's program does not hold it."""
        known = {q.name: q for q in program(self.case.name, function).inputs}
        if name not in known:
            return torch.zeros_like(self.tensor(name.removeprefix("t"), function))
        a = self.case.view.user(known[name].axes, self.case.values[name])
        return torch.from_numpy(np.array(a))

    def inputs(self, function):
        """Every input of the forward program."""
        found = {q: self.tensor(q.name, "forward") for q in program(self.case.name, "forward").inputs if q.axes}
        left_out = {q: None if function == "forward" else torch.full_like(v, q.absent or 0) for q, v in found.items()}
        return {q.name: left_out[q] if q.name in self.absent else v for q, v in found.items()}

    def bound(self, function):
        """The function of the inputs that it is differentiated by, and those inputs."""
        fixed = self.inputs(function)
        wrt = [fixed[name] for name in self.of]

        def of(*values):
            return self.function(fixed | dict(zip(self.of, values, strict=True)), **self.options)

        return of, wrt

    def seed(self):
        return next(q.name for q in program(self.case.name, "backward").inputs if q.role == "gradient")

    def forward(self):
        return {
            program(self.case.name, "forward").outputs[0].name: self.function(self.inputs("forward"), **self.options)
        }

    def backward(self):
        of, wrt = self.bound("backward")
        wrt = [v.requires_grad_() for v in wrt]
        found = torch.autograd.grad(of(*wrt), wrt, self.tensor(self.seed(), "backward"))
        return {f"d{name}": v for name, v in zip(self.of, found, strict=True)}

    def jvp(self):
        of, wrt = self.bound("jvp")
        tangents = [self.tensor(f"t{name}", "jvp") for name in self.of]
        y, ty = torch.func.jvp(of, tuple(wrt), tuple(tangents))
        return dict(zip((q.name for q in program(self.case.name, "jvp").outputs), (y, ty), strict=True))

    def double_backward(self):
        of, wrt = self.bound("double_backward")
        seed = self.tensor(self.seed(), "double_backward")
        inputs = [v.requires_grad_() for v in (seed, *wrt)]
        first = torch.autograd.grad(of(*wrt), wrt, seed, create_graph=True)
        weights = [self.tensor(f"dd{name}", "double_backward") for name in self.of]
        total = sum((w * g).sum() for w, g in zip(weights, first, strict=True))
        found = torch.autograd.grad(total, inputs, allow_unused=True, materialize_grads=True)
        return {f"g_{name}": v for name, v in zip((self.seed(), *self.of), found, strict=True)}

    def backward_jvp(self):
        """Forward over reverse."""
        of, wrt = self.bound("backward_jvp")
        primals = (self.tensor(self.seed(), "backward_jvp"), *wrt)
        tangents = [self.tensor(f"t{name}", "backward_jvp") for name in (self.seed(), *self.of)]
        first, second = torch.func.jvp(lambda seed, *v: torch.func.vjp(of, *v)[1](seed), primals, tuple(tangents))
        pairs = zip(self.of, first, second, strict=True)
        return {f"{kind}{name}": v for name, a, b in pairs for kind, v in (("d", a), ("td", b))}

    def run(self, function):
        """Results by name, as arrays that a user of NumPy would hold."""
        given = {q.name for q in program(self.case.name, function).outputs}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch's own forward mode uses its deprecated parts
            warnings.filterwarnings("ignore", "Mismatch dtype between input and weight")  # it is right, and slower
            found = getattr(self, function)()
        return {k: v.detach().numpy() for k, v in found.items() if k in given}
