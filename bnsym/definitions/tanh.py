"""The hyperbolic tangent."""

from bnsym import language
from bnsym.language import Definition, Eq, axes, data, values

i = axes("i")  # any element

x, y = data("x", i), values("y", i)

tanh = Definition(
    "tanh", source="the hyperbolic tangent", layout="elementwise", equations=[Eq(y, language.tanh(x))], saved=[y]
)
