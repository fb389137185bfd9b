"""Layer normalization (Ba, Kiros & Hinton 2016) is batch normalization with examples and features exchanged."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Integer

from bnsym.calculus.derive import Derivation
from bnsym.claims.alike import alike, backward_of
from bnsym.claims.stating import substituted, view, viewed
from bnsym.claims.weights import Weights
from bnsym.definitions import batch_norm as batch
from bnsym.definitions.layer_norm import d, gamma, layer_norm, n, x
from bnsym.model import Proof

DEFINITION = layer_norm

EXCHANGED = {batch.i: (d,), batch.c: (n,)}


def claims(derivation: Derivation) -> Iterator[Proof]:
    """Section 5.1's invariance under a scale of the weights; then what batch normalization is to it."""
    yield from Weights(derivation.forward, x, "LN").unchanged()
    yield from exchanged(derivation)


def exchanged(derivation: Derivation) -> Iterator[Proof]:
    """Both compute alike, over the other axis. gamma and beta vary with the features in both, so that y does not."""
    yield from alike(
        derivation.forward,
        viewed(batch.batch_norm.program, EXCHANGED),
        ("mean", "var", "x_hat"),
        "forward: {output} is batch norm's with examples and features exchanged",
    )
    yield from alike(
        substituted(derivation.backward.program, {gamma: Integer(1)}),
        substituted(viewed(backward_of(batch.batch_norm), EXCHANGED), {view(batch.gamma, EXCHANGED): Integer(1)}),
        ("dx",),
        "backward: {output} is batch norm's with examples and features exchanged, for gamma = 1",
    )
