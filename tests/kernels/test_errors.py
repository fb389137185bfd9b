"""Wrong arguments: which exception, one line, naming the argument and what it got; and nothing written to any array."""

import re

import numpy as np
import pytest

from .problems import arrays_of
from .subjects import over

WRONG = (TypeError, ValueError)


def assert_refused(problem, function, kind, named, got, /, **bad):
    """The call is refused in one line that names one of `named` and matches `got`, and no array is written to."""
    keywords = problem.keywords(function) | bad
    arrays = [a for a in arrays_of(*keywords.values()) if a.dtype.kind == "f"]
    copies = [a.copy() for a in arrays]
    what = f"{problem.subject.name}.{function}({', '.join(f'{k}={v!r:.60}' for k, v in bad.items())})"
    try:
        getattr(problem.subject.kernels, function)(**keywords)
    except kind as error:
        message = str(error)
    except Exception as error:
        raise AssertionError(f"{what} raises {type(error).__name__}: {error}") from error
    else:
        raise AssertionError(f"{what} is accepted")
    assert "\n" not in message, f"{what}: {message}"
    about = re.split(r"\W", message)[0]
    assert about in problem.subject.parameters(function), f"{what} speaks of {about}: {message}"
    assert re.search(rf"\b({named})\b", message), f"{what} does not name {named}: {message}"
    assert re.search(got, message, re.IGNORECASE), f"{what} does not say {got}: {message}"
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arrays, copies, strict=True)), f"{what} writes"


def places(problem):
    """Every function, with every one of its positional arguments that is an array."""
    for function in problem.subject.functions:
        keywords = problem.keywords(function)
        for name in problem.subject.arguments(function):
            if isinstance(keywords.get(name), np.ndarray) and keywords[name].dtype.kind == "f":
                yield function, name, keywords[name]


def test_good_arguments_are_accepted(subject, problem):
    for function in subject.functions:
        assert getattr(subject.kernels, function)(**problem.keywords(function)) is not None


