"""Root mean square layer normalization: Zhang & Sennrich (2019), equation 4."""

from bnsym.language import Definition, Eq, Sum, axes, constant, data, parameter, size, sqrt, statistics, values

n, d = axes("n d")  # example (every leading position), feature (every trailing one)
features = size(d)

x, gamma = data("x", n, d), parameter("gamma", d, absent=1)
eps = constant("eps", default=1e-6)
mean_square = statistics("mean_square", n)
x_hat, y = values("x_hat y", n, d)

rms_norm = Definition(
    "rms_norm",
    source="Zhang & Sennrich 2019, equation 4",
    layout="trailing",
    equations=[
        Eq(mean_square, Sum(x**2, d) / features),
        Eq(x_hat, x / sqrt(mean_square + eps)),
        Eq(y, gamma * x_hat),
    ],
)
