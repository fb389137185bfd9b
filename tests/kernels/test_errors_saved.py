"""A `saved` that is none, or another batch's, is refused: which exception, naming what, saying what it got."""

import numpy as np
import pytest

from .forms import medium
from .problems import medium_problem
from .test_errors import WRONG, assert_refused

SAVED = {"None": None, "a number": 3.0, "a string": "saved", "a list": [], "a tuple": (), "an array": np.zeros((3, 4))}


def test_saved_that_is_not_what_forward_returned(subject, problem):
    for function in (f for f in subject.functions if "saved" in subject.arguments(f)):
        for value in SAVED.values():
            assert_refused(problem, function, WRONG, "saved", "", saved=value)


def test_saved_of_another_batch(subject, problem):
    """What is kept of another shape of x."""
    for at in (1, 2, 3):
        if not subject.has("Saved"):
            pytest.skip("nothing is saved")
        saved = medium_problem(subject, at % len(medium(subject))).saved()
        if [np.shape(v) or v for v in saved] == [np.shape(v) or v for v in problem.saved()]:
            continue  # nothing tells them apart
        for function in (f for f in subject.functions if "saved" in subject.arguments(f)):
            if function not in ("update_running", "correction"):
                named = "|".join(subject.arguments(function))
                assert_refused(problem, function, ValueError, named, r"\d", saved=saved)


def test_fields_of_saved_of_another_shape(subject, problem):
    for function in (f for f in subject.functions if "saved" in subject.arguments(f)):
        saved = problem.saved()
        for field in saved._fields:
            value = getattr(saved, field)
            if isinstance(value, np.ndarray):
                used = f"saved.{field}" in used_fields(subject, function)
                for shape in (
                    [(*value.shape, 1), tuple(n + 1 for n in value.shape), tuple(n + 1 for n in value.shape[:-1])]
                    if used
                    else []
                ):
                    bad = saved._replace(**{field: np.ones(shape, value.dtype)})
                    named = "|".join([r"saved(\.\w+)?", *subject.arguments(function)])
                    assert_refused(problem, function, ValueError, named, r"\d", saved=bad)


def used_fields(subject, function):
    """Which fields a function reads: those without which it fails."""
    problem, found = medium_problem(subject), []
    for field in problem.saved()._fields:
        saved = problem.saved()._replace(**{field: object()})
        try:
            getattr(subject.kernels, function)(**problem.keywords(function) | {"saved": saved})
        except Exception:
            found.append(f"saved.{field}")
    return found
