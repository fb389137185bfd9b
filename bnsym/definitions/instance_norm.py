"""Instance normalization: Ulyanov, Vedaldi & Lempitsky (2016), equation 3: each channel of each example by itself."""

from bnsym.language import Definition, Eq, Sum, axes, constant, data, parameter, size, sqrt, statistics, values

n, c, s = axes("n c s")  # example, channel, location
locations = size(s)

x = data("x", n, c, s)
gamma, beta = parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", n, c)
x_hat, y = values("x_hat y", n, c, s)

instance_norm = Definition(
    "instance_norm",
    source="Ulyanov, Vedaldi & Lempitsky 2016, equation 3",
    layout="instance",
    equations=[
        Eq(mean, Sum(x, s) / locations),
        Eq(var, Sum((x - mean) ** 2, s) / locations),
        Eq(x_hat, (x - mean) / sqrt(var + eps)),
        Eq(y, gamma * x_hat + beta),
    ],
)
