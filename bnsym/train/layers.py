"""The layers of a network: each keeps its buffers and calls its kernels, which hold all of the mathematics.

A layer has `forward` and `backward` for training, on mini-batches of one size that it has buffers for, and `infer` for
examples in any number. What `forward` and `backward` return is the layer's own buffer, valid until its next call.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from bnsym.train.parameters import Array, Parameter

__all__ = ["BatchNorm", "Dense", "FirstDense", "Layer", "Sigmoid", "SoftmaxCrossEntropy"]


class Layer(Protocol):
    """What a network asks of a layer; x is (examples, inputs) and y is (examples, outputs), of one dtype."""

    def forward(self, x: Array) -> Array:
        """Return y for a mini-batch, keeping what `backward` needs."""

    def backward(self, dy: Array) -> Array:
        """Set the gradients of the layer's parameters and return dx; dy may be overwritten."""

    def infer(self, x: Array) -> Array:
        """Return y with nothing kept; x may be overwritten, unless it is the data."""


class Dense:
    """z = x w + b; without b where a batch normalization follows, which would subtract it again (Section 3.2)."""

    def __init__(self, kernel: ModuleType, batch: int, w: Parameter, b: Parameter | None = None):
        self._kernel, self.w = kernel, w
        self._b: Array | None
        self._db: Array | None
        self._b, self._db = (None, None) if b is None else b
        inputs, outputs = w.value.shape
        self.z = np.empty((batch, outputs), w.value.dtype)
        self.dx = np.empty((batch, inputs), w.value.dtype)
        self.x = self.dx  # until `forward` is given one

    def forward(self, x: Array) -> Array:
        """Return z, computed into the layer's buffer."""
        self.x = x
        return self.infer(x, out=self.z)

    def backward(self, dz: Array) -> Array:
        """Return dx, computed into the layer's buffer."""
        self._kernel.backward(dz, self.x, self.w.value, out=(self.dx, self.w.gradient, self._db))
        return self.dx

    def infer(self, x: Array, out: Array | None = None) -> Array:
        """Return z in a new array, or in `out`."""
        z: Array = self._kernel.forward(x, self.w.value, self._b, out=out)
        return z


class FirstDense(Dense):
    """A dense layer on the data, which takes no gradient: the product that would give it is left out."""

    def backward(self, dz: Array) -> Array:
        """Set the gradients of the parameters; what is returned is dz."""
        self._kernel.parameter_backward(dz, self.x, out=(self.w.gradient, self._db))
        return dz


class BatchNorm:
    """y = gamma x_hat + beta by Algorithm 1; `infer` is Algorithm 2, with the statistics that `freeze` was given."""

    def __init__(self, kernel: ModuleType, batch: int, gamma: Parameter, beta: Parameter, eps: float):
        self._kernel, self._gamma, self._beta, self._eps = kernel, gamma, beta, eps
        self._y = np.empty((batch, len(gamma.value)), gamma.value.dtype)
        self._x = self._y  # until `forward` is given one
        self.saved: Any = None
        self._population: tuple[Array, Array] | None = None

    def forward(self, x: Array) -> Array:
        """Return y, computed into the layer's buffer: `backward` needs x as it is."""
        self._x = x
        y: Array
        y, self.saved = self._kernel.forward(x, self._gamma.value, self._beta.value, eps=self._eps, out=self._y)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx, computed into dy."""
        out = (dy, self._gamma.gradient, self._beta.gradient)
        self._kernel.backward(dy, self._x, self._gamma.value, self.saved, out=out)
        return dy

    def freeze(self, batches: Sequence[Any]) -> None:
        """Take the population's mean and variance from what `forward` saved of several mini-batches of one size."""
        means, variances = np.stack([saved.mean for saved in batches]), np.stack([saved.var for saved in batches])
        self._population = self._kernel.population(means, variances, batches[0].count)

    def infer(self, x: Array) -> Array:
        """Return y, computed into x, from the population's statistics; ValueError before `freeze`."""
        if self._population is None:
            raise ValueError("inference needs the population's statistics: call freeze before infer")
        self._kernel.inference(x, self._gamma.value, self._beta.value, *self._population, eps=self._eps, out=x)
        return x


class Sigmoid:
    """y = g(x), the logistic function, computed in place: the layer before needs nothing of its own output."""

    def __init__(self, kernel: ModuleType):
        self._kernel = kernel
        self._saved: Any = None

    def forward(self, x: Array) -> Array:
        """Return y, computed into x."""
        _, self._saved = self._kernel.forward(x, out=x)
        return x

    def backward(self, dy: Array) -> Array:
        """Return dx, computed into dy."""
        self._kernel.backward(dy, self._saved, out=dy)
        return dy

    def infer(self, x: Array) -> Array:
        """Return y, computed into x."""
        self._kernel.forward(x, out=x)
        return x


class SoftmaxCrossEntropy:
    """The loss of a mini-batch: the cross-entropy of softmax(z) against one-hot targets, a mean over the examples."""

    def __init__(self, kernel: ModuleType, batch: int, classes: int, dtype: Any):
        self._kernel = kernel
        self.dz = np.empty((batch, classes), dtype)
        self._t, self._saved = self.dz, None

    def forward(self, z: Array, t: Array) -> float:
        """Return the loss for z and t, both of shape (batch, classes)."""
        self._t = t
        loss: float
        loss, self._saved = self._kernel.forward(z, t)
        return loss

    def backward(self, dloss: float) -> Array:
        """Return dz, computed into the layer's buffer."""
        self._kernel.backward(dloss, self._t, self._saved, out=self.dz)
        return self.dz
