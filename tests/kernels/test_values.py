"""Every function of every definition against sixty digits, in every dtype: values, gradients, and second order."""

import pytest

from .agreement import check
from .digits import exact
from .forms import small
from .problems import DTYPES
from .subjects import FUNCTIONS, over

EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=["float16", "float32", "float64"])


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("function", FUNCTIONS)
@EVERY_DTYPE
def test_it_agrees_with_sixty_digits(subject, at, function, dtype):
    truth = exact(subject, small(subject)[at])
    problem = truth.problem.astype(dtype)
    check(problem, function, problem.call(function), getattr(truth, function))


@over(lambda s: s.role("parameter") and s.layout != "arrays")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_parameters_of_another_dtype_than_the_data(subject, function):
    """float64 parameters with float32 data, and float32 with float64; matrices that are multiplied have one dtype."""
    truth = exact(subject, small(subject)[0])
    for data, vectors in (("f4", "f8"), ("f8", "f4"), ("f2", "f4")):
        problem = truth.problem.astype(data, vectors)
        check(problem, function, problem.call(function), getattr(truth, function))


@over(lambda s: s.has("parameter_backward"))
def test_parameter_backward_is_part_of_backward(subject):
    truth = exact(subject, small(subject)[0])
    check(truth.problem, "parameter_backward", truth.problem.call("parameter_backward"), truth.backward)
