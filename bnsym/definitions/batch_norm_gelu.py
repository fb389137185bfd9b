"""Batch normalization, then the Gaussian error linear unit."""

from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.gelu import gelu
from bnsym.language import composed

batch_norm_gelu = composed("batch_norm_gelu", batch_norm, gelu, source="Ioffe & Szegedy 2015; Hendrycks & Gimpel 2016")
