"""Where the mathematics has an edge: one element to a statistic, none, no axis, gamma = 0, a kink."""

import numpy as np
import pytest

from bnsym.model import Size

from .agreement import check
from .digits import Exact
from .forms import Arrays, form
from .problems import DTYPES, Problem, kinks, medium_problem, small_problem
from .subjects import FUNCTIONS, over

ONE = {
    "channels": [((1, 3), 1), ((1, 2, 1), -2)],
    "trailing": [((3, 1), 1), ((1,), 1)],
    "groups": [((2, 3), 3), ((1, 2, 1), 2)],
    "instance": [((2, 3, 1), None), ((2, 3), None)],
    "arrays": [((1, 1, 1), None), ((3, 1, 2), None)],
    "elementwise": [((1,), None), ((1, 1), None)],
}
EMPTY = {  # results without an element; some of more rows than a kernel may add at once
    "channels": [((4, 0), 1), ((200, 0), 1), ((4, 0, 3), 1), ((200, 0, 300), 1), ((2, 3, 0), -1)],
    "trailing": [((0, 3), 1), ((0, 300), 1), ((2, 0, 3, 2), 2)],
    "groups": [((0, 4, 2), 2), ((0, 300, 200), 2)],
    "instance": [((0, 4, 2), None), ((2, 0, 3), None), ((200, 0, 300), None)],
    "arrays": [((200, 5, 0), None), ((0, 5, 7), None)],
    "elementwise": [((0,), None), ((3, 0), None)],
}
NOTHING = {  # a statistic of no element
    "channels": [((0, 3), 1), ((4, 3, 0), 1)],
    "trailing": [((3, 0), 1), ((2, 3, 0), 2)],
    "groups": [((2, 4, 0), 2)],
    "instance": [((2, 3, 0), None)],
    "arrays": [((0, 5, 7), None), ((0, 0, 7), None)],
}
ONE_AND_ONLY = pytest.mark.parametrize("at", [0, 1])


def forms(subject, kinds):
    return [form(subject.layout, *f) for f in kinds.get(subject.layout, [])]


@ONE_AND_ONLY
def test_one_element_to_a_statistic(subject, at):
    problem = Problem(subject, forms(subject, ONE)[at])
    truth = Exact(problem)
    for dtype in DTYPES:
        other = problem.astype(dtype)
        for function in FUNCTIONS:
            check(other, function, other.call(function), getattr(truth, function))


def averaged(subject):
    """The axes over which it takes a mean or a maximum, of which there is none of nothing."""
    terms = [t for e in subject.program.equations for t in e.terms]
    sizes = {s.axis for t in terms for s in t.body.atoms(Size)}
    return sizes | {a for t in terms if t.largest for a in t.axes}


def takes_nothing(subject, shape):
    return subject.layout == "arrays" and any(Arrays(subject, shape).sizes[a] == 0 for a in averaged(subject))


def empty(subject):
    """The forms that leave a result without an element, and every statistic with some."""
    return [
        f for f in forms(subject, EMPTY) if 0 in Arrays(subject, f).sizes.values() and not takes_nothing(subject, f)
    ]


def of_nothing(subject):
    """The forms that leave a statistic without an element."""
    return [f for f in forms(subject, NOTHING) if subject.layout != "arrays" or takes_nothing(subject, f)]


@over(empty)
def test_empty_results(subject):
    """The right shapes and dtypes; a parameter's gradient is a sum of nothing."""
    for shape in empty(subject):
        for dtype in DTYPES:
            problem = Problem(subject, shape, margin=-1).astype(dtype)
            for function in subject.derivatives:
                got = problem.call(function)
                check(
                    problem,
                    function,
                    got,
                    {n: np.zeros(v.shape) for n, v in got.items() if n != "saved"} | saved_zeros(got),
                )


def saved_zeros(got):
    return {n: np.zeros(np.shape(v)) for n, v in got["saved"]._asdict().items()} if "saved" in got else {}


@over(of_nothing)
def test_statistics_of_nothing_are_refused(subject):
    for shape in of_nothing(subject):
        problem = Problem(subject, shape, margin=-1)
        data = subject.role("data")[0].name
        for function in ("forward", "jvp"):
            with pytest.raises(ValueError, match=rf"\b({data}|mask)\b") as error:
                problem.call(function)
            assert str(problem.arrays[data].shape) in str(error.value) or "mask" in str(error.value), error.value


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
    problem = problem.replace(
        **{q.name: problem.arrays[q.name] * (np.indices(problem.arrays[q.name].shape).sum(0) % 2) for q in scales}
    )
    assert problem.kink_distance() > 1e-3
    truth = Exact(problem)
    for function in FUNCTIONS:
        for dtype in DTYPES:
            other = problem.astype(dtype)
            check(other, function, other.call(function), getattr(truth, function))


def ends_in_a_kink(subject):
    """Whether it has a function with a kink, and none under its statistics: of those each element has a part."""
    under = subject.program.needed(tuple(subject.statistics)).equations
    return any(map(kinks, subject.program.equations)) and not any(map(kinks, under))


@over(ends_in_a_kink)
def test_at_a_kink_every_derivative_is_zero(subject):
    """The argument of the kinked function is 0 everywhere: with no parameter but 0, and no data beside x."""
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
