"""Batch normalization, then the logistic sigmoid."""

from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.sigmoid import sigmoid
from bnsym.language import composed

batch_norm_sigmoid = composed(
    "batch_norm_sigmoid", batch_norm, sigmoid, source="Ioffe & Szegedy 2015, Section 3.2: g(BN(Wu)), g = sigmoid"
)
