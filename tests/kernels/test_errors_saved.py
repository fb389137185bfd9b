"""A `saved` that is none, or another batch's, is refused: which exception, naming what, saying what it got."""

import numpy as np

from .forms import medium, small
from .problems import Problem, medium_problem
from .subjects import over
from .test_errors import WRONG, assert_refused

SAVED = {"None": None, "a number": 3.0, "a string": "saved", "a list": [], "a tuple": (), "an array": np.zeros((3, 4))}
GIVEN_SAVED = over(lambda s: s.given_saved)


@GIVEN_SAVED
def test_saved_that_is_not_what_forward_returned(subject, problem):
    for function in subject.given_saved:
        for value in SAVED.values():
            assert_refused(problem, function, WRONG, "saved", "", saved=value)


@GIVEN_SAVED
def test_saved_of_another_batch(subject, problem):
    """What is kept of another shape of x."""
    refused = 0
    for form in (*medium(subject)[1:], small(subject)[0]):
        saved = Problem(subject, form, margin=1e-3).saved()
        if [np.shape(v) or v for v in saved] == [np.shape(v) or v for v in problem.saved()]:
            continue  # nothing tells them apart
        for function in (f for f in subject.derivatives if f in subject.given_saved):
            named = "|".join(subject.arguments(function))
            assert_refused(problem, function, ValueError, named, r"\d", saved=saved)
            refused += 1
    assert refused


@GIVEN_SAVED
def test_fields_of_saved_of_another_shape(subject):
    """Those that a function reads."""
    problem, refused = medium_problem(subject), 0
    for function in subject.given_saved:
        for field, value in problem.reads(function).items():
            for shape in ((*value.shape, 1), tuple(n + 1 for n in value.shape), tuple(n + 1 for n in value.shape[:-1])):
                bad = problem.saved()._replace(**{field: np.ones(shape, value.dtype)})
                named = "|".join([r"saved(\.\w+)?", *subject.arguments(function)])
                assert_refused(problem, function, ValueError, named, r"\d", saved=bad)
                refused += 1
    assert refused
