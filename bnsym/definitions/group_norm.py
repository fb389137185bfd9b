"""Group normalization: Wu & He (2018), equations 1 to 6: each example's groups of channels, by their own statistics."""

from bnsym.language import Definition, Eq, Sum, axes, constant, data, parameter, size, sqrt, statistics, values

n, g, k, s = axes("n g k s")  # example, group, channel of the group, location
width, locations = size(k), size(s)

x = data("x", n, g, k, s)
gamma, beta = parameter("gamma", g, k, absent=1), parameter("beta", g, k, absent=0)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", n, g)
x_hat, y = values("x_hat y", n, g, k, s)

group_norm = Definition(
    "group_norm",
    source="Wu & He 2018, equations 1 to 6",
    layout="groups",
    equations=[
        Eq(mean, Sum(x, k, s) / (width * locations)),
        Eq(var, Sum((x - mean) ** 2, k, s) / (width * locations)),
        Eq(x_hat, (x - mean) / sqrt(var + eps)),
        Eq(y, gamma * x_hat + beta),
    ],
)
