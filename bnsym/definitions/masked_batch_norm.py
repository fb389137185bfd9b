"""Batch normalization (Ioffe & Szegedy 2015, Algorithm 1) over the positions that a mask of zeros and ones leaves."""

from bnsym.language import (
    Definition,
    Eq,
    Sum,
    axes,
    constant,
    counts,
    data,
    mask,
    parameter,
    sqrt,
    statistics,
    values,
)  # fmt: skip

i, c = axes("i c")  # example (and every location), feature

x, taken = data("x", i, c), mask("mask", i, c)
gamma, beta = parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-5)
count, (mean, var) = counts(c), statistics("mean var", c)
x_hat, y = values("x_hat y", i, c)

masked_batch_norm = Definition(
    "masked_batch_norm",
    source="Ioffe & Szegedy 2015, Algorithm 1, over the positions that take part",
    layout="channels",
    equations=[
        Eq(count, Sum(taken, i)),
        Eq(mean, Sum(taken * x, i) / count),
        Eq(var, Sum(taken * (x - mean) ** 2, i) / count),
        Eq(x_hat, (x - mean) / sqrt(var + eps)),
        Eq(y, taken * (gamma * x_hat + beta)),
    ],
)
