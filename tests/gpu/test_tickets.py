"""Kernels whose blocks draw tickets and wait for each other: no stand-in shows the order of memory operations."""

import pytest

from .modules import bits, module, normal

SHAPES = [
    ("batch_norm", (64, 48, 56, 56)),
    ("batch_norm", (32768, 512)),
    ("batch_norm", (5000, 33)),
    ("layer_norm", (16384, 1024)),
    ("layer_norm", (700, 9000)),
    ("batch_norm_relu", (64, 48, 28, 28)),
]
LAGS = {"as chosen": None, "with waiting": lambda blocks, tickets: 0, "far behind": lambda blocks, tickets: 1000}


def ways(name, lag):
    """The module as it would go pass by pass, and by tickets."""
    split, made = module(name, "_split"), module(name, f"_{lag.replace(' ', '_')}")
    for one, ticketed in ((split, False), (made, True)):
        one._is_slab = one._is_clustered = lambda *_: False
        one._is_ticketed = lambda *_, answer=ticketed: answer
        one._launches.cache_clear()
    if LAGS[lag]:
        made._lag = LAGS[lag]
    return split, made


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize(("name", "shape"), SHAPES, ids=str)
def test_as_pass_by_pass_and_the_same_bits(cp, name, shape, lag, dtype):
    split, made = ways(name, lag)
    x, dy = normal(cp, 1, shape, dtype, 3, 2), normal(cp, 2, shape, dtype)
    gamma, beta = (normal(cp, n, shape[1]) for n in (3, 4))
    more = (beta,) if name == "batch_norm_relu" else ()

    def run(one):
        y, saved = one.forward(x, gamma, beta)
        return y, *saved[:3], *one.backward(dy, x, gamma, *more, saved)

    close = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-12}[dtype]
    want, first = run(split), run(made)
    for a, b in zip(want, first, strict=True):
        a, b = a.astype("d"), b.astype("d")
        assert float(abs(a - b).max()) <= close * float(abs(a).max() + 1)
    for n in range(50):
        assert bits(*run(made)) == bits(*first), n
