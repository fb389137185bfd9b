"""Batch normalization: Ioffe & Szegedy (2015), Algorithm 1."""

from bnsym.language import Definition, Eq, Sum, axes, constant, data, parameter, size, sqrt, statistics, values

i, c = axes("i c")  # example (and every location of a feature map), feature
m = size(i)

x = data("x", i, c)
gamma, beta = parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", c)
x_hat, y = values("x_hat y", i, c)

batch_norm = Definition(
    "batch_norm",
    source="Ioffe & Szegedy 2015, Algorithm 1",
    layout="channels",
    equations=[
        Eq(mean, Sum(x, i) / m),
        Eq(var, Sum((x - mean) ** 2, i) / m),
        Eq(x_hat, (x - mean) / sqrt(var + eps)),
        Eq(y, gamma * x_hat + beta),
    ],
)
