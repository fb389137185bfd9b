"""The trainer on the device: a step captured in a graph trains as NumPy's does, and nobody waits for it."""

import numpy as np
import pytest

from .busy import busy
from .modules import bits, module, normal

pytest.importorskip("bnsym.train.training", reason="the trainer is bnsym's: install it, or run tests.gpu_report")

from bnsym.train.data import load_digits
from bnsym.train.options import options_for
from bnsym.train.training import Trainer, train
from tests.train_data import made_up

WITH_AND_WITHOUT = pytest.mark.parametrize("batch_norm", [True, False], ids=["batch norm", "bias"])
SHAPES = [(60, 784, 100), (60, 100, 100), (60, 100, 10), (1, 1, 1), (17, 1000, 33), (2048, 129, 515), (5, 0, 3)]


def options(backend="cupy", **settings):
    return options_for("mnist", backend=backend, population_batches=10, **settings)


@pytest.fixture(scope="module")
def images():
    """As wide as MNIST's."""
    return made_up(3000, 500, 784)


@pytest.fixture
def captured(cp, stream):
    """What captures a run: its results, and the graph that gives them; its memory is nobody else's."""
    pool = cp.cuda.MemoryPool()

    def capture(run):
        with cp.cuda.using_allocator(pool.malloc):
            run()  # compiled, and the pool has memory
            stream.synchronize()
            stream.begin_capture()
            try:
                results = run()
            finally:
                graph = stream.end_capture()
        return results, graph

    return capture


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "k", "o"), SHAPES)
def test_products_in_a_graph(cp, stream, captured, n, k, o, dtype):
    """Those of a layer forward and backward: of rows, of rows and columns, of columns and rows."""
    linear = module("linear")
    x, w, dz = (normal(cp, seed, shape, dtype) for seed, shape in enumerate([(n, k), (k, o), (n, o)]))
    results, graph = captured(lambda: (linear.forward(x, w), *linear.backward(dz, x, w)))
    found = []
    for _ in range(3):
        for result in results:
            result.fill(float("nan"))
        graph.launch(stream)
        stream.synchronize()
        found.append(bits(*results))
    assert found[0] == found[1] == found[2]
    x, w, dz = (a.get().astype(np.float64) for a in (x, w, dz))
    for got, a, b in zip(results, (x, dz, x.T), (w, w.T, dz), strict=True):
        bound = (a.shape[1] + 1) * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b))
        assert np.all(np.abs(got.get() - a @ b) <= bound)


def test_a_dense_layer_in_a_graph_sees_new_numbers(cp, stream, captured):
    dense = module("dense")
    x, w, b = normal(cp, 1, (60, 784)), normal(cp, 2, (784, 100)), normal(cp, 3, 100)
    z, graph = captured(lambda: dense.forward(x, w, b))
    for seed in (4, 5):
        x[...] = normal(cp, seed, (60, 784))
        graph.launch(stream)
        want = dense.forward(x, w, b)  # by cuBLAS
        np.testing.assert_allclose(z.get(), want.get(), rtol=1e-4, atol=1e-3)


@WITH_AND_WITHOUT
def test_losses_are_numpys(cp, images, batch_norm):
    ours, theirs = (Trainer(images, options(backend, batch_norm=batch_norm)) for backend in ("cupy", "numpy"))
    np.testing.assert_allclose(ours.steps(20), theirs.steps(20), rtol=1e-4)
    got, want = ours.network.parameters.flat.get(), theirs.network.parameters.flat
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)
    assert ours.accuracy() == pytest.approx(theirs.accuracy(), abs=0.01)


@WITH_AND_WITHOUT
def test_the_same_seed_gives_the_same_bits_in_chunks_of_any_size(cp, images, batch_norm):
    one, several = (Trainer(images, options(batch_norm=batch_norm)) for _ in range(2))
    losses = one.steps(150)
    found = several.steps(1)
    several.accuracy()
    assert found + several.steps(100) + several.steps(49) == losses
    assert bits(one.network.parameters.flat) == bits(several.network.parameters.flat)
    assert one.accuracy() == several.accuracy()


def test_steps_are_launched_before_the_device_is_done_and_allocate_nothing(cp, images):
    trainer = Trainer(images, options())
    trainer.steps(3)
    drawn = np.stack([next(trainer._drawn) for _ in range(50)])
    pools = (trainer._steps._pool, cp.get_default_memory_pool())
    with trainer._library.stream as stream:
        trainer._steps.launch(drawn)  # what an upload takes has been taken
        busy(0)
        stream.synchronize()
        held = [pool.total_bytes() for pool in pools]
        busy(2000)
        before = cp.cuda.Event()
        before.record()
        trainer._steps.launch(drawn)
        assert not before.done, "a step waited for the device"
        stream.synchronize()
    assert [pool.total_bytes() for pool in pools] == held


def test_a_run_diverges_at_the_step_at_which_numpys_does(cp, images):
    pytest.importorskip("threadpoolctl", reason="training holds BLAS to one thread")
    wild = {"lr": 1e38, "steps": 30, "batch_norm": False}
    ours, theirs = (train(images, options(backend, **wild)) for backend in ("cupy", "numpy"))
    assert ours.diverged_at == theirs.diverged_at is not None


@WITH_AND_WITHOUT
def test_digits_are_learned_as_well(cp, batch_norm):
    for name in ("sklearn", "threadpoolctl"):
        pytest.importorskip(name, reason="the digits, and training on them, are of bnsym[train]")
    ours, theirs = (
        train(load_digits(), options_for("digits", backend=b, batch_norm=batch_norm)) for b in ("cupy", "numpy")
    )
    assert ours.accuracy == pytest.approx(theirs.accuracy, abs=0.01)
