"""The network built from kernels: its gradients against finite differences, its inference against Algorithm 2."""

import subprocess
import sys
from dataclasses import fields, replace
from types import ModuleType

import numpy as np
import pytest

from bnsym.train.kernels import Kernels
from bnsym.train.layers import BatchNorm
from bnsym.train.measure import products
from bnsym.train.network import Architecture, Network

WITH_AND_WITHOUT = pytest.mark.parametrize("batch_norm", [True, False], ids=["batch norm", "bias"])


def small(batch_norm, kernels=None):
    """A network of four dense layers in float64, every parameter drawn, with a mini-batch for it."""
    rng = np.random.default_rng(7)
    architecture = Architecture(6, (5, 4, 3), classes=3, batch=8, batch_norm=batch_norm, dtype=np.float64)
    network = Network(architecture, kernels or Kernels.load(), 1.0, rng)
    network.parameters.flat[:] = rng.standard_normal(network.parameters.flat.shape)
    return network, rng.standard_normal((8, 6)), np.eye(3)[rng.integers(0, 3, 8)]


def finite_differences(network, x, t, h=1e-5):
    """The central differences of the loss in every parameter, in the order of the flat array."""
    flat, result = network.parameters.flat, []
    for k, value in enumerate(flat.copy()):
        losses = []
        for flat[k] in (value + h, value - h):
            losses.append(network.forward(x, t))
        flat[k] = value
        result.append((losses[0] - losses[1]) / (2 * h))
    return np.array(result)


def assert_gradients(network, x, t):
    network.forward(x, t)
    network.backward()
    expected, got = finite_differences(network, x, t), network.parameters.flat_gradients
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)


@WITH_AND_WITHOUT
def test_every_gradient_is_that_of_finite_differences(batch_norm):
    network, x, t = small(batch_norm)
    assert_gradients(network, x, t)
    for name, (_, gradient) in network.parameters.items():
        assert np.abs(gradient).max() > 1e-4, name  # nothing was compared with nothing


@pytest.mark.parametrize("name", ["batch_norm", "dense", "linear", "sigmoid"])
def test_a_kernel_wrong_by_a_twentieth_of_a_percent_is_rejected(name):
    kernels = Kernels.load()

    def wrong(*args, **settings):
        results = getattr(kernels, name).backward(*args, **settings)
        first = results[0] if isinstance(results, tuple) else results
        first *= 1.0005
        return results

    module = ModuleType(name)
    module.__dict__.update(vars(getattr(kernels, name)), backward=wrong)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_gradients(*small(batch_norm=True, kernels=replace(kernels, **{name: module})))


@WITH_AND_WITHOUT
def test_a_step_subtracts_the_gradient_times_the_learning_rate(batch_norm):
    network, x, t = small(batch_norm)
    before = network.parameters.flat.copy()
    loss = network.forward(x, t)
    network.backward()
    gradient = network.parameters.flat_gradients.copy()
    assert network.step(x, t, 0.25) == loss
    np.testing.assert_allclose(network.parameters.flat, before - 0.25 * gradient, rtol=1e-13, atol=1e-15)
    assert network.forward(x, t) < loss


def test_parameters_are_the_papers():
    """With batch normalization there is no bias, which the mean would remove; the output layer always has one."""
    assert Architecture(784).shapes() == {
        **{"w1": (784, 100), "gamma1": (100,), "beta1": (100,), "w2": (100, 100), "gamma2": (100,), "beta2": (100,)},
        **{"w3": (100, 100), "gamma3": (100,), "beta3": (100,), "w4": (100, 10), "b4": (10,)},
    }
    assert Architecture(64, batch_norm=False).shapes() == {
        **{"w1": (64, 100), "b1": (100,), "w2": (100, 100), "b2": (100,)},
        **{"w3": (100, 100), "b3": (100,), "w4": (100, 10), "b4": (10,)},
    }


@WITH_AND_WITHOUT
def test_parameters_start_as_small_gaussian_weights(batch_norm):
    network = Network(Architecture(784, batch_norm=batch_norm), Kernels.load(), 0.1, np.random.default_rng(0))
    for name, (value, _) in network.parameters.items():
        assert value.dtype == np.float32
        if name.startswith("w"):
            assert abs(value.mean()) < 0.02
            assert value.std() == pytest.approx(0.1, rel=0.1)
        else:
            assert (value == name.startswith("gamma")).all()


