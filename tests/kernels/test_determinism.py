"""The same bits run after run, and from two threads at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from .cases import DTYPES, lay, make

SHAPES = [((60, 10), 1), ((7, 5, 6, 3), 1), ((7, 6, 3, 5), -1), ((1024, 600), 1), ((16, 32, 32, 48), 1)]


def everything(bn, case):
    """The bytes of all that a training step and an inference return."""
    y, saved = bn.forward(case.x, case.gamma, case.beta, **case.options)
    gradients = bn.backward(case.dy, case.x, case.gamma, saved, **case.axis)
    z = bn.inference(case.x, case.gamma, case.beta, saved.mean, saved.var, **case.options)
    fixed = bn.inference_backward(case.dy, case.x, case.gamma, saved.mean, saved.var, **case.options)
    return [v.tobytes() for v in (y, *saved[:3], *gradients, z, *fixed)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
@pytest.mark.parametrize("layout", ["C", "F"])
def test_same_bits_twice(bn, dtype, shape, axis, layout):
    case = make(shape, axis, dtype=dtype)
    one, two = (
        type(case)(lay(case.x, layout), lay(case.dy, layout), case.gamma, case.beta, case.eps, axis) for _ in range(2)
    )
    bits = everything(bn, one)
    everything(bn, make((9, 4), dtype=dtype))  # another call in between, should anything be kept
    assert everything(bn, one) == bits
    assert everything(bn, two) == bits


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis", "rounds"), [((60, 10), 1, 60), ((8, 32, 32, 32), 1, 3), ((256, 512), 1, 4)])
def test_two_threads_at_once(bn, dtype, shape, axis, rounds):
    """The same shape with other numbers: kept work arrays that were shared would mix them."""
    cases = [make(shape, axis, dtype=dtype, seed=seed) for seed in range(2)]
    alone = [everything(bn, case) for case in cases]
    start = Barrier(2)

    def many(i):
        start.wait(timeout=30)
        return [everything(bn, cases[i]) for _ in range(rounds)]

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(many, range(2)))
    for i in range(2):
        assert all(bits == alone[i] for bits in together[i])


def test_two_threads_of_unlike_shapes(bn):
    cases = [make((60, 10)), make((11, 7, 5))]
    alone = [everything(bn, case) for case in cases]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda i: everything(bn, cases[i % 2]), range(100)))
    assert all(bits == alone[i % 2] for i, bits in enumerate(together))


def test_floating_point_settings_are_left_as_they_were(bn):
    settings = np.geterr(), np.getbufsize()
    case = make((2000, 300), dtype=np.float32)
    case.x[:, 1] = np.nan
    bn.module.forward(case.x, case.gamma, case.beta)
    assert (np.geterr(), np.getbufsize()) == settings
    with pytest.raises(ValueError, match="gamma"):
        bn.module.forward(case.x, case.gamma[:5], case.beta)
    assert (np.geterr(), np.getbufsize()) == settings


@pytest.mark.parametrize("state", ["raise", "warn", "ignore"])
def test_no_floating_point_error_escapes(bn, state):
    """Overflow, division by zero and NaN in one batch, whatever the caller does about them."""
    case = make((40, 8), dtype=np.float32, eps=0.0)
    for c, value in enumerate((np.nan, np.inf, 3e38, 1e-45, 0)):
        case.x[::2, c] = value
        case.x[1::2, c] = -value if c == 2 else value
    case.dy[0, 5] = np.inf
    with np.errstate(all=state):
        y, saved = bn.module.forward(case.x, case.gamma, case.beta, eps=0.0)
        dx, _, _ = bn.module.backward(case.dy, case.x, case.gamma, saved)
        z = bn.module.inference(case.x, case.gamma, case.beta, saved.mean, saved.var, eps=0.0)
        bn.module.inference_backward(case.dy, case.x, case.gamma, saved.mean, saved.var, eps=0.0)
        bn.module.fold(case.gamma, case.beta, saved.mean, saved.var, eps=0.0)
        bn.module.update_running(saved.mean, saved.var, saved)
        bn.module.population(np.stack([saved.mean] * 2), np.stack([saved.var] * 2), 40)
    assert all(np.isfinite(v[:, 6:]).all() for v in (y, dx, z))
