"""Batch normalization, a residual added, then the rectified linear unit: a block of He et al. (2016)."""

from bnsym.definitions.add_relu import add_relu
from bnsym.definitions.batch_norm import batch_norm
from bnsym.language import composed

batch_norm_add_relu = composed(
    "batch_norm_add_relu", batch_norm, add_relu, source="Ioffe & Szegedy 2015; He et al. 2016, Figure 2"
)
