"""What the report's tests tell, made when asked for and once: the project's own definitions and three invented ones."""

import pytest
import sympy

from bnsym.calculus.derive import derive
from bnsym.definitions import NAMES, definition
from bnsym.functions import Abs
from bnsym.language import (
    Definition,
    Eq,
    Max,
    Min,
    Sum,
    axes,
    constant,
    data,
    erf,
    exp,
    fixed,
    log,
    mask,
    parameter,
    premise,
    sign,
    size,
    sqrt,
    statistics,
    stop_gradient,
    tanh,
    values,
)  # fmt: skip
from bnsym.lowering.lower import lower
from bnsym.model import Proof
from bnsym.report.markdown import markdown
from bnsym.report.story import story
from bnsym.report.writer import Writer

n, d = axes("n d")
D = size(d)
x, gamma, eps = data("x", n, d), parameter("gamma", d), constant("eps", default=1e-6)
mean, var = statistics("mean var", n)
x_hat, y = values("x_hat y", n, d)
ROWS = Definition(
    "rows",
    source="an | odd *source*, with $ and _marks_ for `code`",
    layout="trailing",
    equations=[
        Eq(mean, Sum(x, d) / D),
        Eq(var, Sum((x - mean) ** 2, d) / D),
        Eq(x_hat, (x - mean) / sqrt(var + eps)),
        Eq(y, gamma * x_hat),
    ],
)

row, col = axes("row col")
rows = size(row)
u, keep = data("u", row, col), mask("keep", row, col)
w_in, bias = parameter("w_in", col), parameter("bias")
mean_, mu, kept = statistics("mean", col), statistics("mu", col), values("kept", col)
h, out_y, mean_square, s = (*values("h_tilde out_y", row, col), values("mean_square"), values("s"))
ODD = Definition(
    "odd",
    source="invented",
    layout="arrays",
    equations=[
        Eq(kept, Sum(keep, row)),
        Eq(mean_, Sum(keep * u, row) / rows),
        Eq(mu, stop_gradient(Max(u, row))),
        Eq(mean_square, Sum(u**2, row, col)),
        Eq(h, tanh(w_in * (u - mean_) - mu) + Abs(u) / (1 + mean_square)),
        Eq(out_y, h * exp(-(u**2) / 2) + bias * kept + Max(h, 0)),
        Eq(s, Sum(out_y**2, row, col) + log(2 + mean_square)),
    ],
    outputs=[out_y, s],
    premises=[premise(Sum(keep, col), 1)],
)

v, knee = data("v", n, d), parameter("knee", d, absent=0)
offset, norm = fixed("offset", n, absent=0), statistics("norm", n)
bent = values("bent", n, d)
HELD = Definition(
    "held",
    source="invented",
    layout="trailing",
    equations=[
        Eq(norm, 2 + Sum(Abs(v), d)),
        Eq(bent, Min(v, knee) / norm ** sympy.Rational(3, 2) + sign(knee) * erf(v / 3) ** 2 + offset),
    ],
)

INVENTED = {made.name: made for made in (ROWS, ODD, HELD)}
TOLD = [*NAMES, *INVENTED]


class Asked(dict):
    """What a function gives for a name, kept."""

    def __init__(self, function):
        self.function = function

    def __missing__(self, name):
        self[name] = self.function(name)
        return self[name]


PROOFS = (
    Proof("a holds", "written out, m = 2", True, "0", 0.25),
    Proof("a holds", "written out, m = 3", True, "0", 0.5, ()),
    Proof("b | c", "normal form", False, "x_i|y", 1.25, ("x > 0",)),
)
DERIVED = Asked(lambda name: derive(INVENTED[name] if name in INVENTED else definition(name)))
KERNELS = Asked(lambda name: lower(DERIVED[name]))
WRITERS = Asked(lambda name: Writer(DERIVED[name], KERNELS[name]))  # as they are before anything is told
STORIES = Asked(lambda name: story(DERIVED[name], KERNELS[name], PROOFS))
REPORTS = Asked(lambda name: markdown(STORIES[name]))
every = pytest.mark.parametrize("name", TOLD)
