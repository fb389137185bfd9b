"""Numbers that are none, or too large: one sentence; and gradients that are numbers may be any, as those in arrays."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from .problems import arrays_of, medium_problem
from .subjects import over
from .test_errors import assert_refused, scalars

NO_NUMBER = {
    "a complex number": (np.complex64(1), "complex64"),
    "bytes": (b"1", "bytes"),
    "a bytearray": (bytearray(b"1"), "bytearray"),
    "NumPy's text": (np.str_("1"), "str"),
    "an array of text": (np.array("1e-5"), "str"),
    "an array of one number": (np.array([1e-5]), "ndarray"),
    "a long array": (np.ones(2000), "ndarray"),
    "truth": (True, "bool"),
    "an array of truth": (np.array(True), "bool"),
    "a masked number": (np.ma.masked, "Masked"),
}


def momenta(subject):
    """Functions with a number that no definition declares."""
    return [(f, "momentum") for f in subject.functions if "momentum" in subject.parameters(f)]


def numbers(subject):
    """Every argument that is a number: constants, and gradients of a result that is one."""
    y = subject.output
    gradients = [] if y.axes else [(f, n) for f in subject.functions for n in (f"d{y.name}", f"td{y.name}")]
    found = [*((f, q.name) for f, q in scalars(subject)), *gradients, *momenta(subject)]
    return [(f, n) for f, n in found if n in subject.parameters(f)]


@over(numbers)
@pytest.mark.parametrize("kind", NO_NUMBER)
def test_what_is_no_number(subject, problem, kind):
    value, said = NO_NUMBER[kind]
    if isinstance(value, np.ndarray) and not value.ndim and not subject.does.arrays_as_numbers:
        said = "array|Masked"  # what it holds does not matter
    for function, name in numbers(subject):
        assert_refused(problem, function, TypeError, name, said, **{name: value})


@over(numbers)
def test_numbers_beyond_float64(subject, problem):
    for function, name in numbers(subject):
        for value in (10**400, -(10**400), Fraction(10**400)):
            assert_refused(problem, function, ValueError, name, type(value).__name__, **{name: value})


@over(lambda s: scalars(s) or momenta(s))
def test_infinite_constants(subject, problem):
    for function, q in scalars(subject):
        assert_refused(problem, function, ValueError, q.name, "finite number of at least.*got inf", **{q.name: np.inf})
    for function, name in momenta(subject):
        assert_refused(problem, function, ValueError, name, "from 0.0 to 1.0, got inf", **{name: np.inf})


@over(numbers)
def test_numbers_of_any_kind(subject, problem):
    for function, name in numbers(subject):
        call, keywords = getattr(subject.kernels, function), problem.keywords(function)
        at = 0.5 if name == "momentum" else 1.5
        want = call(**keywords | {name: at})
        arrays = (np.array(at), np.array(at, np.float16), np.array(Fraction(at)))
        for value in (Fraction(at), Decimal(at), *(arrays if subject.does.arrays_as_numbers else ())):
            got = call(**keywords | {name: value})
            assert all(np.array_equal(a, b) for a, b in zip(arrays_of(got), arrays_of(want), strict=True)), function


@over(lambda s: not s.output.axes)
def test_gradients_that_are_numbers_may_overflow(subject):
    """A scaled loss may: the caller finds it in the gradients, as in those of a loss that is an array."""
    problem, name = medium_problem(subject), f"d{subject.output.name}"
    for value in (np.inf, -np.inf, np.nan):
        got = problem.call("backward", **{name: value})
        assert all(not np.isfinite(g).any() for g in arrays_of(*got.values()))
