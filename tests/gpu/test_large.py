"""More than 2^31 elements: of an array, of a channel, of many rows. Each part is a repetition of one block."""

import numpy as np
import pytest

from .modules import module, normal, poisoned, widened

NEEDED = 30e9  # bytes of free memory

# By name: the block that is repeated along axis 0, and how often.
CASES = {
    "channels side by side": ("batch_norm", (2048, 1024), 1025, {}),
    "channels with long runs": ("batch_norm", (1, 4, 1 << 19), 1025, {}),
    "channels last": ("batch_norm", (1, 1 << 12, 1 << 9), 1025, {"channel_axis": -1}),
    "one channel": ("batch_norm", (1024, 1, 2048), 1025, {}),
    "rows": ("layer_norm", (2048, 1024), 1025, {}),
    "long rows": ("layer_norm", (1, 1 << 21), 1025, {}),
}


def repeated(cp, block, times):
    whole = cp.empty((times * len(block), *block.shape[1:]), block.dtype)
    whole.reshape(times, *block.shape)[...] = block
    return whole


def one_block(cp, whole, block):
    """The first block of a result in which all blocks are alike, to the bit."""
    parts = whole.view(np.uint16).reshape(-1, *block.shape)
    for k in range(1, len(parts)):
        assert bool((parts[k] == parts[0]).all()), f"block {k} differs"
    return widened(whole[: len(block)])


def close(cp, got, want, tolerance):
    error = float(cp.sqrt(((got - want) ** 2).sum() / (want**2).sum()))
    assert error < tolerance  # NaN is not


@pytest.mark.usefixtures("alone")  # before `cp`, which gives memory back
@pytest.mark.parametrize("case", CASES)
def test_more_elements_than_32_bits_count(cp, case):
    if cp.cuda.runtime.memGetInfo()[0] < NEEDED:
        pytest.skip(f"it needs {NEEDED / 1e9:.0f} GB of free memory on the device")
    name, shape, times, options = CASES[case]
    norm = module(name)
    block, dblock = normal(cp, 1, shape, "float16", 1, 2), normal(cp, 2, shape, "float16")
    x, dy = repeated(cp, block, times), repeated(cp, dblock, times)
    assert x.size > 2**31
    along_rows = name == "layer_norm"
    kept = 1 if along_rows else options.get("channel_axis", 1) % len(shape)
    axes = (1,) if along_rows else tuple(a for a in range(len(shape)) if a != kept)
    gamma = normal(cp, 3, shape[kept], mean=2.0)
    y, saved = norm.forward(x, gamma, None, out=poisoned(cp, x.shape, "float16"), **options)
    wide, dwide = widened(block), widened(dblock)
    scale = widened(gamma).reshape([-1 if a == kept else 1 for a in range(len(shape))])
    mean, var = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    x_hat = (wide - mean) / cp.sqrt(var + 1e-5)
    close(cp, one_block(cp, y, block), x_hat * scale, 1e-3)
    del y
    dx, dgamma, _ = norm.backward(dy, x, gamma, saved, out=(poisoned(cp, x.shape, "float16"), None, None), **options)
    dx_hat = dwide * scale
    projected = (dx_hat * x_hat).mean(axes, keepdims=True)
    want = (dx_hat - dx_hat.mean(axes, keepdims=True) - x_hat * projected) / cp.sqrt(var + 1e-5)
    close(cp, one_block(cp, dx, block), want, 1e-3)
    others = tuple(a for a in range(len(shape)) if a != kept)
    close(cp, widened(dgamma), times * (dwide * x_hat).sum(others), 1e-3)
