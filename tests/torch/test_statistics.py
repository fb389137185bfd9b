"""Statistics that are given, kept or averaged: inference and its gradients, and torch's own running statistics."""

import inspect

import pytest

pytest.importorskip("torch")

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody does

from ..kernels.norms import NORMS, statistics
from ..kernels.numerics_calls import arguments, call, module
from ..kernels.subjects import definition
from .cases import assert_agree, draw
from .derivatives import Torch
from .functions import ACTIVATIONS, add_relu

pytestmark = pytest.mark.usefixtures("backend")

TORCH_S_OWN = [name for name in NORMS if [q.name for q in statistics(name)] == ["mean", "var"]]
"""Whose statistics are those that torch keeps."""
INFERRING = [name for name in TORCH_S_OWN if hasattr(module(name), "inference")]
RUNNING = [name for name in TORCH_S_OWN if hasattr(module(name), "update_running")]
SEEDS = range(6)


def frozen(mean, var):
    """torch's inference with given statistics, in the place of its training."""

    def batch_norm(t, *, eps, channel_axis):
        x = t["x"].movedim(channel_axis, 1)
        return F.batch_norm(x, mean, var, t["gamma"], t["beta"], training=False, eps=eps).movedim(1, channel_axis)

    return batch_norm


def by_torch(name, mean, var):
    """What follows, or goes around, the normalization. Renorm infers as batch norm does."""
    norm = frozen(mean, var)
    if name == "batch_norm_add_relu":
        return lambda t, **o: add_relu(norm(t, **o), t)
    if name == "masked_batch_norm":
        return lambda t, **o: t["mask"] * norm(t, **o)
    activation = ACTIVATIONS.get(name.removeprefix("batch_norm_"), lambda y: y)
    return lambda t, **o: activation(norm(t, **o))


def given(name, seed):
    case, rng = draw(name, seed), np.random.default_rng(seed)
    channels = case.view.size([case.view.axes[1]])
    mean, var = rng.standard_normal(channels), rng.uniform(0.1, 2, channels)
    return case, mean, var, Torch(case, function=by_torch(name, torch.from_numpy(mean), torch.from_numpy(var)))


@pytest.mark.parametrize("name", INFERRING)
def test_inference_and_its_gradients(name):
    for seed in SEEDS:
        case, mean, var, theirs = given(name, seed)
        known = arguments(case, "forward") | arguments(case, "backward")
        options = {"mean": mean, "var": var, "eps": case.eps, **case.view.options}
        forward, backward = module(name).inference, module(name).inference_backward
        y = forward(**{k: v for k, v in (known | options).items() if k in _taken(forward)})
        assert_agree(f"{name}.inference", y, theirs.run("forward")["y"])
        gradients = backward(**{k: v for k, v in (known | options).items() if k in _taken(backward)})
        for g, (key, want) in zip(gradients, theirs.run("backward").items(), strict=True):
            assert_agree(f"{name}.inference_backward: {key}", g, want)


def _taken(function):
    return inspect.signature(function).parameters


def test_every_norm_over_channels_infers():
    """Whose statistics are the channels' keeps running ones, and infers with them."""
    for name in NORMS:
        functions = [hasattr(module(name), function) for function in ("inference", "update_running")]
        assert functions == 2 * [definition(name).layout == "channels"], name


