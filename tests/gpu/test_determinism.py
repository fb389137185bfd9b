"""The same bits over many runs, whatever else the device does."""

import numpy as np
import pytest

from .modules import bits, module, normal

SHAPES = [(4096, 1024), (64, 64, 28, 28), (16, 3, 112, 112), (60, 100), (2048, 7, 7, 64)]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_twenty_runs(cp, shape, dtype):
    bn = module("batch_norm")
    x, dy = normal(cp, 1, shape, dtype, 3, 2), normal(cp, 2, shape, dtype)
    gamma, beta = (normal(cp, n, shape[1]) for n in (3, 4))

    def run():
        y, saved = bn.forward(x, gamma, beta)
        return bits(y, saved, *bn.backward(dy, x, gamma, saved))

    want = run()
    for n in range(20):
        scratch = cp.full(1 << 20, n, np.float32)  # other memory, and other work beside it
        assert run() == want, n
        del scratch


def test_twenty_runs_on_as_many_streams(cp):
    bn = module("batch_norm")
    x, gamma = normal(cp, 1, (4096, 256)), normal(cp, 2, 256)
    want = bits(*bn.forward(x, gamma, None))
    streams = [cp.cuda.Stream(non_blocking=True) for _ in range(20)]
    cp.cuda.Device().synchronize()
    results = []
    for stream in streams:
        with stream:
            results.append(bn.forward(x, gamma, None))
    cp.cuda.Device().synchronize()
    assert all(bits(*r) == want for r in results)
