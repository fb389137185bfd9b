"""Where the mathematics has an edge: one element to a statistic, none, no variance, gamma = 0, a kink; NaN and Inf."""

import numpy as np
import pytest

from .agreement import allowance, bound, check, kept
from .digits import Exact
from .forms import form
from .problems import DTYPES, Problem, medium_problem, small_problem
from .subjects import FUNCTIONS

ONE = {
    "channels": [((1, 3), 1), ((1, 2, 1), -2)],
    "trailing": [((3, 1), 1), ((1,), 1)],
    "groups": [((2, 3), 3), ((1, 2, 1), 2)],
    "instance": [((2, 3, 1), None), ((2, 3), None)],
    "arrays": [((1, 1, 1), None), ((3, 1, 2), None)],
    "elementwise": [((1,), None), ((1, 1), None)],
}
EMPTY = {  # results without an element
    "channels": [((4, 0), 1), ((4, 0, 3), 1), ((2, 3, 0), -1)],
    "trailing": [((0, 3), 1), ((2, 0, 3, 2), 2)],
    "groups": [((0, 4, 2), 2)],
    "instance": [((0, 4, 2), None), ((2, 0, 3), None)],
    "arrays": [],
    "elementwise": [((0,), None), ((3, 0), None)],
}
NOTHING = {  # a statistic of no element
    "channels": [((0, 3), 1), ((4, 3, 0), 1)],
    "trailing": [((3, 0), 1), ((2, 3, 0), 2)],
    "groups": [((2, 4, 0), 2)],
    "instance": [((2, 3, 0), None)],
    "arrays": [],
    "elementwise": [],
}
ONE_AND_ONLY = pytest.mark.parametrize("at", [0, 1])


def forms(subject, kinds):
    return [form(subject.layout, *f) for f in kinds[subject.layout]]


@ONE_AND_ONLY
def test_one_element_to_a_statistic(subject, at):
    problem = Problem(subject, forms(subject, ONE)[at])
    truth = Exact(problem)
    for dtype in DTYPES:
        other = problem.astype(dtype)
        for function in FUNCTIONS:
            check(other, function, other.call(function), getattr(truth, function))


def test_empty_results(subject):
    """The right shapes and dtypes; a parameter's gradient is a sum of nothing."""
    for shape in forms(subject, EMPTY):
        for dtype in DTYPES:
            problem = Problem(subject, shape, margin=-1).astype(dtype)
            for function in subject.derivatives:
                got = problem.call(function)
                check(problem, function, got, {n: np.zeros(v.shape) for n, v in got.items() if n != "saved"} | saved_zeros(got))


def saved_zeros(got):
    return {n: np.zeros(np.shape(v)) for n, v in got["saved"]._asdict().items()} if "saved" in got else {}


def test_statistics_of_nothing_are_refused(subject):
    for shape in forms(subject, NOTHING):
        problem = Problem(subject, shape, margin=-1)
        for function in ("forward", "jvp"):
            with pytest.raises(ValueError, match=r"\b(x|mask)\b") as error:
                problem.call(function)
            assert str(shape.shape) in str(error.value) or "mask" in str(error.value), error.value


def test_no_axis_at_all(subject):
    if subject.layout != "elementwise":
        pytest.skip("its data have axes")
    problem = Problem(subject, form("elementwise", ()))
    truth = Exact(problem)
    for dtype in DTYPES:
        other = problem.astype(dtype)
        for function in FUNCTIONS:
            check(other, function, other.call(function), getattr(truth, function))


def test_gamma_zero(subject):
    """Nothing divides by it: every derivative, of either order, is finite and right."""
    scales = [q for q in subject.role("parameter") if q.absent == 1]
    if not scales:
        pytest.skip("it has no scale")
    problem = small_problem(subject, seed=2)
    problem = problem.replace(**{q.name: problem.arrays[q.name] * (np.indices(problem.arrays[q.name].shape).sum(0) % 2) for q in scales})
    assert problem.kink_distance() > 1e-3
    truth = Exact(problem)
    for function in FUNCTIONS:
        for dtype in DTYPES:
            other = problem.astype(dtype)
            check(other, function, other.call(function), getattr(truth, function))


def test_at_a_kink_every_derivative_is_zero(subject):
    """The argument of the kinked function is 0 everywhere: with no parameter but 0, and no data beside x."""
    if np.isinf(small_problem(subject).kink_distance()):
        pytest.skip("it has no kink")
    problem = medium_problem(subject)
    data, parameters = subject.role("data"), subject.role("parameter")
    zero = [*parameters, *data[1:]] if parameters else data
    problem = problem.replace(**{q.name: np.zeros_like(problem.arrays[q.name]) for q in zero})
    assert problem.kink_distance() == 0
    for dtype in DTYPES:
        other = problem.astype(dtype)
        for function in FUNCTIONS:
            wrong = [n for n, v in other.call(function).items() if n != "saved" and np.any(v)]
            assert not wrong, f"{function}: {wrong}"