NOT_FLOATING = {
    "list": (lambda a: a.tolist(), "list"),
    "number": (lambda a: 1.5, "float"),
    "numpy number": (lambda a: np.float64(1.5), "float64"),
    "string": (lambda a: "x", "str"),
    "int": (lambda a: a.astype(np.int64), "int64"),
    "bool": (lambda a: a > 0, "bool"),
    "complex": (lambda a: a.astype(complex), "complex"),
    "longdouble": (lambda a: a.astype(np.longdouble), "longdouble|float128|float96|float64"),
    "object": (lambda a: a.astype(object), "object"),
    "text": (lambda a: a.astype(str), "str|<U"),
    "big-endian": (lambda a: a.astype(">f8"), ">f8|endian|byte"),
    "masked": (np.ma.array, "mask"),
    "matrix": (lambda a: np.asmatrix(a.reshape(a.shape[0], -1)), "matrix"),
    "record": (lambda a: np.zeros(a.shape, [("value", float)]), "value|void|record|structured"),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("kind", NOT_FLOATING)
def test_not_a_floating_array(subject, problem, kind):
    spoil, got = NOT_FLOATING[kind]
    got = got if subject.does.holds_any_dtype else rf"{got}|\bndarray"
    masks = [q.name for q in subject.role("mask") if subject.layout != "arrays"]
    for function, name, value in places(problem):
        if name in masks and kind in ("bool", "int", "complex", "longdouble", "object", "big-endian"):
            continue  # zeros and ones of any kind: see test_errors_layout.py
        error, said = (WRONG, "") if name in masks else (TypeError, got)
        assert_refused(problem, function, error, name, said, **{name: spoil(value)})


def test_none_is_only_for_what_may_be_left_out(subject, problem):
    optional = [q.name for q in subject.optional]
    for function, name, _ in places(problem):
        if name not in optional and name not in subject.tangents(function):
            assert_refused(problem, function, TypeError, name, "None", **{name: None})


def test_another_shape(subject, problem):
    """Shapes that would broadcast are refused as well; the message names an argument and says a shape."""
    masks = [q.name for q in subject.role("mask") if subject.layout != "arrays"]  # a mask does broadcast
    for function, name, value in places(problem):
        others = [n for n in subject.arguments(function) if n not in (name, *masks, "saved")]
        like = [n for n in others if np.shape(problem.arrays.get(n)) == value.shape]
        if name in masks or (not like and "saved" not in subject.arguments(function) and is_data(subject, name)):
            continue  # the one array that says what shapes there are
        axes = range(value.ndim)
        if subject.layout == "arrays":  # an axis that no other array has may be of any length
            taken = {a for n in others for a in subject.of(n).axes} | {
                a for q in subject.definition.saved for a in q.axes
            }
            axes = [k for k in axes if subject.of(name).axes[k] in taken]
        changed = [tuple(n + (k == a) for k, n in enumerate(value.shape)) for a in axes]
        ones = [tuple(1 if k == a else n for k, n in enumerate(value.shape)) for a in axes if value.shape[a] > 1]
        named = "|".join([name, *others, *masks, r"saved(\.\w+)?"])
        for shape in [(*value.shape, 1), *changed, *ones, value.shape[:-1]]:
            assert_refused(problem, function, ValueError, named, r"\d", **{name: np.ones(shape)})


@over(lambda s: s.role("parameter"))
def test_parameters_without_axes(subject, problem):
    for function, name, value in places(problem):
        data = name in problem.extra or subject.of(name).axes == subject.element_axes
        if value.ndim and not data:
            assert_refused(problem, function, ValueError, name, r"\(\)|\b0\b", **{name: np.ones(())})


def is_data(subject, name):
    return name in [q.name for q in (*subject.role("data"), *subject.averaged)]


def test_data_of_unlike_dtypes(subject, problem):
    """y, its gradient, residuals and tangents of data have the dtype of x."""
    data = [*subject.role("data"), subject.output]
    for function, name, value in places(problem):
        if "population" in function or subject.of(name) not in data:
            continue
        others = [
            n
            for n in subject.arguments(function)
            if n != name and isinstance(problem.arrays.get(n), np.ndarray) and subject.of(n) in data
        ]
        if others and function not in ("population", "update_running"):
            named = "|".join([name, *others])
            for dtype in (np.float16, np.float32):
                assert_refused(
                    problem, function, ValueError, named, np.dtype(dtype).name, **{name: value.astype(dtype)}
                )


def scalars(subject):
    """Every function with every constant that it takes."""
    constants = {q.name: q for q in (*subject.program.inputs, *subject.corrected) if q.role == "constant"}
    return [(f, constants[name]) for f in subject.functions for name in subject.parameters(f) if name in constants]


@over(scalars)
def test_constants_below_their_least_value(subject, problem):
    for function, q in scalars(subject):
        for value in (q.at_least - 0.5, q.at_least - 1, float("nan"), -np.inf):
            assert_refused(problem, function, ValueError, q.name, re.escape(str(value)), **{q.name: value})


@over(scalars)
def test_constants_that_are_no_number(subject, problem):
    for function, q in scalars(subject):
        for value in ("small", None, [1e-5], 1e-5j, np.ones(2)):
            assert_refused(problem, function, WRONG, q.name, "", **{q.name: value})


@over(scalars)
def test_constants_of_any_real_kind(subject, problem):
    for function, q in scalars(subject):
        for value in (
            q.at_least + 1,
            np.float32(q.at_least + 0.5),
            np.float64(q.at_least + 0.25),
            np.int64(q.at_least + 2),
        ):
            kernel, keywords = getattr(subject.kernels, function), problem.keywords(function)
            got, want = (kernel(**keywords | {q.name: v}) for v in (value, float(value)))
            assert all(np.array_equal(a, b) for a, b in zip(arrays_of(got), arrays_of(want), strict=True)), q.name


@over(lambda s: not s.output.axes)
def test_gradient_of_a_number_that_is_no_number(subject, problem):
    for function in subject.functions:
        for name in (
            n for n in subject.arguments(function) if n in (f"d{subject.output.name}", f"td{subject.output.name}")
        ):
            for value in ("one", [1.0], 1j, np.ones(3)):
                assert_refused(problem, function, WRONG, name, "", **{name: value})
