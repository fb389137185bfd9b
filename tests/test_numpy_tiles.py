"""NumPy's modules on arrays that no cache holds: tiles of channels, parts of them, and the threads that share these."""

import multiprocessing
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from bnsym.generated.numpy import batch_norm, gelu, layer_norm

from tests.kernels.backends import from_file

SHAPES = {
    "tiles of channels": (8, 40, 33, 31),
    "parts of channels": (5000, 97),
    "channels on their own": (7, 2, 300, 301),
}


def drawn(shape, dtype=np.float32):
    rng = np.random.default_rng(5)
    x, dy = (rng.standard_normal(shape).astype(dtype) + 2 for _ in range(2))
    return x, dy, *(rng.standard_normal(shape[1]).astype(np.float32) for _ in range(2))


def step(module, x, dy, gamma, beta, **options):
    y, saved = module.forward(x, gamma, beta, **options)
    return [y, *saved[:3], *module.backward(dy, x, gamma, saved, **options)]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_tiles_and_parts_give_what_all_at_once_gives(shape, dtype):
    whole = from_file("whole_batch_norm", batch_norm.__file__)
    whole._TILE = np.prod(shape)
    tiled = from_file("tiled_batch_norm", batch_norm.__file__)
    tiled._TILE, tiled._LARGE = 30_000, 0
    given = drawn(shape, dtype)
    rounding = {np.float16: 2e-3, np.float32: 2e-6, np.float64: 4e-15}[dtype]
    for a, b in zip(step(tiled, *given), step(whole, *given), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=rounding * np.abs(b).max())


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_bits_are_the_same_for_any_number_of_threads(shape):
    given = drawn(shape)
    tiled = from_file("tiled_batch_norm", batch_norm.__file__)
    tiled._TILE, tiled._LARGE = 30_000, 0
    alone = step(tiled, *given, threads=1)
    for threads in (2, 3, 7, None):
        for a, b in zip(step(tiled, *given, threads=threads), alone, strict=True):
            assert np.array_equal(a, b)


def test_threads_take_part(monkeypatch):
    x, _, gamma, beta = drawn((8, 40, 33, 31))
    tiled = from_file("tiled_batch_norm", batch_norm.__file__)
    tiled._TILE, tiled._LARGE = 30_000, 0
    seen, met = set(), threading.Barrier(2)
    inner = tiled._forward

    def watched(*args):
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            met.wait(10)  # both are in it at one time, or this fails
        return inner(*args)

    monkeypatch.setattr(tiled, "_forward", watched)
    monkeypatch.setenv("BNSYM_NUM_THREADS", "2")
    tiled.forward(x, gamma, beta)
    assert len(seen) == 2
    seen.clear()
    monkeypatch.setattr(tiled, "_forward", lambda *args: (seen.add(threading.get_ident()), inner(*args))[1])
    monkeypatch.setenv("BNSYM_NUM_THREADS", "1")
    tiled.forward(x, gamma, beta)
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize(("threads", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError)])
def test_a_number_of_threads_that_there_cannot_be_is_refused(threads, error):
    x, _, gamma, beta = drawn((4, 3))
    with pytest.raises(error, match="threads"):
        batch_norm.forward(x, gamma, beta, threads=threads)


def test_several_threads_may_call_at_once():
    given = drawn((4096, 130))
    expected = step(batch_norm, *given)
    wrong = []

    def call():
        if not all(map(np.array_equal, step(batch_norm, *given, threads=2), expected)):
            wrong.append(threading.get_ident())

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert not wrong
    assert not any(caller.is_alive() for caller in callers)


def _in_a_child(given, expected, done):
    done.put(all(map(np.array_equal, step(batch_norm, *given, threads=2), expected)))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_has_threads_of_its_own():
    given = drawn((4096, 130))
    expected = step(batch_norm, *given, threads=2)  # the parent's threads are there
    context = multiprocessing.get_context("fork")
    done = context.Queue()
    child = context.Process(target=_in_a_child, args=(given, expected, done))
    child.start()
    assert done.get(timeout=60)
    child.join(60)


def test_an_error_in_a_tile_is_raised(monkeypatch):
    x, _, gamma, beta = drawn((8, 40, 33, 31))
    tiled = from_file("tiled_batch_norm", batch_norm.__file__)
    tiled._TILE, tiled._LARGE = 30_000, 0

    def refused(*args):
        raise MemoryError("no room")

    monkeypatch.setattr(tiled, "_forward", refused)
    with pytest.raises(MemoryError, match="no room"):
        tiled.forward(x, gamma, beta, threads=2)


@pytest.mark.parametrize("shape", [(64, 64, 28, 28), (16384, 256), (128, 256, 7, 7), (8, 3, 224, 224)])
def test_little_memory_is_taken_beside_results(shape):
    x, dy, gamma, beta = drawn(shape)
    y, dx = np.empty_like(x), np.empty_like(x)
    _, saved = batch_norm.forward(x, gamma, beta, out=y)
    assert _peak(lambda: batch_norm.forward(x, gamma, beta, out=y, threads=2)) < 4e6
    assert _peak(lambda: batch_norm.backward(dy, x, gamma, saved, out=(dx, None, None), threads=2)) < 4e6


def test_rows_and_elements_go_in_tiles_as_well():
    x, dy, _, _ = drawn((1500, 600))
    gamma, beta = np.full(600, 1.5, np.float32), np.full(600, 0.5, np.float32)
    assert _peak(lambda: layer_norm.forward(x, gamma, beta, out=dy, threads=1)) < 2.5e6
    assert _peak(lambda: gelu.forward(x, out=dy, threads=1)) < 4e6


def _peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
