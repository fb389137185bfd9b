"""Wrong options of a layout: axes, groups, normalized axes, masks; and data with too few axes."""

import re

import numpy as np
import pytest

from .forms import form
from .problems import Problem, medium_problem
from .subjects import over
from .test_errors import WRONG, assert_refused

NO_INTEGER = (1.0, "1", (1,), [1], np.float64(1))


def takers(subject, option):
    return [f for f in subject.functions if option in subject.parameters(f)]


def layout(subject, name):
    if subject.layout != name:
        pytest.skip(f"not of layout {name}")
    return medium_problem(subject, 1)


def test_channel_axis(subject):
    problem = layout(subject, "channels")
    for function in takers(subject, "channel_axis"):
        for axis in (4, -5, 100, -100):
            assert_refused(problem, function, ValueError, "channel_axis", str(axis), channel_axis=axis)
        for axis in (*NO_INTEGER, None):
            assert_refused(problem, function, WRONG, "channel_axis", "", channel_axis=axis)
        for axis in (0, 2, -1):  # parameters follow the axis: right for axis 1, wrong for the others
            names = "|".join(subject.arguments(function))
            assert_refused(problem, function, ValueError, names, r"\d", channel_axis=axis)
        for axis in (np.int64(1), np.int32(-3)):
            assert problem.call(function, channel_axis=axis)


def test_num_groups(subject):
    problem = layout(subject, "groups")
    for function in takers(subject, "num_groups"):
        for groups in (0, -1, 3, 5, 16, 100):
            assert_refused(problem, function, ValueError, "num_groups", str(groups), num_groups=groups)
        for groups in (2.0, "2", None, (2,), np.float64(2)):
            assert_refused(problem, function, WRONG, "num_groups", "", num_groups=groups)
        for groups in (1, 2, 4, 8, np.int64(2)):
            assert problem.call(function, num_groups=groups)


def test_normalized_ndim(subject):
    problem = layout(subject, "trailing").replace(**{q.name: None for q in subject.optional})
    for function in takers(subject, "normalized_ndim"):
        tangents = dict.fromkeys(subject.tangents(function))
        for ndim in (0, -1, 5, 100):
            assert_refused(
                problem, function, ValueError, "normalized_ndim|x", str(ndim), normalized_ndim=ndim, **tangents
            )
        for ndim in NO_INTEGER:
            assert_refused(problem, function, WRONG, "normalized_ndim", "", normalized_ndim=ndim, **tangents)


def test_too_few_axes(subject):
    least = {"channels": 2, "groups": 2, "instance": 2, "trailing": 1}.get(subject.layout)
    if least is None:
        pytest.skip("any number of axes, or a fixed one")
    problem = medium_problem(subject)
    for function in subject.derivatives:
        data = [
            n
            for n in subject.arguments(function)
            if n in problem.arrays and np.shape(problem.arrays[n]) == problem.form.shape
        ]
        for shape in [(5,) * n for n in range(least)]:
            bad = {n: np.ones(shape) for n in data}
            got = re.escape(str(shape)) + f"|{len(shape)}"
            assert_refused(
                problem, function, ValueError, "|".join([*subject.arguments(function), "normalized_ndim"]), got, **bad
            )


def masked(subject):
    masks = subject.role("mask")
    if not masks or subject.layout != "channels":
        pytest.skip("it has no mask that may be of truth values")
    return medium_problem(subject, 1), masks[0].name


def test_mask_of_truth_values_or_of_any_dtype_that_broadcasts(subject):
    problem, name = masked(subject)
    full = problem.arrays[name]
    for mask in (full > 0, full.astype(np.float32), full.astype(np.float16)):
        for function in (f for f in subject.derivatives if name in subject.arguments(f)):
            want, got = problem.call(function), problem.replace(**{name: mask}).call(function)
            assert all(np.array_equal(got[n], want[n]) for n in got if n != "saved" and want[n] is not None), function
    for shape in ((4, 1, 1, 1), (1, 5, 1, 1), (3, 2), (1, 1, 3, 2), (), (4, 5, 3, 1)):
        mask = np.ones(shape)
        if shape == (4, 1, 1, 1):
            mask[:1] = 0
        narrow, wide = (problem.replace(**{name: m}) for m in (mask, np.broadcast_to(mask, full.shape).copy()))
        for function in (f for f in subject.derivatives if name in subject.arguments(f)):
            want, got = wide.call(function), narrow.call(function)
            assert all(np.array_equal(got[n], want[n]) for n in got if n != "saved"), f"{function} with {shape}"


def test_mask_that_is_none(subject):
    problem, name = masked(subject)
    full = problem.arrays[name]
    for function in (f for f in subject.derivatives if name in subject.arguments(f)):
        values = (full + 1, full * 0.5, -full, np.full_like(full, np.nan)) if subject.does.checks_values else ()
        for mask in values:
            assert_refused(problem, function, ValueError, name, "", **{name: mask})
        for shape in ((5,), (4, 5, 3), (4, 5, 3, 2, 1), (8, 5, 3, 2), (1, 4, 5, 3, 2)):
            assert_refused(problem, function, ValueError, name, r"\d", **{name: np.ones(shape)})


@over(lambda s: s.role("mask") and s.layout == "channels" and s.does.checks_values)
def test_a_channel_without_a_position(subject):
    problem, name = masked(subject)
    mask = problem.arrays[name].copy()
    mask[:, 2] = 0
    for function in ("forward", "jvp"):
        assert_refused(problem, function, ValueError, name, "0", **{name: mask})


def test_what_stands_beside_the_mask_is_of_no_consequence(subject):
    """Were it NaN or Inf, in data, gradients and tangents alike; and every result there is as it was, mostly 0."""
    for at in (0, 1, 2):
        problem, name = medium_problem(subject, at), masked(subject)[1]
        mask = problem.arrays[name]
        whole = {
            n: v for n, v in problem.arrays.items() if isinstance(v, np.ndarray) and v.shape == mask.shape and n != name
        }
        for value in (np.nan, np.inf, -3e38):
            spoilt = problem.replace(**{n: np.where(mask > 0, v, value) for n, v in whole.items()})
            for function in (f for f in subject.derivatives if name in subject.arguments(f)):
                want, got = problem.call(function), spoilt.call(function)
                wrong = [n for n in got if n != "saved" and not np.array_equal(got[n], want[n])]
                assert not wrong, f"{function}, {value} beside the mask: {wrong}"


@over(lambda s: s.averaged and "count" in s.arguments("population"))
def test_what_is_made_unbiased_by_a_count_needs_two(subject):
    problem = medium_problem(subject)
    counts = isinstance(problem.arrays["count"], np.ndarray)
    for count in (1, 0, -3) if subject.does.checks_values or not counts else ():
        value = np.full_like(problem.arrays["count"], count) if counts else count
        assert_refused(problem, "population", ValueError, "count", str(count), count=value)
    for count in (2.5, "2", None, [2]):
        assert_refused(problem, "population", WRONG, "count", "", count=count)
    one = Problem(subject, form("channels", (1, 5), 1))
    if subject.does.checks_values or not counts:
        assert_refused(problem, "update_running", ValueError, r"saved(\.count)?|count", "1", saved=one.saved())


@over(lambda s: s.averaged)
def test_momentum_is_a_weight(subject, problem):
    for momentum in (-0.1, 1.1, float("nan")):
        assert_refused(problem, "update_running", ValueError, "momentum", str(momentum), momentum=momentum)
