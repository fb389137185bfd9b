"""Group normalization (Wu & He 2018): layer normalization with one group, instance normalization with C of them."""

from __future__ import annotations

from collections.abc import Iterator

from bnsym.calculus.derive import Derivation
from bnsym.claims.alike import alike, backward_of
from bnsym.claims.stating import viewed
from bnsym.definitions.group_norm import g, group_norm, k, s
from bnsym.definitions.instance_norm import c, instance_norm
from bnsym.definitions.layer_norm import d, layer_norm
from bnsym.model import Proof

DEFINITION = group_norm

FORWARD, BACKWARD = ("mean", "var", "x_hat", "y"), ("dx", "dgamma", "dbeta")


def claims(derivation: Derivation) -> Iterator[Proof]:
    """Section 3.1's two extremes. With one group, gamma and beta are layer norm's where those vary with k alone."""
    whole = derivation.backward.program
    layer = viewed(whole, {g: ()}), viewed(backward_of(layer_norm), {d: (k, s)})
    yield from alike(*layer, FORWARD, "forward: with one group {output} is layer norm's over channels and locations")
    yield from alike(*layer, ("dx",), "backward: with one group {output} is layer norm's over channels and locations")
    instance = viewed(whole, {g: (c,), k: ()}), backward_of(instance_norm)
    yield from alike(*instance, FORWARD, "forward: with one channel in each group {output} is instance norm's")
    yield from alike(*instance, BACKWARD, "backward: with one channel in each group {output} is instance norm's")
