"""The layers of a network: each calls its kernels, which hold all of the mathematics.

A layer has `forward` and `backward` for training, and `infer` for testing. Only a large gradient is written where it
belongs, by `out`: a small array is allocated sooner than it is checked.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from bnsym.train.parameters import Array, Parameter

__all__ = ["BatchNorm", "Dense", "Layer", "Linear", "Loss", "Sigmoid", "SoftmaxCrossEntropy"]

Loss = Any  # a float; where arrays lie on a device an array without axes, for to look at it is to wait


class Layer(Protocol):
    """What a network asks of a layer; x is (examples, inputs) and y is (examples, outputs), of one dtype."""

    def forward(self, x: Array) -> Array:
        """Return y for a mini-batch, keeping what `backward` needs."""

    def backward(self, dy: Array) -> Array:
        """Set the gradients of the layer's parameters and return dx."""

    def infer(self, x: Array) -> Array:
        """Return y with nothing kept; x may be overwritten, unless it is the data."""


class Linear:
    """z = x w, as before a batch normalization, which would subtract a bias again (Section 3.2).

    The first layer of a network takes no gradient to the data: the product that would give it is left out.
    """

    def __init__(self, kernel: ModuleType, w: Parameter, *, first: bool = False):
        self._kernel, self.w, self.first = kernel, w, first
        self.x = w.value  # until `forward` is given one

    def forward(self, x: Array) -> Array:
        """Return z."""
        self.x = x
        return self.infer(x)

    def backward(self, dz: Array) -> Array:
        """Set the gradient of w and return dx; what the first layer returns is dz."""
        if self.first:
            self._kernel.parameter_backward(dz, self.x, out=self.w.gradient)
            return dz
        dx: Array = self._kernel.backward(dz, self.x, self.w.value, out=(None, self.w.gradient))[0]
        return dx

    def infer(self, x: Array) -> Array:
        """Return z, with nothing kept."""
        z: Array = self._kernel.forward(x, self.w.value)
        return z


class Dense(Linear):
    """z = x w + b."""

    def __init__(self, kernel: ModuleType, w: Parameter, b: Parameter, *, first: bool = False):
        super().__init__(kernel, w, first=first)
        self._b = b

    def backward(self, dz: Array) -> Array:
        """Set the gradients of w and b and return dx; what the first layer returns is dz."""
        gradients = (self.w.gradient, self._b.gradient)
        if self.first:
            self._kernel.parameter_backward(dz, self.x, out=gradients)
            return dz
        dx: Array = self._kernel.backward(dz, self.x, self.w.value, out=(None, *gradients))[0]
        return dx

    def infer(self, x: Array) -> Array:
        """Return z, with nothing kept."""
        z: Array = self._kernel.forward(x, self.w.value, self._b.value)
        return z


class BatchNorm:
    """y = gamma x_hat + beta by Algorithm 1; `infer` is Algorithm 2, with the statistics that `freeze` was given."""

    def __init__(self, kernel: ModuleType, gamma: Parameter, beta: Parameter, eps: float, xp: ModuleType = np):
        self._kernel, self._gamma, self._beta, self._eps, self._xp = kernel, gamma, beta, eps, xp
        self._x = gamma.value  # until `forward` is given one
        self.saved: Any = None
        self._population: tuple[Array, Array] | None = None

    def forward(self, x: Array) -> Array:
        """Return y; `backward` needs x as it is."""
        self._x = x
        y: Array
        y, self.saved = self._kernel.forward(x, self._gamma.value, self._beta.value, eps=self._eps)
        return y

    def backward(self, dy: Array) -> Array:
        """Set the gradients of gamma and beta and return dx."""
        dx: Array
        dx, dgamma, dbeta = self._kernel.backward(dy, self._x, self._gamma.value, self.saved)
        # Copied, as they are small: checking them as `out` would cost more.
        self._gamma.gradient[...], self._beta.gradient[...] = dgamma, dbeta
        return dx

    def freeze(self, batches: Sequence[Any]) -> None:
        """Take the population's mean and variance from what `forward` saved of several mini-batches of one size."""
        means, variances = (self._xp.stack([getattr(saved, n) for saved in batches]) for n in ("mean", "var"))
        self._population = self._kernel.population(means, variances, batches[0].count)

    def infer(self, x: Array) -> Array:
        """Return y, computed into x, from the population's statistics; ValueError before `freeze`."""
        if self._population is None:
            raise ValueError("inference needs the population's statistics: call freeze before infer")
        self._kernel.inference(x, self._gamma.value, self._beta.value, *self._population, eps=self._eps, out=x)
        return x


class Sigmoid:
    """y = g(x), the logistic function."""

    def __init__(self, kernel: ModuleType):
        self._kernel = kernel
        self._saved: Any = None

    def forward(self, x: Array) -> Array:
        """Return y."""
        y: Array
        y, self._saved = self._kernel.forward(x)
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx."""
        dx: Array = self._kernel.backward(dy, self._saved)
        return dx

    def infer(self, x: Array) -> Array:
        """Return y, computed into x."""
        self._kernel.forward(x, out=x)
        return x


class SoftmaxCrossEntropy:
    """The loss of a mini-batch: the cross-entropy of softmax(z) against one-hot targets, a mean over the examples."""

    def __init__(self, kernel: ModuleType):
        self._kernel = kernel
        self._t = np.empty(0)  # until `forward` is given targets
        self._saved: Any = None

    def forward(self, z: Array, t: Array) -> Loss:
        """Return the loss for z and t, both of shape (batch, classes)."""
        self._t = t
        loss, self._saved = self._kernel.forward(z, t)
        return loss

    def backward(self, dloss: float) -> Array:
        """Return dz."""
        dz: Array = self._kernel.backward(dloss, self._t, self._saved)
        return dz
