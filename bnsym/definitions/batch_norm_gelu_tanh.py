"""Batch normalization, then the Gaussian error linear unit as a hyperbolic tangent."""

from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.gelu_tanh import gelu_tanh
from bnsym.language import composed

batch_norm_gelu_tanh = composed(
    "batch_norm_gelu_tanh", batch_norm, gelu_tanh, source="Ioffe & Szegedy 2015; Hendrycks & Gimpel 2016"
)
