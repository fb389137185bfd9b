"""The sigmoid-weighted linear unit: Elfwing, Uchibe & Doya (2017), equation 6; also called swish."""

from bnsym.language import Definition, Eq, axes, data, exp, values

i = axes("i")  # any element

x = data("x", i)
gate, y = values("gate y", i)

silu = Definition(
    "silu",
    source="Elfwing, Uchibe & Doya 2017, equation 6",
    layout="elementwise",
    equations=[Eq(gate, 1 / (1 + exp(-x))), Eq(y, x * gate)],
)
