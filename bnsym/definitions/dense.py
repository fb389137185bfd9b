"""A fully connected layer, `z = x w + b`: its sums are matrix products."""

from bnsym.language import Definition, Eq, Sum, axes, data, parameter, values

n, k, o = axes("n k o")  # example, input unit, output unit

x = data("x", n, k)
w, b = parameter("w", k, o), parameter("b", o, absent=0)
z = values("z", n, o)

dense = Definition(
    "dense",
    source="a fully connected layer, Ioffe & Szegedy 2015, Section 3.2: W u + b",
    layout="arrays",
    equations=[Eq(z, Sum(x * w, k) + b)],
)
