"""The matrix products of a module on whole arrays, for the templates to lay out."""

from __future__ import annotations

import bnsym
from bnsym.model import Definition


class ProductSource:
    """The .cu file of a definition whose sums are matrix products: they can then be captured in a CUDA graph."""

    template = "product.cu.j2"
    entries = 2  # float32 and float64: data of 16 bits are widened before they are multiplied

    def __init__(self, definition: Definition):
        self.source, self.version = definition.source, bnsym.__version__
        self.doc = definition.doc.splitlines()[0].rstrip(".") if definition.doc else definition.name
