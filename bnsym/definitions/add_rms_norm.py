"""A residual added, then RMS normalization."""

from bnsym.definitions.add import add
from bnsym.definitions.rms_norm import rms_norm
from bnsym.language import composed

add_rms_norm = composed(
    "add_rms_norm", add, rms_norm, source="Zhang & Sennrich 2019, after a residual", between="total"
)
