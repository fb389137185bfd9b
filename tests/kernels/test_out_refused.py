"""What `out=` refuses, each time without a byte written: overlaps, wrong shapes and dtypes, read-only arrays."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from .cases import make
from .test_out import BACKWARDS, EVERY_FUNCTION, Calls


def assert_refused(call, out, kind, arrays, needle=r"\bout\b"):
    copies = [a.copy() for a in arrays]
    with pytest.raises(kind, match=needle) as error:
        call(out)
    assert "\n" not in str(error.value)
    for a, b in zip(arrays, copies, strict=True):
        assert np.array_equal(a, b)


def written(out):
    return [v for v in (out if isinstance(out, tuple) else (out,)) if isinstance(v, np.ndarray)]


@EVERY_FUNCTION
@pytest.mark.parametrize("view", [np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]])
@pytest.mark.parametrize("which", ["x", "dy"])
def test_reversed_view_of_an_input(bn, name, view, which):
    case = make((8, 8))
    if which == "dy" and "backward" not in name:
        which = "x"
    call = getattr(Calls(bn, case), name)
    assert_refused(call, getattr(case, which)[view], ValueError, [case.x, case.dy])


@EVERY_FUNCTION
@pytest.mark.parametrize(("inner", "outer"), [(np.s_[:-1], np.s_[1:]), (np.s_[1:], np.s_[:-1])])
def test_shifted_by_a_row(bn, name, inner, outer):
    case = make((8, 5))
    base = np.zeros((9, 5))
    base[inner] = case.x
    calls = Calls(bn, case)
    assert_refused(lambda out: getattr(calls, name)(out, x=base[inner]), base[outer], ValueError, [base, case.dy])


@EVERY_FUNCTION
def test_transpose_of_an_input(bn, name):
    case = make((6, 6))
    assert_refused(getattr(Calls(bn, case), name), case.x.T, ValueError, [case.x, case.dy])


@EVERY_FUNCTION
def test_overlap_with_a_parameter(bn, name):
    """gamma is a row of what the result would be written to."""
    base = make((7, 5))
    out = np.zeros((7, 5))
    case = type(base)(base.x, base.dy, out[3], base.beta, base.eps, 1)
    case.gamma[:] = base.gamma
    assert_refused(getattr(Calls(bn, case), name), out, ValueError, [out])


@EVERY_FUNCTION
def test_overlap_with_the_statistics(bn, name):
    if name == "forward":
        name = "inference"
    case = make((7, 5))
    out, calls = np.zeros((7, 5)), Calls(bn, case)
    out[2] = calls.saved.mean
    calls.saved = calls.saved._replace(mean=out[2])
    calls.statistics = out[2], calls.saved.var
    assert_refused(getattr(calls, name), out, ValueError, [out])


@EVERY_FUNCTION
def test_overlap_with_itself(bn, name):
    """Rows that are one row in memory cannot hold different results."""
    case, row = make((7, 5)), np.zeros(5)
    out = as_strided(row, (7, 5), (0, row.itemsize))
    assert_refused(getattr(Calls(bn, case), name), out, ValueError, [row])


@BACKWARDS
@pytest.mark.parametrize("kind", ["gamma", "twice", "dx", "x", "dy", "mean"])
def test_overlaps_of_the_parameters_gradients(bn, name, kind):
    case = make((7, 5))
    dx, calls = np.zeros((7, 5)), Calls(bn, case)
    row = np.zeros(5)
    calls.statistics = calls.saved.mean, calls.saved.var
    out = {
        "gamma": (None, case.gamma, None),
        "twice": (None, row, row),
        "dx": (dx, None, dx[4]),
        "x": (None, case.x[1], None),
        "dy": (None, None, case.dy[1]),
        "mean": (None, calls.saved.mean, None),
    }[kind]
    arrays = [case.x, case.dy, case.gamma, calls.saved.mean, dx, row]
    assert_refused(getattr(calls, name), out, ValueError, arrays, needle=r"\b(out|dgamma|dbeta)\b")


WRONG_KIND = {
    "list": [[0.0] * 5] * 7,
    "string": "dx",
    "masked": np.ma.zeros((7, 5)),
    "integers": np.zeros((7, 5), int),
}
WRONG_SHAPE = {
    "fewer rows": np.zeros((6, 5)),
    "more axes": np.zeros((7, 5, 1)),
    "one row": np.zeros((1, 5)),
    "vector": np.zeros(35),
    "transposed": np.zeros((5, 7)),
}
WRONG_DTYPE = {
    "float32": np.zeros((7, 5), np.float32),
    "complex": np.zeros((7, 5), complex),
    "big-endian": np.zeros((7, 5), ">f8"),
}


@EVERY_FUNCTION
@pytest.mark.parametrize("out", WRONG_KIND.values(), ids=WRONG_KIND)
def test_not_an_array(bn, name, out):
    assert_refused(getattr(Calls(bn, make((7, 5))), name), out, (TypeError, ValueError), written(out))


@EVERY_FUNCTION
@pytest.mark.parametrize("out", WRONG_SHAPE.values(), ids=WRONG_SHAPE)
def test_wrong_shape(bn, name, out):
    assert_refused(getattr(Calls(bn, make((7, 5))), name), out, ValueError, [out])


@EVERY_FUNCTION
@pytest.mark.parametrize("out", WRONG_DTYPE.values(), ids=WRONG_DTYPE)
def test_wrong_dtype(bn, name, out):
    assert_refused(getattr(Calls(bn, make((7, 5))), name), out, (TypeError, ValueError), [out])


@EVERY_FUNCTION
def test_read_only(bn, name):
    out = np.zeros((7, 5))
    out.flags.writeable = False
    assert_refused(getattr(Calls(bn, make((7, 5))), name), out, (TypeError, ValueError), [out])


@BACKWARDS
@pytest.mark.parametrize("position", [1, 2])
@pytest.mark.parametrize("bad", [np.zeros(4), np.zeros((5, 1)), np.zeros(5, np.float32), np.zeros(5, int), [0.0] * 5])
def test_wrong_outs_of_the_parameters_gradients(bn, name, position, bad):
    """dx is right and comes first: it must be left alone all the same."""
    dx = np.full((7, 5), 3.0)
    out = tuple({0: dx, position: bad}.get(i) for i in range(3))
    call = getattr(Calls(bn, make((7, 5))), name)
    assert_refused(call, out, (TypeError, ValueError), written(out), needle=r"\b(out|dgamma|dbeta)\b")


@BACKWARDS
@pytest.mark.parametrize("length", [0, 1, 2, 4])
def test_tuple_of_another_length(bn, name, length):
    out = tuple(np.zeros((7, 5)) if i == 0 else None for i in range(length))
    assert_refused(getattr(Calls(bn, make((7, 5))), name), out, (TypeError, ValueError), written(out))
