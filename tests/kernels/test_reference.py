"""The references against what is known on paper, and against each other."""

import numpy as np
import pytest

from .backends import BACKENDS
from .digits import Exact, exact
from .forms import form, small
from .problems import small_problem
from .steps import Steps
from .subjects import made

TIGHT = {"rtol": 1e-14, "atol": 1e-14}


def close(got, want):
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(want, float), **TIGHT)


def problem_of(name, *shape, option=None, **arrays):
    subject = made(next(iter(BACKENDS)), name)
    truth = exact(subject, form(subject.layout, shape, option))
    problem = truth.problem.replace(**arrays)
    return Exact(problem), problem.arrays


def test_the_hyperbolic_tangent():
    """y' = 1 - y^2 and y'' = -2 y y'."""
    truth, a = problem_of("tanh", 5)
    y = np.tanh(a["x"])
    first, second = 1 - y**2, -2 * y * (1 - y**2)
    close(truth.forward["y"], y)
    close(truth.backward["dx"], a["dy"] * first)
    close(truth.jvp["ty"], a["tx"] * first)
    close(truth.double_backward["g_dy"], a["ddx"] * first)
    close(truth.double_backward["g_x"], a["ddx"] * a["dy"] * second)
    close(truth.backward_jvp["tdx"], a["tdy"] * first + a["dy"] * a["tx"] * second)


def test_a_dense_layer():
    """Bilinear: the second order has x and w in each other's place."""
    truth, a = problem_of("dense", 4, 3, 2)
    close(truth.forward["z"], a["x"] @ a["w"] + a["b"])
    close(truth.backward["dx"], a["dz"] @ a["w"].T)
    close(truth.backward["dw"], a["x"].T @ a["dz"])
    close(truth.backward["db"], a["dz"].sum(0))
    close(truth.jvp["tz"], a["tx"] @ a["w"] + a["x"] @ a["tw"] + a["tb"])
    close(truth.double_backward["g_dz"], a["ddx"] @ a["w"] + a["x"] @ a["ddw"] + a["ddb"])
    close(truth.double_backward["g_x"], a["dz"] @ a["ddw"].T)
    close(truth.double_backward["g_w"], a["ddx"].T @ a["dz"])
    close(truth.backward_jvp["tdw"], a["tx"].T @ a["dz"] + a["x"].T @ a["tdz"])


def test_softmax_and_cross_entropy():
    truth, a = problem_of("softmax_cross_entropy", 4, 3, 2)
    p = np.exp(a["z"]) / np.exp(a["z"]).sum(1, keepdims=True)
    close(truth.forward["p"], p)
    close(truth.forward["loss"], -np.log((p * a["t"]).sum(1)).mean())
    close(truth.backward["dz"], a["dloss"] * (p - a["t"]) / 4)
    inner = (p * a["tz"]).sum(1, keepdims=True)
    close(truth.backward_jvp["tdz"], (a["tdloss"] * (p - a["t"]) + a["dloss"] * p * (a["tz"] - inner)) / 4)


def test_normalizing_two_values_without_eps():
    """x_hat is -1 and 1 wherever they lie: no derivative is left, of either order."""
    truth, a = problem_of("batch_norm", 2, 3, option=1, x=np.array([[3.0, 1, 0], [5, 2, 7]]), eps=0.0)
    side = np.array([-1.0, 1])[:, None]
    close(truth.forward["y"], a["gamma"] * side + a["beta"])
    close(truth.backward["dx"], np.zeros((2, 3)))
    close(truth.backward["dgamma"], (a["dy"] * side).sum(0))
    close(truth.jvp["ty"], a["tgamma"] * side + a["tbeta"])
    close(truth.double_backward["g_x"], np.zeros((2, 3)))
    close(truth.double_backward["g_gamma"], np.zeros(3))


def test_root_mean_square_of_one_value():
    """y = gamma x / sqrt(x^2 + eps)."""
    truth, a = problem_of("rms_norm", 3, 1, option=1)
    root = np.sqrt(a["x"] ** 2 + a["eps"])
    close(truth.forward["y"], a["gamma"] * a["x"] / root)
    close(truth.backward["dx"], a["dy"] * a["gamma"] * a["eps"] / root**3)
    close(
        truth.double_backward["g_x"],
        -3 * a["ddx"] * a["dy"] * a["gamma"] * a["eps"] * a["x"] / root**5
        + a["ddgamma"] * a["dy"] * a["eps"] / root**3,
    )


@pytest.mark.parametrize("at", [0, 1])
def test_sixty_digits_and_the_complex_step_agree(subject, at):
    """Of every definition: the value, first order in every element, second order along the tangents."""
    truth = exact(subject, small(subject)[at])
    steps, y = Steps(truth.problem), subject.output
    tangent = steps.along(steps.tangents("t"))
    np.testing.assert_allclose(truth.jvp[y.name], truth.shapes.to_user(y, steps.y), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(truth.jvp[f"t{y.name}"], truth.shapes.to_user(y, tangent), rtol=1e-12, atol=1e-12)
    total, size = steps.product(truth.backward, "d", "t")
    assert abs(total - np.sum(steps.dy * tangent)) <= 1e-12 * size
    one, one_size = steps.product(truth.double_backward, "g_", "t")
    two, two_size = steps.product(truth.backward_jvp, "td", "dd")
    assert abs(one - two) <= 1e-13 * (one_size + two_size)
    assert abs(one - steps.second()) <= 1e-8 * (one_size + 1)


def test_data_keep_away_from_kinks(subject):
    assert small_problem(subject).kink_distance() > 1e-2
