"""The numbers of the section on rounding: sums in one order on every machine, and each way by its own equations."""

import math

import numpy as np
import pytest

from bnsym.calculus.elements import evaluate
from bnsym.calculus.singles import SINGLES, UnevenError, in_turn
from bnsym.language import Definition, Eq, axes, data, values
from bnsym.language import exp as exponential
from bnsym.report.blocks import Mark, Plot, Series
from bnsym.report.chart import chart
from bnsym.report.rounding import experiment
from tests.report_cases import DERIVED, KERNELS


def test_a_sum_is_taken_one_addition_after_the_other():
    numbers = (1e4 + np.random.default_rng(0).normal(size=(40, 3, 50))).astype(np.float32)
    total = np.zeros(3, np.float32)
    for i in range(40):
        for k in range(50):
            total = total + numbers[i, :, k]
    assert np.array_equal(in_turn(numbers, (0, 2)), total.reshape(1, 3, 1))
    assert not np.array_equal(numbers.sum((0, 2), keepdims=True), total.reshape(1, 3, 1))  # NumPy's own order


@pytest.mark.parametrize("name", ["batch_norm", "masked_batch_norm", "group_norm", "add_layer_norm"])
def test_each_way_is_as_wrong_as_it_is_said_to_be(name):
    """The same numbers go into every norm, and the same come out."""
    found = experiment(DERIVED[name].forward, KERNELS[name]["forward"])
    assert found == experiment(DERIVED["layer_norm"].forward, KERNELS["layer_norm"]["forward"])
    at = {f.mean: f for f in found}
    assert at[10**4].shortcut == -16
    assert at[10**4].error(at[10**4].shortcut) > 10 > 1e-5 > at[10**4].error(at[10**4].passes)
    assert all(f.error(f.pivoted) < 3e-6 for f in found)
    assert all(math.isclose(f.exact, 1, rel_tol=0.03) for f in found)


def test_what_differs_between_machines_is_refused():
    i = axes("i")
    x, y = data("x", i), values("y", i)
    for right in (exponential(x), x**3):
        program = Definition("p", source="invented", layout="elementwise", equations=[Eq(y, right)]).program
        with pytest.raises(UnevenError):
            evaluate(program, {x: np.ones(2, np.float32)}, SINGLES)


def test_a_plot_stands_inside_its_frame():
    drawn = chart(Plot("t", "a", "u", (1.0, 30.0, 1e6), (Series("s", (1e-7, 1.0, 3e6)),), Mark(1.0, "w")))
    (points,) = (c.points for c in drawn.curves)
    assert all(drawn.left <= x <= drawn.right and drawn.top <= y <= drawn.bottom for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[1][1] == drawn.mark
    assert [t.exponent for t in drawn.across] == list(range(7))
