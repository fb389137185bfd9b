"""Layer normalization: Ba, Kiros & Hinton (2016), equations 3 and 4: each example by its own mean and variance."""

from bnsym.language import Definition, Eq, Sum, axes, constant, data, parameter, size, sqrt, statistics, values

n, d = axes("n d")  # example (every leading position), feature (every trailing one)
features = size(d)

x = data("x", n, d)
gamma, beta = parameter("gamma", d, absent=1), parameter("beta", d, absent=0)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", n)
x_hat, y = values("x_hat y", n, d)

layer_norm = Definition(
    "layer_norm",
    source="Ba, Kiros & Hinton 2016, equations 3 and 4",
    layout="trailing",
    equations=[
        Eq(mean, Sum(x, d) / features),
        Eq(var, Sum((x - mean) ** 2, d) / features),
        Eq(x_hat, (x - mean) / sqrt(var + eps)),
        Eq(y, gamma * x_hat + beta),
    ],
)
