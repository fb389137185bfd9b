"""NaN, Inf and 0 / 0 stay in their own channel, row or group, and leave no number in it."""

import numpy as np
import pytest

from .agreement import allowance, bound, kept
from .problems import DTYPES, medium_problem, small_problem
from .subjects import FUNCTIONS


def alike(problem, q, place):
    """Which elements of a quantity share a statistic with the element of x at `place`; for a sum over it, all do."""
    statistics = problem.subject.statistics
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
                    takers = [
                        f for f in subject.derivatives if name in subject.arguments(f) or name in ("x", "residual")
                    ]
                    assert_elsewhere_the_same(problem, other, place, f"{value} in {name}", takers)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("scale", [1e-170, 1e-320])
def test_values_far_below_eps_beside_what_is_no_number_or_overflows(subject, value, scale):
    """They are what they are without it, inv_std too: it is of eps alone."""
    statistics = [q for q in subject.definition.saved if q.role == "statistic"]
    if not statistics:
        pytest.skip("it takes no statistics")
    for at in (0, 1):
        problem = medium_problem(subject, at)
        data = subject.role("data")
        problem = problem.replace(**{q.name: problem.arrays[q.name] * scale for q in data})
        place = tuple(n // 2 for n in problem.shapes.program_shape(data[0]))
        for q in subject.role("mask"):
            problem = spoiled(problem, q.name, place, 1)
        other = spoiled(problem, data[0].name, place, value)
        assert_elsewhere_the_same(problem, other, place, f"{value}", ("forward", "backward"))
        rest = ~alike(problem, statistics[-1], place)
        for name in {*other.saved()._fields} - {"count"}:
            want, got = (getattr(p.saved(), name)[rest] for p in (problem, other))
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-323, err_msg=name)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_channel_with_nan_or_inf_has_no_numbers_left(subject, value):
    """A statistic with one of them in it is none."""
    statistics = subject.statistics
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
    statistics = subject.statistics
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