def test_parameters_are_views_of_one_array():
    parameters = small(batch_norm=True)[0].parameters
    np.testing.assert_array_equal(np.concatenate([p.value.ravel() for p in parameters.values()]), parameters.flat)
    for value, gradient in parameters.values():
        assert np.shares_memory(value, parameters.flat)
        assert np.shares_memory(gradient, parameters.flat_gradients)
    assert len(parameters) == len(list(parameters))


def logits_by_algorithm_2(parameters, batches, x):
    """What the network should infer, written out: statistics of each layer over the mini-batches, then averaged."""
    for k in "123":
        w, gamma, beta = (parameters[name + k].value for name in ("w", "gamma", "beta"))
        z = [batch @ w for batch in batches]
        mean = np.mean([a.mean(axis=0) for a in z], axis=0)
        var = np.mean([a.var(axis=0, ddof=1) for a in z], axis=0)
        own = [(a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + 1e-5) for a in z]
        batches = [1 / (1 + np.exp(-gamma * a - beta)) for a in own]
        x = 1 / (1 + np.exp(-gamma * (x @ w - mean) / np.sqrt(var + 1e-5) - beta))
    return x @ parameters["w4"].value + parameters["b4"].value


@pytest.mark.parametrize("count", [1, 8, 13])
def test_inference_is_algorithm_2(count):
    network, *_ = small(batch_norm=True)
    rng = np.random.default_rng(3)
    batches, x = rng.standard_normal((5, 8, 6)), rng.standard_normal((count, 6))
    before, flat = x.copy(), network.parameters.flat.copy()
    network.freeze(batches)
    np.testing.assert_allclose(network.infer(x), logits_by_algorithm_2(network.parameters, batches, x), rtol=1e-10)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(network.parameters.flat, flat)


def test_inference_without_batch_norm_is_the_forward_pass():
    network, x, t = small(batch_norm=False)
    z = network.infer(x)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    assert network.forward(x, t) == pytest.approx(-(t * log_p).sum() / 8, rel=1e-12)
    network.freeze([x])  # nothing to do, and nothing wrong


def test_inference_needs_the_populations_statistics():
    network, x, _ = small(batch_norm=True)
    with pytest.raises(ValueError, match=r"^inference needs the population's statistics: call freeze before infer$"):
        network.infer(x)


def test_each_normalization_comes_before_its_sigmoid():
    kinds = [type(layer).__name__ for layer in small(batch_norm=True)[0].layers]
    assert kinds == [*["Linear", "BatchNorm", "Sigmoid"] * 3, "Dense"]
    assert not any(isinstance(layer, BatchNorm) for layer in small(batch_norm=False)[0].layers)


def test_a_step_calls_the_kernels_it_was_given_and_no_more(monkeypatch):
    calls, kernels = [], Kernels.load()
    for field in fields(kernels):
        module = getattr(kernels, field.name)
        for name in module.__all__:
            if name != "Saved":
                spied = spy(getattr(module, name), f"{field.name}.{name}", calls)
                monkeypatch.setattr(module, name, spied)
    network, x, t = small(batch_norm=True, kernels=kernels)
    network.step(x, t, 0.1)
    hidden = ["linear.forward", "batch_norm.forward", "sigmoid.forward"]
    back = ["sigmoid.backward", "batch_norm.backward", "linear.backward"]
    loss = ["dense.forward", "softmax_cross_entropy.forward", "softmax_cross_entropy.backward", "dense.backward"]
    assert calls == [*hidden * 3, *loss, *back * 2, *back[:2], "linear.parameter_backward"]


def spy(function, name, calls):
    def call(*args, **settings):
        calls.append(name)
        return function(*args, **settings)

    return call


def test_the_products_of_a_step_are_eleven():
    network, x, t = small(batch_norm=True)
    network.step(x, t, 0.0)
    shapes = [(a.shape, b.shape) for a, b, _ in products(network)]
    assert shapes[:4] == [((8, 6), (6, 5)), ((8, 5), (5, 4)), ((8, 4), (4, 3)), ((8, 3), (3, 3))]
    assert len(shapes) == 11
    before = network.parameters.flat_gradients.copy()
    for a, b, out in products(network):
        np.testing.assert_array_equal(np.matmul(a, b, out=out), a @ b)
    np.testing.assert_array_equal(network.parameters.flat_gradients, before)  # the network is left as it was


def test_the_trainer_never_imports_sympy():
    code = """
import sys
import bnsym.train.commands, bnsym.train.measure
bnsym.train.commands.run(steps=2)
print({"sympy", "jinja2"} & set(sys.modules) or "none")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "none"
