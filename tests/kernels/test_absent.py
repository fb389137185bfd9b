"""What is left out: a parameter that is None stands for its number, a tangent that is None for zero."""

from itertools import combinations

import numpy as np
import pytest

from .forms import form
from .problems import Problem, medium_problem


def assert_same(what, got, want, names):
    for name in names:
        scale = 1 + np.max(np.abs(want[name]), initial=0)
        assert np.allclose(got[name], want[name], rtol=0, atol=1e-13 * scale), f"{what}: {name}"


def subsets(names):
    return [c for n in range(1, len(names) + 1) for c in combinations(names, n)]


def test_a_parameter_that_is_none_stands_for_its_number(subject):
    """And has no gradient, where the function is asked for one; the other results are as with the number."""
    if not subject.optional:
        pytest.skip("nothing may be left out")
    problem = medium_problem(subject)
    numbers = {q.name: np.full(problem.shapes.shape(q), float(q.absent)) for q in subject.optional}
    for names in subsets([q.name for q in subject.optional]):
        less = problem.replace(**dict.fromkeys(names))
        full = problem.replace(**{n: numbers[n] for n in names})
        for function in subject.derivatives:
            what = f"{function} without {names}"
            got, want = less.call(function), full.call(function)
            missing = {
                n
                for n in got
                if n != "saved" and subject.of(n).name in names and subject.of(n).name in subject.arguments(function)
            }
            assert all(got[n] is None for n in missing), what
            assert_same(what, got, want, set(got) - missing - {"saved"})


def test_a_tangent_that_is_none_is_zero(subject):
    problem = medium_problem(subject)
    for function in ("jvp", "double_backward", "backward_jvp"):
        names = subject.tangents(function)
        for absent in [(n,) for n in names] + [tuple(names)]:
            zeros = {n: np.zeros_like(problem.arrays[n]) if np.ndim(problem.arrays[n]) else 0.0 for n in absent}
            got, want = problem.call(function, **dict.fromkeys(absent)), problem.call(function, **zeros)
            assert_same(f"{function} without {absent}", got, want, got)


def test_everything_that_may_be_none_at_once(subject):
    problem = medium_problem(subject, 1).replace(**{q.name: None for q in subject.optional})
    for function in ("jvp", "double_backward", "backward_jvp"):
        got = problem.call(function, **dict.fromkeys(subject.tangents(function)))
        derivatives = [n for n in got if n.startswith(("t", "g_")) and got[n] is not None]
        assert derivatives
        assert all(np.all(np.asarray(got[n]) == 0) for n in derivatives), function


def test_normalized_ndim_is_one_unless_given_and_is_that_of_the_parameters(subject):
    if subject.layout != "trailing":
        pytest.skip("only for layouts that normalize trailing axes")
    for ndim in (1, 2, 3):
        problem = Problem(subject, form("trailing", (2, 3, 4), ndim))
        ones = problem.replace(**{q.name: np.full(problem.shapes.shape(q), float(q.absent)) for q in subject.optional})
        none = problem.replace(**{q.name: None for q in subject.optional})
        for function in subject.derivatives:
            y = next(iter(none.call(function)))
            for options in [{"normalized_ndim": ndim}] + [{"normalized_ndim": None}] * (ndim == 1):
                tangents = dict.fromkeys(n for n in subject.tangents(function) if subject.of(n).role == "parameter")
                got, want = (p.call(function, **o, **tangents) for p, o in ((none, options), (ones, {})))
                assert_same(f"{function}, {ndim} axes", got, want, [y])
