"""A residual added, then layer normalization: Vaswani et al. (2017), Section 3.1: LayerNorm(x + Sublayer(x))."""

from bnsym.definitions.add import add
from bnsym.definitions.layer_norm import layer_norm
from bnsym.language import composed

add_layer_norm = composed("add_layer_norm", add, layer_norm, source="Vaswani et al. 2017, Section 3.1", between="total")
