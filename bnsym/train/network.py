"""The paper's network (Ioffe & Szegedy 2015, Section 4.1), built from kernels alone: no gradient is written here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import numpy as np
import numpy.typing as npt

from bnsym.train.kernels import Kernels
from bnsym.train.layers import BatchNorm, Dense, Layer, Linear, Loss, Sigmoid, SoftmaxCrossEntropy
from bnsym.train.parameters import Array, Parameters

__all__ = ["Architecture", "Network"]


@dataclass(frozen=True)
class Architecture:
    """What a network is made of: sigmoid layers, each with batch normalization or a bias, then one layer of classes."""

    width: int
    hidden: tuple[int, ...] = (100, 100, 100)
    classes: int = 10
    batch: int = 60
    batch_norm: bool = True
    eps: float = 1e-5
    dtype: npt.DTypeLike = np.float32

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters' shapes, layer by layer: w1, gamma1, beta1 (or b1), ..., then the output layer's w and b."""
        shapes: dict[str, tuple[int, ...]] = {}
        widths = (self.width, *self.hidden, self.classes)
        for number, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            shapes[f"w{number}"] = (inputs, outputs)
            normalized = self.batch_norm and number <= len(self.hidden)
            shapes |= {f"{name}{number}": (outputs,) for name in (("gamma", "beta") if normalized else ("b",))}
        return shapes


class Network:
    """A classifier that trains by plain SGD on mini-batches of one size.

    Weights start as Gaussian values of standard deviation `std` drawn from `rng`, biases and beta as 0, gamma as 1.
    `parameters` holds them and the gradients that `backward` sets. Images are (examples, width) and one-hot targets
    (examples, classes), both of the architecture's dtype. All arrays are those of `xp`, the kernels' library.
    """

    def __init__(
        self,
        architecture: Architecture,
        kernels: Kernels,
        std: float,
        rng: np.random.Generator,
        xp: ModuleType = np,
    ):
        self._xp = xp
        self.parameters = Parameters(architecture.shapes(), architecture.dtype, xp)
        for name, (value, _) in self.parameters.items():
            if name.startswith("w"):
                value[...] = xp.asarray(std * rng.standard_normal(value.shape))
            elif name.startswith("gamma"):
                value.fill(1)
        self.layers = _layers(architecture, kernels, self.parameters, xp)
        self.loss = SoftmaxCrossEntropy(kernels.softmax_cross_entropy)

    def forward(self, x: Array, t: Array) -> Loss:
        """Return the loss of a mini-batch, normalized by its own statistics."""
        return self.loss.forward(self._logits(x), t)

    def backward(self, dloss: float = 1.0) -> None:
        """Set every gradient of dloss times the loss that `forward` returned last."""
        dy = self.loss.backward(dloss)
        for layer in reversed(self.layers):
            dy = layer.backward(dy)

    def step(self, x: Array, t: Array, lr: float) -> Loss:
        """Take one step of SGD and return the loss before it."""
        loss = self.forward(x, t)
        self.backward(lr)  # gradients are linear in dloss: with lr for it they are the step itself
        self._xp.subtract(self.parameters.flat, self.parameters.flat_gradients, out=self.parameters.flat)
        return loss

    def freeze(self, batches: Iterable[Array]) -> None:
        """Set the population's statistics from several mini-batches, the parameters as they are (Algorithm 2)."""
        norms = [layer for layer in self.layers if isinstance(layer, BatchNorm)]
        seen = []
        for x in batches if norms else ():
            self._logits(x)
            seen.append([norm.saved for norm in norms])
        for norm, saved in zip(norms, zip(*seen, strict=True), strict=True):
            norm.freeze(saved)

    def infer(self, x: Array) -> Array:
        """Return the logits of any number of examples; with batch normalization, ValueError before `freeze`."""
        for layer in self.layers:
            x = layer.infer(x)
        return x

    def _logits(self, x: Array) -> Array:
        for layer in self.layers:
            x = layer.forward(x)
        return x


def _layers(architecture: Architecture, kernels: Kernels, parameters: Parameters, xp: ModuleType) -> Sequence[Layer]:
    """For every hidden layer z = g(BN(W u)), or z = g(W u + b); then W u + b (Section 3.2)."""
    layers: list[Layer] = []
    last = len(architecture.hidden) + 1
    for number in range(1, last + 1):
        w, b = parameters[f"w{number}"], parameters.get(f"b{number}")
        if b is None:
            gamma, beta = parameters[f"gamma{number}"], parameters[f"beta{number}"]
            layers.append(Linear(kernels.linear, w, first=number == 1))
            layers.append(BatchNorm(kernels.batch_norm, gamma, beta, architecture.eps, xp))
        else:
            layers.append(Dense(kernels.dense, w, b, first=number == 1))
        if number < last:
            layers.append(Sigmoid(kernels.sigmoid))
    return layers
