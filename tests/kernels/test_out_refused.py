"""What `out=` refuses, each time without a byte written: overlaps, wrong shapes and dtypes, read-only arrays."""

import re

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from .forms import form
from .problems import Problem, arrays_of
from .subjects import made, over
from .test_out import INTO_AN_INPUT, SEVERAL, first, inputs, several, takers

SQUARE = {
    "channels": form("channels", (6, 6), 1),
    "trailing": form("trailing", (6, 6), 1),
    "groups": form("groups", (6, 6), 3),
    "instance": form("instance", (6, 6, 2)),
    "arrays": form("arrays", (6, 6, 6)),
    "elementwise": form("elementwise", (6, 6)),
}


def square(subject):
    """A problem whose arrays of elements have as many rows as columns."""
    return Problem(subject, SQUARE[subject.layout])


def assert_refused(problem, function, what, kind=ValueError, /, **changed):
    """Refused in one line that names `out`, with nothing written to any array of the call."""
    keywords = problem.keywords(function) | changed
    arrays = arrays_of(*keywords.values())
    copies = [a.copy() for a in arrays]
    try:
        getattr(problem.subject.kernels, function)(**keywords)
    except kind as error:
        message = str(error)
    else:
        pytest.fail(f"{function} takes {what}")
    assert "\n" not in message, f"{function}, {what}: {message}"
    assert re.search(r"\b(out|d\w+)\b", message), f"{function}, {what}: {message}"
    for a, b in zip(arrays, copies, strict=True):
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), f"{function}, {what}: written to"


@INTO_AN_INPUT
def test_views_of_an_input(subject):
    problem = square(subject)
    for function in takers(subject):
        for name in inputs(problem, function):
            value = problem.arrays[name]
            for view in (np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]):
                assert_refused(problem, function, f"{name}{view}", out=value[view])
            assert_refused(problem, function, f"{name} transposed", out=value.swapaxes(0, 1))


@INTO_AN_INPUT
def test_an_input_shifted_by_a_row(subject):
    problem = square(subject)
    for function in takers(subject):
        for name in inputs(problem, function):
            for inner, outer in ((np.s_[:-1], np.s_[1:]), (np.s_[1:], np.s_[:-1])):
                base = np.zeros((7, *problem.arrays[name].shape[1:]))
                base[inner] = problem.arrays[name]
                other = problem.replace(**{name: base[inner]})
                assert_refused(other, function, f"{name} shifted", out=base[outer])


def smaller(problem, function):
    """The arrays that a call reads and that its first result may not replace: (its name, it, the call with another)."""
    keywords, result = problem.keywords(function), first(problem, function, problem.call(function))
    given = {n: (v, lambda a, n=n: {n: a}) for n, v in keywords.items()}
    if "saved" in keywords:
        saved = keywords["saved"]
        fields = problem.reads(function).items()
        given |= {f"saved.{n}": (v, lambda a, n=n: {"saved": saved._replace(**{n: a})}) for n, v in fields}
    for name, (value, changed) in given.items():
        if isinstance(value, np.ndarray) and value.shape != result.shape and 0 < value.size <= result.size:
            yield name, value, changed


def smaller_somewhere(subject):
    """Nothing is compiled to find that out."""
    numpys = made("numpy", subject.name)
    return any(any(smaller(square(numpys), f)) for f in takers(numpys))


@over(smaller_somewhere)
def test_memory_of_a_parameter_or_of_statistics(subject):
    """Each is a part of what the result would be written to."""
    problem = square(subject)
    for function in takers(subject):
        out = np.zeros_like(first(problem, function, problem.call(function)))
        for name, value, changed in smaller(problem, function):
            part = out.reshape(-1)[: value.size].reshape(value.shape)
            part[...] = value
            assert_refused(problem, function, f"memory of {name}", out=out, **changed(part))


@SEVERAL
def test_one_output_in_another(subject):
    problem = square(subject)
    for function in several(subject):
        want = list(problem.call(function).values())
        fresh = [np.zeros_like(w) for w in want]
        for k in range(1, len(want)):
            part = fresh[0].reshape(-1)[: want[k].size].reshape(want[k].shape)
            out = (fresh[0], *(part if j == k else None for j in range(1, len(want))))
            assert_refused(problem, function, f"result {k} within the first", out=out)
            for name in inputs(problem, function):
                part = problem.arrays[name].reshape(-1)[: want[k].size].reshape(want[k].shape)
                out = tuple(part if j == k else None for j in range(len(want)))
                assert_refused(problem, function, f"result {k} within {name}", out=out)


def test_wrong_kinds_shapes_and_dtypes(subject):
    problem = square(subject)
    wrong = (TypeError, ValueError)
    for function in takers(subject):
        good = np.zeros_like(first(problem, function, problem.call(function)))
        readonly = good.copy()
        readonly.flags.writeable = False
        bad = {
            "a list": good.tolist(),
            "a string": "dx",
            "a masked array": np.ma.array(good),
            "integers": good.astype(int),
            "complex": good.astype(complex),
            "big-endian": good.astype(">f8"),
            "float32": good.astype(np.float32),
            **({"a read-only array": readonly} if subject.does.checks_read_only else {}),
            "fewer rows": good[:-1].copy(),
            "more axes": good[..., None].copy(),
            "one row": good[:1].copy(),
            "a vector": np.zeros(good.size),
            "a row repeated": as_strided(np.zeros(good.shape[1:]), good.shape, (0, *good.strides[1:])),
        }
        for what, out in bad.items():
            assert_refused(problem, function, what, wrong, out=out)


@SEVERAL
def test_wrong_results_after_a_right_one(subject):
    """The first is right: it must be left alone all the same."""
    problem = square(subject)
    for function in several(subject):
        want = list(problem.call(function).values())
        for k in range(1, len(want)):
            good = np.zeros_like(want[k])
            for bad in (
                good[:-1].copy(),
                good[..., None].copy(),
                good.astype(np.float32),
                good.astype(int),
                good.tolist(),
            ):
                out = (np.full_like(want[0], 3), *(bad if j == k else None for j in range(1, len(want))))
                assert_refused(problem, function, f"a wrong result {k}", (TypeError, ValueError), out=out)
        for length in (0, 1, len(want) - 1, len(want) + 1):
            if length != len(want):
                out = tuple(np.zeros_like(want[0]) if k == 0 else None for k in range(length))
                assert_refused(problem, function, f"{length} results", (TypeError, ValueError), out=out)
