"""Batch normalization, then the rectified linear unit."""

from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.relu import relu
from bnsym.language import composed

batch_norm_relu = composed(
    "batch_norm_relu", batch_norm, relu, source="Ioffe & Szegedy 2015, Section 3.2: g(BN(Wu)), g = relu"
)
