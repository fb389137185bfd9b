"""A residual added: He et al. (2016), equation 1."""

from bnsym.language import Definition, Eq, axes, data, values

i = axes("i")  # any element

x, residual, y = data("x", i), data("residual", i), values("y", i)

add = Definition("add", source="He et al. 2016, equation 1", layout="elementwise", equations=[Eq(y, x + residual)])