def alike(problem, q, place):
    """Which elements of a quantity share a statistic with the element of x at `place`; for a sum over it, all do."""
    statistics = [s for s in problem.subject.definition.saved if s.role == "statistic"]
    axes = statistics[0].axes if statistics else problem.subject.element_axes
    index = dict(zip(problem.subject.element_axes, place, strict=True))
    shape = problem.shapes.program_shape(q)
    found = np.ones(shape, bool)
    for k, axis in enumerate(q.axes):
        if axis in axes:
            found &= (np.arange(shape[k]) == index[axis]).reshape([-1 if j == k else 1 for j in range(len(shape))])
    return problem.shapes.to_user(q, found)


def spoiled(problem, name, place, value):
    q = problem.subject.of(name)
    array = problem.shapes.to_program(q, problem.arrays[name]).copy()
    array[place] = value
    return problem.replace(**{name: problem.shapes.to_user(q, array)})


def assert_elsewhere_the_same(problem, other, place, what, functions):
    for function in functions:
        want, got = problem.call(function), other.call(function)
        for name in set(got) - {"saved"}:
            q = problem.subject.of(name)
            rest = ~alike(problem, q, place)
            assert np.isfinite(got[name][rest]).all(), f"{what}, {function}: {name}"
            bound(f"{what}, {function}: {name}", got[name][rest], want[name][rest], got[name].dtype, allowance(problem))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_stay_in_their_channel(subject, value):
    """Or row, or group: what shares no statistic with them is as it was, whatever argument they stand in."""
    if subject.layout == "arrays":
        pytest.skip("every element may reach every other")
    for at in (0, 1):
        for dtype in DTYPES:
            problem = medium_problem(subject, at).astype(dtype)
            place = tuple(n // 2 for n in problem.shapes.program_shape(subject.role("data")[0]))
            for q in subject.role("mask"):  # where it takes part
                problem = spoiled(problem, q.name, place, 1)
            for name in ("x", "residual", "dy", "tx", "ddx", "tdy", "tresidual", "ddresidual"):
                if name in problem.arrays:
                    with np.errstate(all="ignore"):
                        other = spoiled(problem, name, place, value)
                    takers = [f for f in subject.derivatives if name in subject.arguments(f) or name in ("x", "residual")]
                    assert_elsewhere_the_same(problem, other, place, f"{value} in {name}", takers)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_channel_with_nan_or_inf_has_no_numbers_left(subject, value):
    """A statistic with one of them in it is none."""
    statistics = [s for s in subject.definition.saved if s.role == "statistic"]
    if not statistics:
        pytest.skip("it takes no statistics")
    problem = medium_problem(subject, 1)
    q = subject.role("data")[0]
    place = tuple(n // 2 for n in problem.shapes.program_shape(q))
    masks = [m.name for m in subject.role("mask")]
    for name in masks:
        problem = spoiled(problem, name, place, 1)
    hit = alike(problem, q, place) & np.all([problem.arrays[m] > 0 for m in masks], axis=0)
    other = spoiled(problem, q.name, place, value)
    y = other.call("forward")[subject.output.name]
    dx = other.call("backward")[f"d{q.name}"]
    only = hit if np.isnan(value) or statistics[0].name == "mean" else spoiled_place(problem, q, place)
    assert np.isnan(y[only]).all()
    assert np.isnan(dx[hit]).all()


def spoiled_place(problem, q, place):
    found = np.zeros(problem.shapes.program_shape(q), bool)
    found[place] = True
    return problem.shapes.to_user(q, found)


def test_no_variance_and_no_eps(subject):
    """0 / 0 in one channel, row or group; the others are right."""
    statistics = [s for s in subject.definition.saved if s.role == "statistic"]
    if not statistics or "eps" not in problem_arrays(subject):
        pytest.skip("it divides by no deviation")
    for dtype in DTYPES:
        problem = medium_problem(subject, 1).replace(eps=0.0).astype(dtype)
        data = subject.role("data")
        place = tuple(n // 2 for n in problem.shapes.program_shape(data[0]))
        hit = alike(problem, data[0], place)
        other = problem.replace(**{q.name: np.where(hit, 0, problem.arrays[q.name]).astype(dtype) for q in data})
        hit &= np.all([problem.arrays[m.name] > 0 for m in subject.role("mask")], axis=0)
        assert np.isnan(other.call("forward")[subject.output.name][hit]).all()
        assert np.isnan(other.call("backward")[f"d{data[0].name}"][hit]).all()
        assert_elsewhere_the_same(problem, other, place, "no variance", FUNCTIONS)
        deviation = [getattr(other.saved(), n) for n in other.saved()._fields if n.startswith("inv_")]
        assert all(v.dtype == kept(dtype) for v in deviation)


def problem_arrays(subject):
    return small_problem(subject).arrays
