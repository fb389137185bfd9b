"""Definitions that the project does not ship, each as a user would write it: at most 15 lines."""

from textwrap import dedent

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


CHANNELS = """
i, c = axes("i c")
m = size(i)
x, gamma, beta = data("x", i, c), parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-2)
y, x_hat, z = values("y x_hat z", i, c)
"""

TRAILING = """
n, d = axes("n d")
width = size(d)
x, gamma, beta = data("x", n, d), parameter("gamma", d, absent=1), parameter("beta", d, absent=0)
eps = constant("eps", default=1e-2)
y, x_hat, h = values("y x_hat h", n, d)
"""

GROUPS = """
n, g, k, s = axes("n g k s")
x = data("x", n, g, k, s)
gamma, beta = parameter("gamma", g, k, absent=1), parameter("beta", g, k, absent=0)
eps = constant("eps", default=1e-2)
number = size(k) * size(s)
y, x_hat = values("y x_hat", n, g, k, s)
"""

INSTANCE = """
n, c, s = axes("n c s")
x, gamma, beta = data("x", n, c, s), parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-2)
y = values("y", n, c, s)
"""

MOMENTS = (
    "Eq(mean, Sum(x, i) / m)",
    "Eq(var, Sum((x - mean) ** 2, i) / m)",
    "Eq(x_hat, (x - mean) / sqrt(var + eps))",
)


def made(beginning, declared, *equations):
    """A definition called `made`, in the layout of its beginning."""
    layout = next(n.lower() for n in ("CHANNELS", "TRAILING", "GROUPS", "INSTANCE") if globals()[n] is beginning)
    lines = "".join(f"    {e},\n" for e in equations)
    head = f'made = Definition("made", source="invented", layout="{layout}", equations=['
    return f"{beginning}{declared}\n{head}\n{lines}])\n"


STATISTICS = 'mean, var = statistics("mean var", c)'

ODD = {
    "fourth power": made(CHANNELS, 'fourth = statistics("fourth", c)', "Eq(fourth, Sum(x**4, i) / m)",
                         "Eq(y, gamma * x / sqrt(sqrt(fourth + eps)) + beta)"),
    "logarithms": made(CHANNELS, 'level = statistics("level", c)', "Eq(level, Sum(log(x**2 + eps), i) / m)",
                       "Eq(y, gamma * x * exp(-level / 2) + beta)"),
    "two arrays": made(CHANNELS, 'r = data("r", i, c)\ncross, var = statistics("cross var", c)',
                       "Eq(cross, Sum(x * r, i) / m)", "Eq(var, Sum(r**2, i) / m)",
                       "Eq(y, gamma * (x - r * cross / (var + eps)) + beta)"),
    "a gate": made(CHANNELS, 'r = data("r", i, c)\n' + STATISTICS, *MOMENTS, "Eq(y, gamma * x_hat * tanh(r) + beta)"),
    "softplus": made(CHANNELS, STATISTICS, *MOMENTS, "Eq(z, gamma * x_hat + beta)", "Eq(y, log(1 + exp(z)))"),
    "a masked mean": made(CHANNELS, 't, count, mean = mask("t", i, c), counts(c), statistics("mean", c)',
                          "Eq(count, Sum(t, i))", "Eq(mean, Sum(t * x, i) / count)",
                          "Eq(y, t * (gamma * (x - mean) + beta))"),
    "weighted rows": made(TRAILING, 'square = statistics("square", n)', "Eq(square, Sum((gamma * x) ** 2, d) / width)",
                          "Eq(y, gamma * x / sqrt(square + eps) + beta)"),
    "rows by their deviation": made(TRAILING, 'mean, dev = statistics("mean dev", n)', "Eq(mean, Sum(x, d) / width)",
                                    "Eq(dev, Sum(Abs(x - mean), d) / width)",
                                    "Eq(y, gamma * (x - mean) / (dev + eps) + beta)"),
    "groups by their squares": made(GROUPS, 'square = statistics("square", n, g)',
                                    "Eq(square, Sum(x**2, k, s) / number)",
                                    "Eq(y, gamma * x / sqrt(square + eps) + beta)"),
    "masked groups": made(GROUPS, 't, count, mean = mask("t", n, g, k, s), counts(n, g), statistics("mean", n, g)',
                          "Eq(count, Sum(t, k, s))", "Eq(mean, Sum(t * x, k, s) / count)",
                          "Eq(y, t * (gamma * (x - mean) + beta))"),
    "instances by their squares": made(INSTANCE, 'square = statistics("square", n, c)',
                                       "Eq(square, Sum(x**2, s) / size(s))",
                                       "Eq(y, gamma * x / sqrt(square + eps) + beta)"),
    "a smooth deviation": made(CHANNELS, 'soft = statistics("soft", c)', "Eq(soft, Sum(sqrt(x**2 + 1), i) / m)",
                               "Eq(y, gamma * x / sqrt(soft + eps) + beta)"),
    "layer norm, then silu": dedent("""
        from bnsym.definitions.layer_norm import layer_norm
        from bnsym.definitions.silu import silu
        made = composed("made", layer_norm, silu, source="invented")
    """),
    "instance norm, then tanh": dedent("""
        from bnsym.definitions.instance_norm import instance_norm
        from bnsym.definitions.tanh import tanh
        made = composed("made", instance_norm, tanh, source="invented")
    """),
    "normalized weights": dedent("""
        n, k, o = axes("n k o")
        x, w, gain = data("x", n, k), parameter("w", k, o), parameter("gain", o, absent=1)
        square, dot, y = values("square", o), values("dot", n, o), values("y", n, o)
        made = Definition("made", source="Salimans & Kingma 2016, equation 2", layout="arrays", equations=[
            Eq(square, Sum(w**2, k)),
            Eq(dot, Sum(x * w, k)),
            Eq(y, gain * dot / sqrt(square)),
        ])
    """),
}  # fmt: skip


def written(folder, name):
    """A definition as a file."""
    path = folder / f"{name}.py"
    path.write_text(HEADER + OWN[name])
    return path
