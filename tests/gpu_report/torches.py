"""PyTorch's own functions: eager, with cuDNN or without, and compiled."""

import importlib

from .cases import EPS
from .clock import TorchClock, WallClock
from .measuring import sets_for
from .missing import Missing
from .reference import checked, reference


class Torch:
    """Eager PyTorch without cuDNN."""

    cudnn = False

    def __init__(self, is_dry=False):
        try:
            import torch
        except ImportError as error:
            raise Missing(f"PyTorch is not installed: {error}") from None
        if not is_dry and not torch.cuda.is_available():
            raise Missing("PyTorch finds no CUDA device")
        self.torch, self.device = torch, "cpu" if is_dry else "cuda"
        self.clock = WallClock() if is_dry else TorchClock(torch)
        torch.backends.cudnn.enabled = self.cudnn

    def _function(self, case):
        f = self.torch.nn.functional
        if case.norm == "batch_norm":
            return lambda x, gamma, beta: f.batch_norm(x, None, None, gamma, beta, training=True, eps=EPS)
        if case.norm == "layer_norm":
            return lambda x, gamma, beta: f.layer_norm(x, gamma.shape, gamma, beta, eps=EPS)
        if case.norm == "rms_norm":
            return lambda x, gamma, beta: f.rms_norm(x, gamma.shape, gamma, eps=EPS)
        return lambda x, gamma, beta: f.group_norm(x, case.groups, gamma, beta, eps=EPS)

    def _draw(self, shape, dtype, mean=0.0, std=1.0):
        values = self.torch.randn(shape, device=self.device) * std + mean
        return values.to(getattr(self.torch, dtype))

    def _laid(self, value):
        """Channels last, as PyTorch has it: the same shape in another order."""
        return value.contiguous(memory_format=self.torch.channels_last) if self.case.channels_last else value

    def prepare(self, case):
        self.case, self.sets = case, sets_for(case.nbytes)
        self.torch.manual_seed(0)
        own = case.dtype if case.norm != "batch_norm" else "float32"
        self.gamma = self._draw((case.channels,), own, mean=2.0).requires_grad_()
        self.beta = self._draw((case.channels,), own).requires_grad_() if case.has_beta else None
        self.x = [self._laid(self._draw(case.shape, case.dtype, 0.5, 2.0)).requires_grad_() for _ in range(self.sets)]
        self.dy = [self._laid(self._draw(case.shape, case.dtype)) for _ in range(self.sets)]
        self.y = [None for _ in self.x]
        self.results = [None for _ in self.x]
        self.function = self._function(case)
        for k in range(self.sets):
            self.forward(k)
        return {"sets": self.sets, **self._checked(self.backward(0))}

    def forward(self, k):
        self.y[k] = self.function(self.x[k], self.gamma, self.beta)
        return self.y[k]

    def backward(self, k):
        wanted = [self.x[k], self.gamma, *([self.beta] if self.case.has_beta else [])]
        self.results[k] = self.torch.autograd.grad(self.y[k], wanted, self.dy[k], retain_graph=True)
        return self.results[k]

    def _checked(self, results):
        """Of an array with channels last, the reference goes by how it lies in memory."""
        move = (lambda v: v.movedim(1, -1)) if self.case.channels_last else (lambda v: v)
        wide = lambda v: None if v is None else v.detach().double()  # noqa: E731
        given = [move(wide(self.x[0])), move(wide(self.dy[0])), wide(self.gamma), wide(self.beta)]
        found = [move(wide(self.y[0])), move(wide(results[0])), *map(wide, results[1:])]
        got = dict(zip(("y", "dx", "dgamma", "dbeta"), found, strict=False))
        return {"errors": checked(self.case, got, reference(self.case, *given)), "reference": "PyTorch, float64"}


class Cudnn(Torch):
    """Eager PyTorch, which may choose cuDNN."""

    cudnn = True

    def prepare(self, case):
        if case.norm != "batch_norm":
            raise Missing("cuDNN is asked for batch norm alone")
        if self.device == "cuda" and not self.torch.backends.cudnn.is_available():
            raise Missing("PyTorch has no cuDNN")
        return super().prepare(case)


class Compiled(Torch):
    """torch.compile; compiling is done before anything is timed."""

    is_tuned = False

    def _function(self, case):
        functorch = importlib.import_module("torch._functorch.config")
        functorch.donated_buffer = False  # so that the backward can be run again and again
        importlib.import_module("torch._dynamo").reset()
        mode = "max-autotune-no-cudagraphs" if self.is_tuned else None
        return self.torch.compile(super()._function(case), mode=mode, dynamic=False)


class Tuned(Compiled):
    """torch.compile that tries several kernels."""

    is_tuned = True
