"""Plans: what the functions give, in arrays of the plan's own, which later calls use again."""

import inspect

import numpy as np
import pytest

from .problems import DTYPES, medium_problem
from .subjects import over
from .test_memory import same

PLANNED = over(lambda s: s.has("plan"))
IN_PLACE = over(lambda s: s.has("plan") and s.layout == "channels" and s.does.importable and not s.role("mask"))


def planned(problem):
    """A plan for a problem's data."""
    make = problem.subject.kernels.module.plan
    data = problem.arrays[problem.subject.role("data")[0].name]
    given = problem.keywords("forward") | {"shape": data.shape, "dtype": data.dtype}
    return make(**{n: given[n] for n in inspect.signature(make).parameters if n in given})


def asked(method, keywords):
    """What one of a plan's functions takes, of what the module's takes."""
    return {n: keywords[n] for n in inspect.signature(method).parameters}


def step(plan, problem):
    """What forward and backward give by their names."""
    with np.errstate(all="ignore"):
        forward = plan.forward(**asked(plan.forward, problem.keywords("forward")))
        backward = plan.backward(**asked(plan.backward, problem.keywords("backward")))
    return problem.named("forward", forward), problem.named("backward", backward)


def assert_right(problem, found):
    for function, got in zip(("forward", "backward"), found, strict=True):
        want = problem.call(function)
        wrong = [n for n in want if n != "saved" and not same(got[n], want[n])]
        assert not wrong, f"{function}: {wrong} in {problem.dtype}"


@PLANNED
def test_it_gives_what_the_functions_give_in_the_same_arrays(subject):
    for dtype in DTYPES:
        first, second = (medium_problem(subject, seed=seed).astype(dtype) for seed in (0, 1))
        plan = planned(first)
        found = step(plan, first)
        assert_right(first, found)
        again = step(plan, second)
        assert_right(second, again)
        kept = [n for n in found[1] if isinstance(found[1][n], np.ndarray)]
        if subject.does.in_host_memory and "out" in subject.parameters("backward"):
            assert [n for n in kept if again[1][n] is not found[1][n]] == []


@PLANNED
def test_what_is_left_out_may_change_from_call_to_call(subject):
    given = medium_problem(subject)
    absent = given.replace(**{q.name: None for q in subject.optional})
    plan = planned(given)
    for problem in (given, absent, given):
        if subject.layout == "trailing" and problem is absent:
            continue  # whose axes are told by the shape of a parameter
        assert_right(problem, step(plan, problem))


@PLANNED
def test_it_refuses_other_data_than_was_planned(subject):
    problem = medium_problem(subject)
    plan = planned(problem)
    with pytest.raises(ValueError, match="backward needs a forward of the same plan before it"):
        plan.backward(**asked(plan.backward, dict.fromkeys(inspect.signature(plan.backward).parameters)))
    name = next(n for n in inspect.signature(plan.forward).parameters if subject.of(n).role == "data")
    keywords = problem.keywords("forward")
    for wrong in (keywords[name][..., :1, :], keywords[name].astype(np.float32)):
        with pytest.raises(ValueError, match=f"^{name} needs shape .* and dtype float64, as planned, got"):
            plan.forward(**asked(plan.forward, keywords | {name: wrong}))
    with pytest.raises(TypeError, match=r"^dtype needs to be float16, .*, got int32$"):
        subject.kernels.module.plan(**asked(subject.kernels.module.plan, _settings(problem) | {"dtype": np.int32}))


def _settings(problem):
    """Everything that a plan can be told, as it is by default."""
    parameters = inspect.signature(problem.subject.kernels.module.plan).parameters
    return {n: p.default for n, p in parameters.items()} | {"shape": (2, 2), "num_groups": 1}


@IN_PLACE
def test_data_may_be_the_plans_own_results_but_not_parts_of_them(subject):
    problem = medium_problem(subject)
    plan, keywords = planned(problem), problem.keywords("forward")
    y = plan.forward(**asked(plan.forward, keywords))[0]
    data = subject.role("data")[0].name
    want = problem.replace(**{data: y.copy()}).call("forward")
    into_itself = plan.forward(**asked(plan.forward, keywords | {data: y}))[0]
    assert into_itself is y
    assert same(into_itself, want[subject.output.name])
    with pytest.raises(ValueError, match="memory of another array"):
        plan.forward(**asked(plan.forward, keywords | {data: y[::-1]}))
