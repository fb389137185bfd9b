"""Every norm on every arrangement of memory: strided, reversed, repeated, read-only, unaligned; and `out=`."""

import inspect

import numpy as np
import pytest

from .norms import NORMS, normalized, program
from .numerics_calls import arguments, call, module, run
from .numerics_cases import DTYPES, make, view
from .subjects import FUNCTIONS, definition

pytestmark = pytest.mark.usefixtures("backend")

EVERY_NORM = pytest.mark.parametrize("name", NORMS)
EVERY_FUNCTION = pytest.mark.parametrize("function", FUNCTIONS)


def _strided(a):
    """Every other element of an array that is NaN in between."""
    base = np.full([2 * n for n in a.shape], np.nan if a.dtype.kind == "f" else 1, a.dtype)
    found = base[tuple(slice(None, None, 2) for _ in a.shape)]
    found[...] = a
    return found


def _reversed(a):
    backwards = tuple(slice(None, None, -1) for _ in a.shape)
    return a[backwards].copy()[backwards]


def _moved(a):
    """Axis 1 last in memory, as channels-last data are."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if a.ndim > 1 else a.copy()


def _unaligned(a):
    found = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    found[...] = a
    return found


def _readonly(a):
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "axis 1 last": _moved,
    "strided": _strided,
    "reversed": _reversed,
    "unaligned": _unaligned,
    "read-only": _readonly,
}


def same(got, want):
    """Equal to a few roundings: another arrangement may be summed in another order."""
    if got is None or want is None or np.ndim(want) == 0:
        return got is want or got == want
    if want.dtype.kind != "f":
        return np.array_equal(got, want)
    tolerance = 64 * np.finfo(want.dtype).eps
    top = np.abs(want.astype(np.float64)).max(initial=0)
    return got.dtype == want.dtype and np.allclose(got, want, rtol=tolerance, atol=tolerance * top)


def agree(got, want):
    for key, value in want.items():
        pairs = zip(got[key], value, strict=True) if key == "saved" else [(got[key], value)]
        assert all(same(g, w) for g, w in pairs), key


def arrays(case, function):
    return {k: v for k, v in arguments(case, function).items() if isinstance(v, np.ndarray) and v.ndim}


@EVERY_NORM
@EVERY_FUNCTION
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_arrangement_of_memory(name, function, dtype):
    """The results of plain arrays, and nothing written to an input."""
    for form in range(3):
        case = make(name, view(name, m=24, form=form), dtype, offset=1.0)
        plain = {k: v.copy() for k, v in arrays(case, function).items()}
        want = run(case, function, **plain)
        for label, lay in LAYOUTS.items():
            given = {k: lay(v) for k, v in plain.items()}
            agree(run(case, function, **given), want)
            assert all(np.array_equal(given[k], v) for k, v in plain.items()), label


@EVERY_NORM
@EVERY_FUNCTION
def test_repeated_by_a_stride_of_zero(name, function):
    """Along each axis of the data in turn, where a statistic still has more than one value under it."""
    case = make(name, view(name, m=24, form=1), np.float32, offset=1.0)
    given = arrays(case, function)
    shape = given["x"].shape
    for axis in range(len(shape)):
        first = tuple(slice(0, 1) if k == axis else slice(None) for k in range(len(shape)))
        repeated = {k: np.broadcast_to(v[first], shape) for k, v in given.items() if v.shape == shape and k != "mask"}
        agree(run(case, function, **repeated), run(case, function, **{k: v.copy() for k, v in repeated.items()}))


@EVERY_NORM
@EVERY_FUNCTION
@pytest.mark.parametrize("dtype", DTYPES)
def test_big_endian_is_refused_or_right(name, function, dtype):
    case = make(name, view(name, m=24), dtype)
    want = run(case, function)
    for key, value in arrays(case, function).items():
        if value.dtype.kind == "f":
            try:
                got = run(case, function, **{key: value.astype(value.dtype.newbyteorder(">"))})
            except TypeError as error:
                assert key in str(error)  # noqa: PT017  # refused, and then by name; right is as good
            else:
                agree(got, want)


@EVERY_NORM
@pytest.mark.parametrize("function", ["forward", "backward"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_out_may_be_an_input(name, function, dtype):
    """x, or dy: the result is what it is elsewhere, and no other input is touched."""
    for form in range(3):
        case = make(name, view(name, m=24, form=form), dtype, offset=1.0)
        want = run(case, function)
        whole = [
            k for k, v in arrays(case, function).items() if v.shape == arrays(case, function)["x"].shape and k != "mask"
        ]
        for key in whole:
            for lay in (np.copy, np.asfortranarray, _moved, _strided, _reversed):
                given = {k: v.copy() for k, v in arrays(case, function).items()}
                given[key] = lay(given[key])
                kept = {k: v.copy() for k, v in given.items() if k != key}
                saved = call(case, "forward")[1]
                result = call(case, function, saved, out=given[key], **given)
                assert result[0] is given[key]
                assert all(np.array_equal(given[k], v) for k, v in kept.items())
                agree(dict(zip(want, result, strict=True)), want)


@EVERY_NORM
@pytest.mark.parametrize("function", ["forward", "backward"])
def test_out_that_overlaps_an_input_otherwise_is_refused(name, function):
    """A view that starts elsewhere, or runs backwards, would be overwritten before it is read; nothing is written."""
    case = make(name, view(name, m=24), np.float32)
    saved = call(case, "forward")[1]
    x = np.array(arguments(case, function)["x"])
    whole = np.zeros((*x.shape[:-1], x.shape[-1] + 1), x.dtype)
    whole[..., :-1] = x
    backwards = x[tuple(slice(None, None, -1) for _ in x.shape)]
    for given, out in ((x, backwards), (whole[..., :-1], whole[..., 1:])):
        before = out.copy()
        with pytest.raises(ValueError, match="out"):
            call(case, function, saved, x=given, out=out)
        assert np.array_equal(out, before)


@EVERY_NORM
@EVERY_FUNCTION
def test_tangents_that_are_absent(name, function):
    """A tangent or a second-order cotangent of None is zero."""
    case = make(name, view(name, m=24), np.float32)
    spare = [k for k in arguments(case, function) if k.startswith(("t", "dd"))]
    for key in spare:
        zero = {key: np.zeros_like(arguments(case, function)[key])}
        agree(run(case, function, **{key: None}), run(case, function, **zero))


def test_the_tests_reach_every_argument():
    """What is laid out, repeated and swapped above is each array that a function takes."""
    for name in NORMS:
        for function in FUNCTIONS:
            case = make(name, view(name, m=24), np.float32)
            parameters = inspect.signature(getattr(module(name), function)).parameters
            taken = set(parameters) - {"saved", "out", "eps", "threads"}
            assert taken == set(arrays(case, function)) | (taken & set(case.view.options))
            assert {q.name for q in program(name, function).inputs} >= set(arrays(case, function))
            assert set(normalized(name)) <= {q.name for q in definition(name).program.inputs}
