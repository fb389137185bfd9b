"""What is claimed beside the gradients: of every normalization, and what a paper states of its own."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from bnsym.calculus.derive import Derivation
from bnsym.claims import general
from bnsym.model import Proof

OWN = (
    "batch_norm", "batch_renorm", "group_norm", "layer_norm", "masked_batch_norm", "rms_norm", "softmax_cross_entropy",
)  # fmt: skip
REGISTRY = {name: f"bnsym.claims.{name}" for name in OWN}
"""The modules with the claims of a definition's paper. A user's own definition has none, whatever its name."""


def of(derivation: Derivation) -> Iterator[Proof]:
    """The claims of a derivation, each proved or refused."""
    yield from general.claims(derivation)
    own = _own(derivation)
    if own is not None:
        yield from own.claims(derivation)


def invariances(derivation: Derivation) -> Iterator[Proof]:
    """Those of them that say what the outputs do not see of the data."""
    yield from general.invariances(derivation)
    own = _own(derivation)
    if own is not None and hasattr(own, "invariances"):
        yield from own.invariances(derivation)


def _own(derivation: Derivation) -> ModuleType | None:
    name = REGISTRY.get(derivation.definition.name)
    own = import_module(name) if name else None
    return own if own is not None and derivation.definition == own.DEFINITION else None
