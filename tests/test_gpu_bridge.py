"""NumPy arrays to a device and back: what shares memory here shares it there, and nothing is written unseen."""

from typing import NamedTuple

import numpy as np
import pytest

from tests.cuda.fake_cupy import fake_cupy
from tests.gpu.bridge import Spoiled, bridged_function, regions

CUPY = fake_cupy()


def bridge(function):
    return bridged_function(function, CUPY)


class Kept(NamedTuple):
    mean: np.ndarray
    count: int


def doubled(x, out=None):
    out = CUPY.empty(x.shape, x.dtype) if out is None else out
    out[...] = 2 * x
    return out


def test_arrays_are_elsewhere_during_the_call():
    x = np.arange(6.0)
    seen = []
    assert bridge(lambda a, b: seen.extend([a, b]))(x, b=x) is None
    assert seen[0] is seen[1] is not x
    assert not np.shares_memory(seen[0], x)


def test_results_come_back():
    x = np.arange(6.0).reshape(2, 3)
    y = bridge(doubled)(x)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, 2 * x)


def test_out_is_written_and_returned_itself():
    x, out = np.arange(6.0), np.full(6, 7.0)
    assert bridge(doubled)(x, out=out) is out
    np.testing.assert_array_equal(out, 2 * np.arange(6.0))
    assert bridge(doubled)(x, out=x) is x
    np.testing.assert_array_equal(x, 2 * np.arange(6.0))


def test_tuples_of_outs_and_of_results():
    x, out = np.arange(3.0), np.zeros(3)

    def both(x, out):
        out[0][...] = x + 1
        return out[0], None, CUPY.array([5.0])

    first, second, third = bridge(both)(x, out=(out, None))
    assert first is out
    assert second is None
    assert third.tolist() == [5]


def test_a_named_tuple_keeps_its_class():
    kept = bridge(lambda x: Kept(CUPY.array([x.mean()]), x.size))(np.arange(4.0))
    assert type(kept) is Kept
    assert (kept.mean.tolist(), kept.count) == ([1.5], 4)
    seen = bridge(lambda saved: Kept(saved.mean + 1, saved.count))(kept)
    assert (type(seen), seen.mean.tolist()) == (Kept, [2.5])


def test_one_array_returned_twice_is_one():
    def twice(x):
        y = CUPY.array(x)
        return y, Kept(y, 1)

    y, saved = bridge(twice)(np.arange(3.0))
    assert y is saved.mean


VIEWS = {
    "reversed": lambda a: a[::-1],
    "every other": lambda a: a[::2, 1:],
    "transposed": lambda a: a.T,
    "a row": lambda a: a[3],
    "one element": lambda a: a[2, 2],
    "shifted": lambda a: a[1:],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
}


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_views_there(view):
    """With the same distance, the same strides and the same elements; an array is not sent twice."""
    base = np.arange(30.0).reshape(5, 6)
    part = np.asarray(VIEWS[view](base))
    address = lambda a: a.__array_interface__["data"][0]  # noqa: E731

    def look(whole, part):
        assert np.shares_memory(whole, part) == np.shares_memory(base, given)
        assert part.strides == given.strides
        if np.shares_memory(base, given):
            assert address(part) - address(whole) == address(given) - address(base)
        np.testing.assert_array_equal(part, given)

    given = part
    bridge(look)(base, given)


def test_halves_that_interleave_share_one_region():
    base = np.zeros((4, 6))
    assert len(regions([base[:, ::2], base[:, 1::2]])) == 1
    assert len(regions([base[:2], base[2:], np.zeros(0)])) == 2

    def fill(x, out):
        out[...] = x + 1
        return out

    base[:, ::2] = 3
    out = base[:, 1::2]
    assert bridge(fill)(base[:, ::2], out=out) is out
    assert (base[:, 1::2] == 4).all()
    assert (base[:, ::2] == 3).all()


@pytest.mark.parametrize("offset", [1, 2, 4, 8])
def test_misaligned_arrays_stay_so(offset):
    raw = np.zeros(8 * 5 + 16, np.uint8)[offset:]
    x = raw[:40].view(np.float64)
    start = x.__array_interface__["data"][0] % 16
    assert bridge(lambda a: a.__array_interface__["data"][0] % 16)(x) == start


def test_an_array_and_its_read_only_view():
    x = np.arange(4.0)
    view = x.view()
    view.flags.writeable = False
    assert bridge(doubled)(view, out=x) is x
    assert x.tolist() == [0, 2, 4, 6]


def test_what_an_input_becomes_is_seen_here():
    """Also where the call fails: an array that was written to before that must not look untouched."""

    def spoil(x):
        x[0] = 9
        raise ValueError("x is wrong")

    x = np.zeros(3)
    with pytest.raises(ValueError, match="x is wrong"):
        bridge(spoil)(x)
    assert x.tolist() == [9, 0, 0]


def neighbour(a, distance):
    """One byte more than an array holds, so many bytes from where it begins."""
    return np.lib.stride_tricks.as_strided(a.view(np.uint8), (distance + 1,), (1,))[distance:]


@pytest.mark.parametrize("case", ["past the end", "between elements", "read-only"])
def test_writing_elsewhere_is_an_error(case):
    x = np.arange(8.0)
    given = x[::2] if case == "between elements" else x
    given.flags.writeable = case != "read-only"

    def spoil(a):
        whole = a if case != "between elements" else a[:1]
        neighbour(whole, {"past the end": 64, "between elements": 8, "read-only": 0}[case])[...] = 1

    with pytest.raises(Spoiled, match="beside" if case == "past the end" else "read-only"):
        bridge(spoil)(given)


def test_a_result_that_is_part_of_an_argument_is_an_error():
    with pytest.raises(Spoiled, match="shares memory"):
        bridge(lambda x: x[1:])(np.arange(3.0))


@pytest.mark.parametrize(
    "odd",
    [np.ma.array([1.0]), np.array([1], object), np.array([1.0], ">f8"), [1.0], 1.0, None, np.float64(1), "x"],
    ids=repr,
)
def test_what_no_device_holds_is_left_to_the_module(odd):
    assert bridge(lambda x: (x is odd,))(odd) == (True,)


def test_arrays_without_elements_or_axes():
    assert bridge(doubled)(np.zeros((0, 3))).shape == (0, 3)
    y = bridge(doubled)(np.array(3.0))
    assert (type(y), y.shape, float(y)) == (np.ndarray, (), 6)