@pytest.mark.parametrize("name", [name for name in RUNNING if name != "masked_batch_norm"])
@pytest.mark.parametrize("momentum", [0.1, 0.75, 1.0])
def test_running_statistics(name, momentum):
    """momentum weighs the new value, and the variance is unbiased: as torch keeps them, over several batches."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        case = draw(name, seed)
        channels = case.view.size([case.view.axes[1]])
        mean, var = rng.standard_normal(channels), rng.uniform(0.1, 2, channels)
        kept = torch.from_numpy(mean.copy()), torch.from_numpy(var.copy())
        for _ in range(3):
            case.values["x"][...] = rng.standard_normal(case.values["x"].shape) * 3 + 1
            mean, var = module(name).update_running(mean, var, call(case, "forward")[1], momentum=momentum)
            x = Torch(case).inputs("forward")["x"].movedim(case.view.channel_axis, 1)
            F.batch_norm(x, *kept, training=True, momentum=momentum)
        assert_agree(f"{name}: mean", mean, kept[0].numpy())
        assert_agree(f"{name}: var", var, kept[1].numpy())


def test_running_statistics_of_what_the_mask_leaves():
    """torch has no mask: each channel is given to it by itself, without the positions that are left out."""
    case = draw("masked_batch_norm", 3)
    channels = case.view.size([case.view.axes[1]])[0]
    saved = call(case, "forward")[1]
    mean, var = module("masked_batch_norm").update_running(np.zeros(channels), np.ones(channels), saved, momentum=0.3)
    for c in range(channels):
        x = torch.from_numpy(case.values["x"][case.values["mask"][:, c], c])[:, None]
        kept = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
        F.batch_norm(x, *kept, training=True, momentum=0.3)
        assert_agree("mean", mean[c : c + 1], kept[0].numpy())
        assert_agree("var", var[c : c + 1], kept[1].numpy())


@pytest.mark.parametrize("name", [name for name in RUNNING if name != "masked_batch_norm"])
def test_population_statistics(name):
    """Algorithm 2 is what torch calls a cumulative average: momentum=None."""
    case, rng = draw(name, 2), np.random.default_rng(2)
    layer = torch.nn.BatchNorm1d(case.view.size([case.view.axes[1]])[0], momentum=None, dtype=torch.float64)
    means, variances = [], []
    for _ in range(4):
        case.values["x"][...] = rng.standard_normal(case.values["x"].shape) * 2 - 1
        saved = call(case, "forward")[1]
        means.append(saved.mean)
        variances.append(saved.var)
        layer(torch.from_numpy(case.values["x"]))
    mean, var = module(name).population(np.array(means), np.array(variances), saved.count)
    assert_agree(f"{name}: mean", mean, layer.running_mean.numpy())
    assert_agree(f"{name}: var", var, layer.running_var.numpy())


def test_the_correction_of_renormalization():
    """r and d as Ioffe (2017) clips them, from torch's elementary operations; to autograd they are constants."""
    case, rng = draw("batch_renorm", 1), np.random.default_rng(1)
    channels = case.view.size([case.view.axes[1]])
    running_mean, running_var = rng.standard_normal(channels), rng.uniform(0.1, 2, channels)
    saved = call(case, "forward")[1]
    found = module("batch_renorm").correction(saved, running_mean, running_var, 1.5, 0.5, eps=case.eps)
    x = torch.from_numpy(case.values["x"])
    mean, std = x.mean(0), torch.sqrt(x.var(0, unbiased=False) + case.eps)
    kept = torch.sqrt(torch.from_numpy(running_var) + case.eps)
    r = torch.clamp(std / kept, 1 / 1.5, 1.5)
    d = torch.clamp((mean - torch.from_numpy(running_mean)) / kept, -0.5, 0.5)
    for got, want in zip(found, (r, d), strict=True):
        assert_agree("correction", got, want.numpy())


@pytest.mark.parametrize("name", ["dense", "linear"])
def test_gradients_of_the_parameters_alone(name):
    for seed in SEEDS:
        case = draw(name, seed)
        known = arguments(case, "backward")
        kernel = module(name).parameter_backward
        found = kernel(**{k: v for k, v in known.items() if k in _taken(kernel)})
        found = found if isinstance(found, tuple) else (found,)
        want = {k: v for k, v in Torch(case).run("backward").items() if k != "dx"}
        for got, (key, value) in zip(found, want.items(), strict=True):
            assert_agree(f"{name}: {key}", got, value)
