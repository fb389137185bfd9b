"""Training: it learns, the same seed gives the same bits, and a run that diverges is recorded."""

import json
import math
import os
import re
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from bnsym.train.batches import Batches, draw, one_hot
from bnsym.train.data import load_digits, load_mnist
from bnsym.train.options import DEFAULTS, Options, TrainError, default_interval, options_for
from bnsym.train.threads import limited
from bnsym.train.training import Trainer, train

WITH_AND_WITHOUT = pytest.mark.parametrize("batch_norm", [True, False], ids=["batch norm", "bias"])
SHORT = options_for("digits", steps=20, eval_every=10, population_batches=3)


@pytest.fixture(scope="module")
def digits():
    return load_digits()


# learning


def test_batch_norm_learns_digits_at_once(digits):
    result = train(digits, options_for("digits", steps=400, eval_every=100))
    losses = [entry.train_loss for entry in result.history]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.3
    assert result.accuracy == result.history[-1].test_accuracy > 0.82


def test_without_it_small_weights_stay_on_the_plateau_where_larger_ones_learn(digits):
    small, large = (
        train(digits, options_for("digits", batch_norm=False, steps=400, std=std, eval_every=200))
        for std in (0.05, 0.3)
    )
    assert small.accuracy < 0.2
    assert large.accuracy > 0.75
    assert large.history[1].train_loss < large.history[0].train_loss < small.history[0].train_loss


def test_the_first_loss_is_that_of_knowing_nothing(digits):
    assert Trainer(digits, replace(SHORT, std=0.0)).step() == pytest.approx(math.log(10), rel=1e-6)


# bits


def bits(dataset, options, asked=False):
    """What twenty steps leave: every loss and parameter, and the accuracy, which may have been asked for before."""
    trainer = Trainer(dataset, options)
    with limited(options.threads):
        losses = [(trainer.step(), asked and trainer.accuracy())[0] for _ in range(20)]
        return losses, trainer.network.parameters.flat.tobytes(), trainer.accuracy()


@WITH_AND_WITHOUT
def test_the_same_seed_gives_the_same_bits_and_another_others(digits, batch_norm):
    options = replace(SHORT, batch_norm=batch_norm)
    first, other = bits(digits, options), bits(digits, replace(options, seed=1))
    assert bits(digits, options) == first
    assert other[0][0] != first[0][0]
    assert other[1] != first[1]


@WITH_AND_WITHOUT
def test_compiled_kernels_train_as_numpys_do(digits, batch_norm):
    pytest.importorskip("numba")
    options = replace(SHORT, batch_norm=batch_norm)
    ours, theirs = (Trainer(digits, replace(options, backend=b)) for b in ("numba", "numpy"))
    assert ours.steps(20) == pytest.approx(theirs.steps(20), rel=1e-4)
    np.testing.assert_allclose(ours.network.parameters.flat, theirs.network.parameters.flat, atol=1e-4)
    assert bits(digits, replace(options, backend="numba")) == bits(digits, replace(options, backend="numba"))


@WITH_AND_WITHOUT
def test_asking_for_the_accuracy_changes_nothing(digits, batch_norm):
    options = replace(SHORT, batch_norm=batch_norm)
    assert bits(digits, options, asked=True) == bits(digits, options)


def test_mini_batches_do_not_depend_on_the_network(digits):
    """Weights and mini-batches come from streams of their own, so that two networks can be compared."""
    ours, theirs = Trainer(digits, SHORT), Trainer(digits, replace(SHORT, hidden=(7,), batch_norm=False))
    assert next(ours._drawn).tolist() == next(theirs._drawn).tolist() != ours._population[0].tolist()
    np.testing.assert_array_equal(ours._population, theirs._population)


# mini-batches


def test_an_epoch_repeats_nothing_and_the_next_has_another_order():
    batches = list(islice(draw(25, 6, np.random.default_rng(0)), 12))
    epochs = [np.concatenate(batches[k : k + 4]) for k in (0, 4, 8)]
    for epoch in epochs:
        assert len(set(epoch)) == 24
        assert set(epoch) <= set(range(25))
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_a_mini_batch_may_be_the_whole_set():
    first, second = islice(draw(6, 6, np.random.default_rng(0)), 2)
    assert set(first) == set(second) == set(range(6))


def test_mini_batches_are_the_rows_of_the_data(digits):
    batches, indices = Batches(digits, 5), np.array([3, 1436, 0, 3, 8])
    np.testing.assert_array_equal(batches.images(indices), digits.train_images[indices])
    np.testing.assert_array_equal(batches.targets(indices).argmax(axis=1), digits.train_labels[indices])
    assert batches.images(indices).dtype == batches.targets(indices).dtype == np.float32
    assert batches.images(indices) is batches.images(indices[::-1])


def test_targets_are_one_hot():
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])


# the schedule


@pytest.mark.parametrize(
    ("steps", "interval"),
    [(1, 1), (39, 1), (40, 2), (100, 5), (2000, 100), (3000, 100), (6000, 200), (50_000, 2000), (10**7, 2000)],
)
def test_every_run_is_evaluated_about_twenty_times_and_at_step_2000(steps, interval):
    assert default_interval(steps) == interval
    assert 2000 % interval == 0


