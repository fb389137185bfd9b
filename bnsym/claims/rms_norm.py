"""Root mean square normalization: what Zhang & Sennrich (2019) state of it, and what it is to layer normalization."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import sqrt

from bnsym.calculus.derive import Derivation
from bnsym.claims.alike import backward_of
from bnsym.claims.stating import Stated, composed, substituted
from bnsym.claims.weights import Weights
from bnsym.definitions import layer_norm as layer
from bnsym.definitions.rms_norm import d, eps, features, gamma, mean_square, n, rms_norm, x, x_hat, y
from bnsym.language import Eq, Sum, constant, data, values
from bnsym.model import Program, Proof, Quantity

DEFINITION = rms_norm

a, z = constant("a"), data("z", n, d)
average, mean_g, mean_g_x_hat = values("average mean_g mean_g_x_hat", n)
centred, stated = values("x", n, d), values("stated", n, d)
dy = Quantity("dy", y.axes, "gradient")


def claims(derivation: Derivation) -> Iterator[Proof]:
    """The gradient in closed form, the invariances of the paper, and layer norm at mean 0."""
    yield closed_form(derivation)
    yield from linear(derivation.forward)
    yield from Weights(derivation.forward, x, "RMSNorm").unchanged()
    yield from centred_first(derivation)


def closed_form(derivation: Derivation) -> Proof:
    """Section 4's gradient: the identity less the projection on x_hat, times r."""
    dx, r = derivation.backward.gradients[x], 1 / sqrt(mean_square + eps)
    return Stated(derivation.backward.program).holds(
        "backward: dx = r (dy gamma - x_hat mean(dy gamma x_hat)), r = 1 / sqrt(mean_square + eps)",
        Eq(mean_g_x_hat, Sum(dy * gamma * x_hat, d) / features),
        Eq(dx, r * (dy * gamma - x_hat * mean_g_x_hat)),
    )


def linear(forward: Program) -> Iterator[Proof]:
    """RMS(a x) = a RMS(x), which is what the invariances rest on."""
    plain = Stated(forward)
    moved = Stated(substituted(forward, {x: a * x}), beside=plain)
    left, right = Eq(average, sqrt(mean_square)), Eq(average, a * sqrt(mean_square))
    yield plain.equal("forward: RMS(a x) = a RMS(x) for a > 0, RMS(x) = sqrt(mean_square)", left, right, at=moved)


def centred_first(derivation: Derivation) -> Iterator[Proof]:
    """Layer normalization subtracts the mean first; at mean 0 the forward is the same, the gradient is not."""
    centring = Program((z,), (Eq(average, Sum(z, d) / features), Eq(centred, z - average)), (centred,))
    rms = Stated(composed(centring, derivation.backward.program, x))
    whole = backward_of(layer.layer_norm).replace({x: z})
    other = Stated(whole, beside=rms)
    yield rms.equal("forward: x_hat(x - mean(x)) is layer norm's x_hat(x)", x_hat, x_hat, at=other)
    dx = derivation.backward.gradients[x]
    yield rms.equal(
        "backward: dx at x - mean(x) less r mean(dy gamma) is layer norm's dx at x, r = 1 / sqrt(mean_square + eps)",
        dx,
        (Eq(mean_g, Sum(dy * gamma, d) / features), Eq(stated, dx - mean_g / sqrt(mean_square + eps))),
        at=other,
    )
