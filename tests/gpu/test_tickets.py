"""Kernels whose blocks wait for each other, by tickets or in clusters: no stand-in shows the order of what they do."""

import pytest

from .modules import bits, going, normal, recorded

SHAPES = [
    ("batch_norm", (64, 48, 56, 56)),
    ("batch_norm", (32768, 512)),
    ("batch_norm", (5000, 33)),
    ("layer_norm", (16384, 1024)),
    ("layer_norm", (700, 9000)),
    ("batch_norm_relu", (64, 48, 28, 28)),
]
CLUSTERED = [
    ("batch_norm", (16, 48, 56, 56)),
    ("batch_norm", (9, 200, 40)),
    ("layer_norm", (700, 65536)),
    ("batch_norm_gelu", (64, 48, 28, 28)),
    ("masked_batch_norm", (32, 130, 28, 28)),
]
LAGS = {"tickets": None, "tickets, waiting": lambda blocks, tickets: 0, "tickets, late": lambda blocks, tickets: 1000}
CASES = [(*case, how) for how in LAGS for case in SHAPES] + [(*case, "clusters") for case in CLUSTERED]


def in_one_launch(name, how):
    """The module that takes data through all sweeps in one launch."""
    made = going(name, how.split(",")[0], how.replace(", ", "_"))
    if LAGS.get(how):
        made._lag = LAGS[how]
    return made


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("name", "shape", "how"), CASES, ids=str)
def test_as_pass_by_pass_and_the_same_bits(cp, name, shape, how, dtype):
    split, made = going(name, "split"), in_one_launch(name, how)
    launched = recorded(made)
    x, dy = normal(cp, 1, shape, dtype, 3, 2), normal(cp, 2, shape, dtype)
    gamma, beta = (normal(cp, n, shape[1]) for n in (3, 4))
    mask = [normal(cp, 5, shape, dtype) > -1] if name == "masked_batch_norm" else []
    more = [beta] if name in ("batch_norm_relu", "batch_norm_gelu") else []

    def run(one):
        y, saved = one.forward(x, *mask, gamma, beta)
        return y, *saved[:3], *one.backward(dy, x, *mask, gamma, *more, saved)

    close = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-12}[dtype]
    want, first = run(split), run(made)
    for a, b in zip(want, first, strict=True):
        a, b = a.astype("d"), b.astype("d")
        assert float(abs(a - b).max()) <= close * float(abs(a).max() + 1)
    for n in range(50):
        assert bits(*run(made)) == bits(*first), n
    assert bits(made.forward(x, *mask, gamma, beta, out=x)[0]) == bits(first[0])
    assert any(how.split(",")[0].removesuffix("s") in name for name in launched), sorted(launched)
