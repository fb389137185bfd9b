"""Batch renormalization: Ioffe (2017), Algorithm 1. Its r and d are constants to the gradient."""

from bnsym.language import (
    Definition,
    Eq,
    Max,
    Min,
    Sum,
    axes,
    constant,
    data,
    fixed,
    parameter,
    size,
    sqrt,
    statistics,
    stop_gradient,
    values,
)  # fmt: skip

i, c = axes("i c")  # example (and every location of a feature map), feature
m = size(i)

x = data("x", i, c)
gamma, beta = parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
r, d = fixed("r", c, absent=1), fixed("d", c, absent=0)
running_mean, running_var = fixed("running_mean", c), fixed("running_var", c)
eps, r_max, d_max = constant("eps", default=1e-5), constant("r_max", at_least=1), constant("d_max")
mean, var = statistics("mean var", c)
normalized, x_hat, y = values("normalized x_hat y", i, c)

batch_renorm = Definition(
    "batch_renorm",
    source="Ioffe 2017, Algorithm 1",
    layout="channels",
    equations=[
        Eq(mean, Sum(x, i) / m),
        Eq(var, Sum((x - mean) ** 2, i) / m),
        Eq(r, stop_gradient(Min(Max(sqrt(var + eps) / sqrt(running_var + eps), 1 / r_max), r_max))),
        Eq(d, stop_gradient(Min(Max((mean - running_mean) / sqrt(running_var + eps), -d_max), d_max))),
        Eq(normalized, (x - mean) / sqrt(var + eps)),
        Eq(x_hat, normalized * r + d),
        Eq(y, gamma * x_hat + beta),
    ],
)
