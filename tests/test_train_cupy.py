"""Training with CuPy's kernels, captured in a graph, on a stand-in for CuPy: step by step it is what NumPy's give."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from bnsym.cli import app
from bnsym.train import captured, commands, training
from bnsym.train.options import TrainError, options_for
from bnsym.train.training import Trainer, train
from tests.cuda.launching import NEEDS_COMPILER
from tests.train_cupy import SMALL, stand_in
from tests.train_data import made_up

WITH_AND_WITHOUT = pytest.mark.parametrize("batch_norm", [True, False], ids=["batch norm", "bias"])
ON_CUPY = replace(SMALL, backend="cupy")
DATA = made_up()


@pytest.fixture
def cupy_and_kernels(monkeypatch):
    return stand_in(monkeypatch, schedule="shuffled", seed=1)


@pytest.fixture
def cupy(cupy_and_kernels):
    return cupy_and_kernels[0]


@pytest.fixture
def kernels(cupy_and_kernels):
    return cupy_and_kernels[1]


def parameters(trainer):
    return np.array(trainer.network.parameters.flat)


# what is missing


def test_without_cupy_the_modules_own_sentence_is_said_before_anything_is_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(commands, "load", None)
    with pytest.raises(TrainError, match=r"^bnsym\.generated\.cupy\.batch_norm needs CuPy: install bnsym\[cuda12\] or"):
        commands.run(steps=1, backend="cupy")


@pytest.mark.parametrize("backend", ["cupy", "fortran"])
def test_the_command_says_it_in_one_line(monkeypatch, backend):
    monkeypatch.setitem(sys.modules, "cupy", None)
    result = CliRunner().invoke(app, ["train", "--steps", "1", "--backend", backend])
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "needs CuPy" in result.stderr or "needs to be one of numpy, numba, cupy, got fortran" in result.stderr


def test_another_backend_is_refused_by_name():
    with pytest.raises(TrainError, match=r"^backend needs to be one of numpy, numba, cupy, got fortran$"):
        options_for("digits", backend="fortran")


def test_numpys_path_imports_no_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert train(DATA, SMALL).accuracy is not None


# beside NumPy


@NEEDS_COMPILER
@WITH_AND_WITHOUT
def test_losses_parameters_and_accuracy_are_numpys(batch_norm, kernels):
    ours = Trainer(DATA, replace(ON_CUPY, batch_norm=batch_norm), kernels)
    theirs = Trainer(DATA, replace(SMALL, batch_norm=batch_norm))
    np.testing.assert_array_equal(parameters(ours), parameters(theirs))
    for count in (8, 1, 11):
        np.testing.assert_allclose(ours.steps(count), theirs.steps(count), rtol=2e-6)
        np.testing.assert_allclose(parameters(ours), parameters(theirs), rtol=1e-5, atol=2e-6)
        assert ours.accuracy() == theirs.accuracy()
    assert np.abs(parameters(ours) - parameters(Trainer(DATA, replace(SMALL, batch_norm=batch_norm)))).max() > 0.1


@NEEDS_COMPILER
@WITH_AND_WITHOUT
def test_a_run_has_numpys_history(batch_norm, kernels):
    ours = train(DATA, replace(ON_CUPY, batch_norm=batch_norm), None, kernels)
    theirs = train(DATA, replace(SMALL, batch_norm=batch_norm))
    assert [(e.step, e.test_accuracy) for e in ours.history] == [(e.step, e.test_accuracy) for e in theirs.history]
    for one, other in zip(ours.history, theirs.history, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=2e-6)
    assert json.loads(ours.to_json())["settings"]["backend"] == "cupy"


@NEEDS_COMPILER
@WITH_AND_WITHOUT
def test_a_run_diverges_at_the_step_at_which_numpys_does(batch_norm, kernels):
    wild = replace(SMALL, batch_norm=batch_norm, steps=30, eval_every=30, lr=1e38)
    theirs = train(DATA, wild).diverged_at
    assert 1 < theirs < 30  # not in a chunk's first step, nor its last
    assert train(DATA, replace(wild, backend="cupy"), None, kernels).diverged_at == theirs


@NEEDS_COMPILER
def test_weights_that_give_no_loss_diverge_at_once(kernels):
    wild = replace(SMALL, std=1e38, batch_norm=False)
    assert train(DATA, wild).diverged_at == train(DATA, replace(wild, backend="cupy"), None, kernels).diverged_at == 1


# chunks


@NEEDS_COMPILER
def test_chunks_change_nothing(kernels, monkeypatch):
    one, several = (Trainer(DATA, ON_CUPY, kernels) for _ in range(2))
    losses = one.steps(13)
    assert [loss for count in (1, 7, 5) for loss in several.steps(count)] == losses
    np.testing.assert_array_equal(parameters(one), parameters(several))
    monkeypatch.setattr(captured, "AT_ONCE", 4)
    short = Trainer(DATA, ON_CUPY, kernels)
    assert short.steps(13) == losses
    np.testing.assert_array_equal(parameters(one), parameters(short))


@NEEDS_COMPILER
def test_the_same_seed_gives_the_same_bits_whenever_the_accuracy_is_asked_for(kernels):
    one, asked = (Trainer(DATA, ON_CUPY, kernels) for _ in range(2))
    losses = one.steps(6)
    first = asked.steps(2)
    asked.accuracy()
    assert first + asked.steps(4) == losses
    assert one.accuracy() == asked.accuracy()
    np.testing.assert_array_equal(parameters(one), parameters(asked))


@NEEDS_COMPILER
@WITH_AND_WITHOUT
def test_a_capture_trains_nothing_and_takes_no_mini_batch(batch_norm, kernels, cupy):
    trainer = Trainer(DATA, replace(ON_CUPY, batch_norm=batch_norm), kernels)
    before, drawn = parameters(trainer), next(Trainer(DATA, SMALL)._drawn)
    with trainer._library.stream:
        trainer._steps._captured()
    np.testing.assert_array_equal(parameters(trainer), before)
    np.testing.assert_array_equal(next(trainer._drawn), drawn)


@NEEDS_COMPILER
def test_the_host_waits_once_a_chunk_and_launches_once_a_step(kernels, cupy, monkeypatch):
    trainer = Trainer(DATA, ON_CUPY, kernels)
    trainer.steps(2)
    graph, launched, waits = trainer._steps._graph, [], cupy.device.waits
    monkeypatch.setattr(type(graph), "launch", lambda self: launched.append(self))
    do, done = cupy.device.do, []
    monkeypatch.setattr(cupy.device, "do", lambda call, writes: (done.append(call), do(call, writes))[1])
    trainer.steps(40)
    assert launched == [graph] * 40
    assert len(done) < 10  # nothing else, step by step
    assert cupy.device.waits == waits + 1
    monkeypatch.setattr(training, "CHUNK", 10)  # of 25 test images
    trainer.accuracy()
    assert cupy.device.waits == waits + 2


@NEEDS_COMPILER
def test_progress_comes_between_chunks(kernels, monkeypatch):
    monkeypatch.setattr(training, "PROGRESS_EVERY", 3)
    calls = []
    result = train(DATA, ON_CUPY, lambda *call: calls.append(call), kernels)
    assert calls == [(3, None), (4, result.history[0]), (6, None), (8, result.history[1])]


# the stand-in


@NEEDS_COMPILER
def test_a_look_at_the_loss_within_a_step_is_no_step_to_capture(kernels, monkeypatch):
    trainer = Trainer(DATA, ON_CUPY, kernels)
    step = trainer.network.step
    monkeypatch.setattr(trainer.network, "step", lambda *given: float(step(*given)))
    with pytest.raises(RuntimeError, match="the host waits for a stream that is captured"):
        trainer.steps(1)


@NEEDS_COMPILER
def test_cupys_own_products_cannot_be_captured(kernels, cupy, monkeypatch):
    monkeypatch.setattr(kernels.linear, "_product", lambda a, b, out=None: cupy.matmul(a, b, out=out))
    with pytest.raises(NotImplementedError, match="cuBLAS"):
        Trainer(DATA, ON_CUPY, kernels).steps(1)