def test_the_last_step_is_evaluated_and_every_loss_is_in_one_mean(digits):
    every = train(digits, replace(SHORT, steps=11, eval_every=1)).history
    history = train(digits, replace(SHORT, steps=11, eval_every=4)).history
    assert [entry.step for entry in history] == [4, 8, 11]
    for entry, start in zip(history, (0, 4, 8), strict=True):
        mean = np.mean([single.train_loss for single in every[start : entry.step]])
        assert entry.train_loss == pytest.approx(mean, rel=1e-12)


def test_progress_comes_as_it_goes(digits):
    calls = []
    result = train(digits, replace(SHORT, steps=120, eval_every=60), lambda *call: calls.append(call))
    assert calls == [(50, None), (60, result.history[0]), (100, None), (120, result.history[1])]


# options


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"steps": 0}, "steps needs to be at least 1, got 0"),
        ({"lr": 0.0}, "lr needs to be a finite number above 0, got 0.0"),
        ({"lr": -1}, "lr needs to be a finite number above 0, got -1"),
        ({"lr": math.nan}, "lr needs to be a finite number above 0, got nan"),
        ({"lr": math.inf}, "lr needs to be a finite number above 0, got inf"),
        ({"std": -0.1}, "std needs to be a finite number, at least 0, got -0.1"),
        ({"std": math.nan}, "std needs to be a finite number, at least 0, got nan"),
        ({"eps": -1.0}, "eps needs to be a finite number, at least 0, got -1.0"),
        ({"seed": -1}, "seed needs to be at least 0, got -1"),
        ({"threads": 0}, "threads needs to be at least 1, got 0"),
        ({"batch": 1}, "batch needs to be at least 2, got 1"),
        ({"eval_every": 0}, "eval_every needs to be at least 1, got 0"),
        ({"population_batches": 0}, "population_batches needs to be at least 1, got 0"),
        ({"hidden": (100, 0)}, "hidden needs to be widths of at least 1, got (100, 0)"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings, sentence):
    with pytest.raises(TrainError, match=f"^{re.escape(sentence)}$"):
        options_for("digits", **settings)


def test_none_is_what_suits_the_data_set():
    assert options_for("mnist", lr=None, seed=None) == DEFAULTS["mnist"] == Options(50_000, 0.1, 0.1)
    assert options_for("digits", lr=0.7) == replace(DEFAULTS["digits"], lr=0.7)


def test_a_mini_batch_larger_than_the_data_is_refused(digits):
    with pytest.raises(TrainError, match=r"^batch needs to be at most the 1437 examples to train on, got 1438$"):
        train(digits, replace(SHORT, batch=1438))


def test_blas_and_kernels_have_one_thread_unless_more_are_asked_for(monkeypatch, digits):
    def threads(options):
        seen = []
        train(digits, options, lambda *_: seen.extend([*(t["num_threads"] for t in blas()), of_kernels()]))
        return set(seen)

    def of_kernels():
        return int(os.environ["BNSYM_NUM_THREADS"])

    def blas():
        return [info for info in threadpool_info() if info["user_api"] == "blas"]

    monkeypatch.setenv("BNSYM_NUM_THREADS", "3")
    before = blas()
    assert threads(SHORT) == {1}
    assert threads(replace(SHORT, threads=2)) == {2}
    assert blas() == before
    assert of_kernels() == 3


def test_a_missing_extra_is_named(monkeypatch, digits):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(TrainError, match=r"^threadpoolctl could not be imported .*pip install 'bnsym\[train\]'$"):
        train(digits, SHORT)


# divergence


@WITH_AND_WITHOUT
def test_a_run_that_diverges_ends_and_says_so(digits, batch_norm):
    result = train(digits, replace(SHORT, lr=1e38, steps=200, eval_every=50, batch_norm=batch_norm))
    assert result.diverged_at is not None
    assert result.diverged_at <= 200
    assert result.accuracy is None
    assert all(entry.step < result.diverged_at for entry in result.history)
    content = json.loads(result.to_json())
    assert content["diverged_at"] == result.diverged_at
    assert content["test_accuracy"] is None


def test_parameters_that_overflow_in_the_last_step_have_no_accuracy(digits, monkeypatch):
    def overflow(trainer, count):
        trainer.network.parameters.flat[0] = np.inf
        return [1.0] * count

    monkeypatch.setattr(Trainer, "steps", overflow)
    assert train(digits, replace(SHORT, steps=1)).diverged_at == 1


# MNIST itself

MNIST_DIR = os.environ.get("BNSYM_MNIST_DIR")


@pytest.mark.skipif(MNIST_DIR is None, reason="BNSYM_MNIST_DIR is not set: nothing is trained on MNIST itself")
def test_batch_norm_is_far_ahead_on_mnist_after_some_hundred_steps():
    mnist = load_mnist(Path(MNIST_DIR))
    with_it, without = (train(mnist, options_for("mnist", steps=300, batch_norm=value)) for value in (True, False))
    assert with_it.accuracy > 0.8
    assert without.accuracy < 0.5
