"""A linear map, `z = x w`: what a layer computes before batch normalization, which would subtract a bias again."""

from bnsym.language import Definition, Eq, Sum, axes, data, parameter, values

n, k, o = axes("n k o")  # example, input unit, output unit

x, w = data("x", n, k), parameter("w", k, o)
z = values("z", n, o)

linear = Definition(
    "linear",
    source="Ioffe & Szegedy 2015, Section 3.2: W u, the bias dropped",
    layout="arrays",
    equations=[Eq(z, Sum(x * w, k))],
)
