"""A residual added, then the rectified linear unit: He et al. (2016), Figure 2."""

from bnsym.language import Definition, Eq, Max, axes, data, values

i = axes("i")  # any element

x, residual = data("x", i), data("residual", i)
total, y = values("total y", i)

add_relu = Definition(
    "add_relu", source="He et al. 2016, Figure 2", layout="elementwise",
    equations=[Eq(total, x + residual), Eq(y, Max(total, 0))],
)  # fmt: skip
