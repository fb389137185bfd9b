"""What becomes of a normalization of W u, and of its gradients, when W is scaled by a > 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from bnsym.calculus.chain import reverse
from bnsym.claims.stating import Stated, composed, substituted
from bnsym.language import Eq, Sum, axes, constant, data, parameter, values
from bnsym.model import Program, Proof, Quantity

k = axes("k")
a = constant("a")


class Weights:
    """A normalization of x = W u, u along the examples and k, W along k and the features; eps is its only constant."""

    def __init__(self, forward: Program, x: Quantity, name: str):
        examples, features = x.axes
        self.name = name
        self.u, self.W, z = data("u", examples, k), parameter("W", k, features), values(x.name, *x.axes)
        self.eps = next(q for q in forward.inputs if q.role == "constant")
        (self.y,) = forward.outputs
        dense = Program((self.u, self.W), (Eq(z, Sum(self.u * self.W, k)),), (z,))
        self.backward = reverse(composed(dense, forward, x), (self.u, self.W))
        self.plain = Stated(self.backward.program)

    def unchanged(self) -> Iterator[Proof]:
        """Where eps is scaled by a^2, and at eps = 0."""
        yield from self._unchanged(self.plain, self.scaled({self.eps: a**2 * self.eps}), "with eps scaled by a^2")
        without = substituted(self.backward.program, {self.eps: sympy.Integer(0)})
        plain = Stated(without)
        yield from self._unchanged(
            plain, Stated(substituted(without, {self.W: a * self.W}), beside=plain), "at eps = 0"
        )

    def scaled(self, constants: Mapping[Quantity, sympy.Expr]) -> Stated:
        """The same of a W."""
        return Stated(substituted(self.backward.program, {self.W: a * self.W, **constants}), beside=self.plain)

    def _unchanged(self, plain: Stated, scaled: Stated, condition: str) -> Iterator[Proof]:
        du, dW, f = self.backward.gradients[self.u], self.backward.gradients[self.W], self.name
        divided = Eq(Quantity("stated_dW", dW.axes), dW / a)
        yield plain.equal(f"{f}((aW)u) = {f}(Wu), for a > 0, {condition}", self.y, self.y, at=scaled)
        yield plain.equal(f"d {f}((aW)u)/du = d {f}(Wu)/du, for a > 0, {condition}", du, du, at=scaled)
        yield plain.equal(f"d {f}((aW)u)/d(aW) = (1/a) d {f}(Wu)/dW, for a > 0, {condition}", dW, divided, at=scaled)
