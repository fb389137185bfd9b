"""The logistic sigmoid, Ioffe & Szegedy (2015), Section 1: g(x) = 1 / (1 + exp(-x))."""

from bnsym.language import Definition, Eq, axes, data, exp, values

i = axes("i")  # any element

x = data("x", i)
y = values("y", i)

sigmoid = Definition(
    "sigmoid",
    source="Ioffe & Szegedy 2015, Section 1: g(x) = 1 / (1 + exp(-x))",
    layout="elementwise",
    equations=[Eq(y, 1 / (1 + exp(-x)))],
    saved=[y],
)
