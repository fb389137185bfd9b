"""Batch normalization, then the hyperbolic tangent."""

from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.tanh import tanh
from bnsym.language import composed

batch_norm_tanh = composed(
    "batch_norm_tanh", batch_norm, tanh, source="Ioffe & Szegedy 2015, Section 3.2: g(BN(Wu)), g = tanh"
)
