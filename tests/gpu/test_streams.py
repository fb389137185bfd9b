"""Work goes to the current stream, behind what is queued there, and nobody waits for it."""

import pytest

from .busy import busy
from .modules import bits, module, normal

SHAPES = [(4096, 1024), (64, 64, 28, 28), (60, 100)]


def steps(cp, shape):
    """Calls of every kind, each with what it needs, on the current stream."""
    bn = module("batch_norm")
    x, dy, gamma = normal(cp, 1, shape), normal(cp, 2, shape), normal(cp, 3, shape[1])
    mean, var = normal(cp, 4, shape[1]), normal(cp, 5, shape[1]) ** 2

    def run(x=x):
        y, saved = bn.forward(x, gamma, None)
        results = [y, saved, *bn.backward(dy, x, gamma, saved), *bn.jvp(x, gamma, None, dy, None, None)]
        results += bn.double_backward(dy, None, None, dy, x, gamma, saved)
        return [*results, bn.inference(x, gamma, None, mean, var), *bn.update_running(mean, var, saved)]

    return x, run


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_calls_return_before_the_device_is_done(cp, stream, shape):
    _, run = steps(cp, shape)
    want = bits(*run())  # compiled, and memory taken
    busy(0)
    stream.synchronize()
    busy(2000)
    before = cp.cuda.Event()
    before.record()
    results = run()
    assert not before.done, "a call waited for the device"
    stream.synchronize()
    assert bits(*results) == want


def test_calls_stand_behind_what_is_queued_on_their_stream(cp, stream):
    x, run = steps(cp, (4096, 256))
    want = bits(*run())
    late = cp.zeros_like(x)
    stream.synchronize()
    busy(200)
    late[...] = x  # by a kernel of this stream, after the busy one
    results = run(late)
    stream.synchronize()
    assert bits(*results) == want


def test_the_default_stream_stays_free(cp, stream):
    _, run = steps(cp, (4096, 256))
    run()
    stream.synchronize()
    busy(2000)
    results = run()
    end = cp.cuda.Event()
    end.record()
    cp.cuda.Stream.null.synchronize()  # nothing of the calls is there to wait for
    assert not end.done
    stream.synchronize()
    assert results
