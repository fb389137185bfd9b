"""The rectified linear unit: max(x, 0). Its derivative at 0 is 0."""

from bnsym.language import Definition, Eq, Max, axes, data, values

i = axes("i")  # any element

x, y = data("x", i), values("y", i)

relu = Definition("relu", source="Nair & Hinton 2010", layout="elementwise", equations=[Eq(y, Max(x, 0))])
