"""Batch normalization, then the sigmoid-weighted linear unit."""

from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.silu import silu
from bnsym.language import composed

batch_norm_silu = composed(
    "batch_norm_silu", batch_norm, silu, source="Ioffe & Szegedy 2015; Elfwing, Uchibe & Doya 2017"
)
