"""The Numba backend's own promises: any number of threads at once, forks, the same bits, little memory, plans."""

import os
import subprocess
import sys
import textwrap
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from bnsym.generated.numba import batch_norm, layer_norm
from bnsym.generated.numpy import batch_norm as reference

import bnsym
from bnsym.definitions import NAMES

# along channels and across them, whole and in parts, with long, short and no runs
SHAPES = [
    (60, 100),
    (5000, 30),
    (40, 24, 7, 7),
    (20, 16, 14, 14),
    (4, 20, 24, 24),
    (8, 3, 60, 60),
    (300, 6000),
    (1, 2, 90000),
]


def drawn(shape, dtype=np.float32, mean=3.0):
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(m, 2, shape).astype(dtype) for m in (mean, 1.0))
    gamma, beta = (rng.normal(1, 0.5, shape[1]).astype(dtype) for _ in range(2))
    return x, dy, gamma, beta


def both(x, dy, gamma, beta, **options):
    y, saved = batch_norm.forward(x, gamma, beta, **options)
    return [y, *saved[:3], *batch_norm.backward(dy, x, gamma, saved, **options)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mean", [0.0, 3.0, 1e4])
def test_every_way_over_the_data_is_right(shape, mean):
    x, dy, gamma, beta = drawn(shape, mean=mean)
    wide = [a.astype(np.float64) for a in (x, dy, gamma, beta)]
    y, saved = reference.forward(wide[0], wide[2], wide[3])
    want = [y, *saved[:3], *reference.backward(wide[1], wide[0], wide[2], saved)]
    for got, exact in zip(both(x, dy, gamma, beta), want, strict=True):
        assert np.max(np.abs(got - exact)) <= 2e-6 * max(np.max(np.abs(exact)), 0.1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_same_bits_for_any_number_of_threads(shape):
    given = drawn(shape)
    want = both(*given, threads=1)
    for threads in (2, 3, 7):
        for got, one in zip(both(*given, threads=threads), want, strict=True):
            assert np.array_equal(got, one)


def test_channels_last_is_right():
    x, dy, gamma, beta = drawn((6, 40, 9, 9))
    last = [np.ascontiguousarray(np.moveaxis(a, 1, -1)) for a in (x, dy)]
    got = both(*last, gamma, beta, channel_axis=-1)
    for a, b in zip(got, both(x, dy, gamma, beta), strict=True):
        b = np.moveaxis(b, 1, -1) if b.ndim > 1 else b
        assert np.max(np.abs(a - b)) <= 2e-6 * np.max(np.abs(b))


def test_values_out_of_range_are_right_after_a_call_that_needed_no_units():
    """Which is known then, and made again for small data of the same shape."""
    x, dy, gamma, beta = drawn((60, 100))
    first = both(x, dy, gamma, beta)
    for scale in (np.float32(1e30), np.float32(1e-30)):
        y, saved = batch_norm.forward(x * scale, gamma, beta, eps=0.0)
        want, kept = reference.forward(x * scale, gamma, beta, eps=0.0)
        np.testing.assert_allclose(y, want, atol=1e-5)
        np.testing.assert_allclose(saved.inv_std, kept.inv_std, rtol=1e-5)
        batch_norm.forward(x, gamma, beta, eps=0.0)  # known from here on
        np.testing.assert_array_equal(batch_norm.forward(x * scale, gamma, beta, eps=0.0)[0], y)
    for got, one in zip(both(x, dy, gamma, beta), first, strict=True):
        np.testing.assert_array_equal(got, one)


def test_many_threads_may_call_at_once():
    cases = [drawn(shape) for shape in SHAPES[:6]] * 3
    want = [both(*case) for case in cases]
    with ThreadPoolExecutor(6) as pool:
        for got, one in zip(pool.map(lambda case: both(*case, threads=3), cases), want, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(got, one, strict=True))


def test_a_forked_process_computes_with_threads_of_its_own():
    program = """
        import os
        import numpy as np
        from bnsym.generated.numba import batch_norm
        x = np.random.default_rng(0).normal(size=(16, 20, 40, 40)).astype(np.float32)
        want = batch_norm.forward(x, None, None, threads=3)[0]
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(batch_norm.forward(x, None, None, threads=3)[0], want) else 3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert np.array_equal(batch_norm.forward(x, None, None, threads=3)[0], want)
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("value", "said"), [(0, "threads"), (1.5, "threads"), (True, "threads")])
def test_threads_that_are_none_are_refused(value, said):
    with pytest.raises((TypeError, ValueError), match=said):
        batch_norm.forward(drawn((4, 3))[0], None, None, threads=value)


def test_the_environment_says_how_many_threads(monkeypatch):
    x = drawn((4, 3))[0]
    monkeypatch.setenv("BNSYM_NUM_THREADS", "2")
    batch_norm.forward(x, None, None)
    monkeypatch.setenv("BNSYM_NUM_THREADS", "none")
    with pytest.raises(ValueError, match="BNSYM_NUM_THREADS needs at least 1 thread, got none"):
        batch_norm.forward(x, None, None)


@pytest.mark.parametrize("shape", [(4096, 256), (16, 24, 56, 56), (64, 128, 7, 7)], ids=str)
def test_little_memory_beside_the_results(shape):
    x, dy, gamma, beta = drawn(shape)
    y, dx = np.empty_like(x), np.empty_like(x)
    dgamma, dbeta = np.empty_like(gamma), np.empty_like(gamma)

    def step():
        saved = batch_norm.forward(x, gamma, beta, out=y)[1]
        batch_norm.backward(dy, x, gamma, saved, out=(dx, dgamma, dbeta))

    step()
    tracemalloc.start()
    step()
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken <= 1 << 20


def test_a_plan_gives_what_the_functions_give_in_arrays_of_its_own():
    for shape in ((60, 100), (8, 20, 24, 24), (5000, 30)):
        plan = batch_norm.plan(shape, np.float32, eps=1e-3)
        rng = np.random.default_rng(1)
        for absent in (False, False, True, False):
            x, dy, gamma, beta = drawn(shape, mean=rng.normal())
            gamma = None if absent else gamma
            y, saved = plan.forward(x, gamma, beta)
            results = plan.backward(dy, gamma)
            want, kept = batch_norm.forward(x, gamma, beta, eps=1e-3)
            wanted = batch_norm.backward(dy, x, gamma, kept)
            assert np.array_equal(y, want)
            assert all(np.array_equal(a, b) for a, b in zip(saved, kept, strict=True))
            assert [a is None for a in results] == [False, absent, False]
            assert all(np.array_equal(a, b) for a, b in zip(results, wanted, strict=True) if a is not None)
        again = plan.forward(x, gamma, beta)[0]
        assert again is y or absent is not False


def test_a_plan_of_layer_norm():
    plan = layer_norm.plan((6, 40), np.float32)
    x, dy, *_ = drawn((6, 40))
    gamma = np.linspace(0, 1, 40, dtype=np.float32)
    for _ in range(3):
        assert np.array_equal(plan.forward(x, gamma, gamma)[0], layer_norm.forward(x, gamma, gamma)[0])
        want = layer_norm.backward(dy, x, gamma, layer_norm.forward(x, gamma, gamma)[1])
        assert all(np.array_equal(a, b) for a, b in zip(plan.backward(dy, gamma), want, strict=True))


def test_load_compiles_in_the_users_cache_folder(tmp_path):
    program = """
        import numpy as np, bnsym
        module = bnsym.load("relu", "numba")
        assert module.forward(np.array([-1.0, 2.0])).tolist() == [0.0, 2.0]
        print(module.__file__)
    """
    environment = {**os.environ, "BNSYM_CACHE_DIR": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "-P", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)
    assert list(tmp_path.rglob("*.nbi"))


NO_NUMBA = "import sys\nsys.modules['numba'] = None\n"  # as if it were not installed


def test_without_numba_the_import_says_what_is_missing():
    tried = "\n".join(
        f"try:\n    import bnsym.generated.numba.{n}\nexcept ImportError as e:\n    print(e)" for n in NAMES
    )
    done = subprocess.run([sys.executable, "-P", "-c", NO_NUMBA + tried], capture_output=True, text=True, check=True)
    needing = [n for n in NAMES if bnsym.definition(n).layout != "arrays"]
    said = [f"bnsym.generated.numba.{n} needs Numba: install bnsym[numba]" for n in needing]
    assert done.stdout.splitlines() == said


def test_importing_bnsym_leaves_numba_out():
    program = "import sys, bnsym, bnsym.generated.numba; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
