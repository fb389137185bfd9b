"""Norms that once went wrong, each from derivation to printed kernels: proved, tried out, and loaded."""

import numpy as np
import pytest

import bnsym
from tests.test_own_norms import Norm, check_derivatives

CHANNELS = """
from bnsym.language import *
i, c = axes("i c")
m, x = size(i), data("x", i, c)
gamma, beta = parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-5)
mean, var, skew = statistics("mean var skew", c)
x_hat, y, w = *values("x_hat y", i, c), values("w")
moments = [Eq(mean, Sum(x, i) / m), Eq(var, Sum((x - mean) ** 2, i) / m), Eq(x_hat, (x - mean) / sqrt(var + eps))]
"""

ROWS = """
from bnsym.language import *
n, d = axes("n d")
x, t = data("x", n, d), mask("t", n, d)
gamma, beta = parameter("gamma", d, absent=1), parameter("beta", d, absent=0)
eps = constant("eps", default=1e-5)
count, (mean, var), total, top = counts(n), statistics("mean var", n), statistics("total", n), statistics("top", n)
e, y = values("e y", n, d)
"""

COMPOSED = """
from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.relu import relu
from bnsym.definitions.sigmoid import sigmoid
from bnsym.language import *
j = axes("j")
u, k, v = data("u", j), mask("k", j), values("v", j)
"""


def channels(*equations, before="moments"):
    listed = f"[*{before}, {', '.join(equations)}]"
    return f'{CHANNELS}own = Definition("own", source="-", layout="channels", equations={listed})'


def rows(*equations):
    return f'{ROWS}own = Definition("own", source="-", layout="trailing", equations=[{", ".join(equations)}])'


ODD = {
    "an array that its own gate needs": channels("Eq(y, x_hat / (1 + exp(-gamma * x_hat)) + beta)"),
    "a third moment": channels("Eq(skew, Sum(x_hat**3, i) / m)", "Eq(y, gamma * (x_hat - skew * x_hat**2) + beta)"),
    "softplus": channels("Eq(y, x_hat * log(1 + exp(gamma * x_hat + beta)))"),
    "y is x less what depends on x": channels("Eq(mean, Sum(gamma * x, i) / m)", "Eq(y, x - mean)", before="[]"),
    "a mean of means": channels(
        "Eq(mean, Sum(x, i) / m)", "Eq(w, Sum(mean, c) / size(c))", "Eq(y, gamma * (x - w))", before="[]"
    ),
    "a held mean": channels(
        "Eq(mean, stop_gradient(Sum(x, i) / m))",
        "Eq(var, Sum((x - mean) ** 2, i) / m)",
        "Eq(y, gamma * (x - mean) / sqrt(var + eps) + beta)",
        before="[]",
    ),
    "a held variance": channels(
        "Eq(mean, Sum(x, i) / m)",
        "Eq(var, stop_gradient(Sum((x - mean) ** 2, i) / m))",
        "Eq(y, gamma * (x - mean) / sqrt(var + eps) + beta)",
        before="[]",
    ),
    "a divisor of either sign": channels("Eq(y, gamma * Abs(x / (mean + 2)) + beta * Abs(x))"),
    "a root of a square": channels("Eq(skew, 1 / (mean + 2) ** 2)", "Eq(y, (x * sqrt(skew) + beta / (mean + 2)) ** 2)"),
    "a held smallest": channels("Eq(skew, stop_gradient(Max(-x, i)))", "Eq(y, gamma * (x - skew) + beta)"),
    "an exponential of the variance": channels("Eq(y, gamma * (x - mean) * exp(-var) + beta)"),
    "two irrational numbers": channels("Eq(y, gamma * x_hat * sqrt(2) + sqrt(3) * beta)"),
    "gamma under a sum": channels("Eq(skew, gamma**2 + 1)", "Eq(y, x_hat / skew + beta)"),
    "masked rows": rows(
        "Eq(count, Sum(t, d))",
        "Eq(mean, Sum(t * x, d) / count)",
        "Eq(var, Sum(t * (x - mean) ** 2, d) / count)",
        "Eq(y, t * (gamma * (x - mean) / sqrt(var + eps) + beta))",
    ),
    "several sums in one equation": rows("Eq(e, exp(x))", "Eq(total, Sum(e, d))", "Eq(y, gamma * e / total + beta)"),
    "a held largest": rows("Eq(top, stop_gradient(Max(Abs(x), d)))", "Eq(y, gamma * x / (top + eps))"),
    "an activation first": f'{COMPOSED}own = composed("own", relu, batch_norm, source="-")',
    "a product of equal sums": f'{COMPOSED}own = composed("own", sigmoid, batch_norm, source="-", between="s")',
    "a constant in what comes first": f"""{COMPOSED}delta = constant("delta", default=0.1)
soft = Definition("soft", source="-", layout="elementwise", equations=[Eq(v, u / (Abs(u) + delta))])
own = composed("own", soft, batch_norm, source="-")
del soft""",
    "a mask last": f"""{COMPOSED}kept = Definition("kept", source="-", layout="elementwise", equations=[Eq(v, u * k)])
own = composed("own", batch_norm, kept, source="-")
del kept""",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_it_is_proved_and_its_kernels_run(text, tmp_path, monkeypatch):
    monkeypatch.setenv("BNSYM_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "own.py"
    path.write_text(text)
    assert {"forward", "backward", "jvp", "double_backward", "backward_jvp"} <= set(bnsym.load(path).__all__)


@pytest.mark.parametrize("name", ["a divisor of either sign", "a root of a square"])
def test_data_on_the_other_side_of_a_zero(name, tmp_path, monkeypatch):
    """The divisor is negative here: |x / d| is not |x| / d, nor is sqrt(d^2) d."""
    monkeypatch.setenv("BNSYM_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "own.py"
    path.write_text(ODD[name])
    check_derivatives(Far(path))


class Far(Norm):
    """Data whose mean lies below -2."""

    def drawn(self, q):
        return super().drawn(q) - 4 * (q.role == "data")


def test_a_root_under_a_sum_is_undecided(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        channels(
            "Eq(mean, Sum(sqrt(x**2 + 1), i) / m)",
            "Eq(var, Sum(sqrt(x**2 + mean), i) / m)",
            "Eq(y, gamma * x / sqrt(var + eps))",
            before="[]",
        )
    )
    with pytest.raises(bnsym.ProofError, match="undecided"):
        bnsym.load(path)


def test_an_omitted_number_stands_for_what_it_stands_for(tmp_path, monkeypatch):
    """PReLU: None is 1 for its slope, not 0, and has no gradient."""
    monkeypatch.setenv("BNSYM_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "own.py"
    path.write_text(
        'from bnsym.language import *\ni = axes("i")\n'
        'x, a, y = data("x", i), parameter("a", absent=1), values("y", i)\n'
        'own = Definition("own", source="-", layout="elementwise",'
        " equations=[Eq(y, Max(x, 0) * a + Min(x, 0) / 4)])"
    )
    own, x = bnsym.load(path), np.array([-1.0, 2.0])
    np.testing.assert_array_equal(own.forward(x, None), [-0.25, 2.0])
    dx, da = own.backward(np.ones(2), x, None)
    np.testing.assert_array_equal(dx, [0.25, 1.0])
    assert da is None
