"""Definitions that the project does not ship, each as a user would write it: at most 15 lines."""

HEADER = "from bnsym.language import *\n"

LAYER_NORM = """
n, d = axes("n d")
x = data("x", n, d)
gamma, beta = parameter("gamma", d, absent=1), parameter("beta", d, absent=0)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", n)
x_hat, y = values("x_hat y", n, d)
layer_norm = Definition("layer_norm", source="Ba et al. 2016", layout="trailing", equations=[
    Eq(mean, Sum(x, d) / size(d)),
    Eq(var, Sum((x - mean) ** 2, d) / size(d)),
    Eq(x_hat, (x - mean) / sqrt(var + eps)),
    Eq(y, gamma * x_hat + beta),
])
"""

THREE_SUMS = """
i, c = axes("i c")
x, gamma = data("x", i, c), parameter("gamma", c, absent=1)
eps = constant("eps", default=1e-3)
centre, spread, tail = statistics("centre spread tail", c)
m, y = size(i), values("y", i, c)
three_sums = Definition("three_sums", source="invented", layout="channels", equations=[
    Eq(centre, Sum(x, i) / m),
    Eq(spread, Sum((x - centre) ** 2, i) / m),
    Eq(tail, Sum((x - centre) ** 4, i) / m),
    Eq(y, gamma * (x - centre) / sqrt(spread + tail + eps)),
])
"""

SOFT_SUMS = """
i, c = axes("i c")
x, beta = data("x", i, c), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-2)
power, cube, soft = statistics("power cube soft", c)
m, y = size(i), values("y", i, c)
soft_sums = Definition("soft_sums", source="invented", layout="channels", equations=[
    Eq(power, Sum(x**2, i) / m),
    Eq(cube, Sum(x**3, i) / m),
    Eq(soft, Sum(x * tanh(x), i) / m),
    Eq(y, (x + cube * soft) / sqrt(power + eps) + beta),
])
"""

L1_NORM = """
i, c = axes("i c")
x, gamma = data("x", i, c), parameter("gamma", c, absent=1)
eps = constant("eps", default=1e-5)
mean, deviation = statistics("mean deviation", c)
m, x_hat, y = size(i), *values("x_hat y", i, c)
l1_norm = Definition("l1_norm", source="invented", layout="channels", equations=[
    Eq(mean, Sum(x, i) / m),
    Eq(deviation, Sum(Abs(x - mean), i) / m),
    Eq(x_hat, (x - mean) / (deviation + eps)),
    Eq(y, gamma * x_hat),
])
"""

OWN = {"layer_norm": LAYER_NORM, "three_sums": THREE_SUMS, "soft_sums": SOFT_SUMS, "l1_norm": L1_NORM}


def written(folder, name):
    """A definition as a file."""
    path = folder / f"{name}.py"
    path.write_text(HEADER + OWN[name])
    return path
