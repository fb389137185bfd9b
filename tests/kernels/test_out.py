"""`out=`: the same values without allocating, into x or dy itself if wanted, and nothing written when refused."""

import numpy as np
import pytest

from .cases import DTYPES, LAYOUTS, lay, make
from .checks import statistics_dtype

WRITABLE = [layout for layout in LAYOUTS if layout not in ("broadcast", "readonly")]
SHAPES = [((12, 5), 1), ((3, 5, 4, 2), 1), ((3, 4, 2, 5), -1), ((5, 12), 0)]
EVERY_SHAPE = pytest.mark.parametrize(("shape", "axis"), SHAPES)


class Calls:
    """Each function that takes `out`, ready to be called with it."""

    def __init__(self, bn, case):
        self.case, self.bn = case, bn
        self.saved = bn.forward(case.x, case.gamma, case.beta, **case.options)[1]
        self.statistics = self.saved.mean.copy(), self.saved.var.copy()

    def forward(self, out=None, **changed):
        c = self.case
        return self.bn.forward(changed.get("x", c.x), c.gamma, c.beta, out=out, **c.options)[0]

    def inference(self, out=None, **changed):
        c = self.case
        return self.bn.inference(changed.get("x", c.x), c.gamma, c.beta, *self.statistics, out=out, **c.options)

    def backward(self, out=None, **changed):
        c = self.case
        dy, x = changed.get("dy", c.dy), changed.get("x", c.x)
        return self.bn.backward(dy, x, c.gamma, self.saved, out=out, **c.axis)

    def inference_backward(self, out=None, **changed):
        c = self.case
        dy, x = changed.get("dy", c.dy), changed.get("x", c.x)
        return self.bn.inference_backward(dy, x, c.gamma, *self.statistics, out=out, **c.options)


FORWARDS = pytest.mark.parametrize("name", ["forward", "inference"])
BACKWARDS = pytest.mark.parametrize("name", ["backward", "inference_backward"])
EVERY_FUNCTION = pytest.mark.parametrize("name", ["forward", "inference", "backward", "inference_backward"])


def same(got, want):
    """Equal to a rounding or so: another arrangement of memory may be summed or stored in another order."""
    tolerance = 8 * np.finfo(want.dtype).eps
    return np.allclose(got, want, rtol=tolerance, atol=tolerance * np.abs(want).max())


def first(result):
    return result[0] if isinstance(result, tuple) else result


@EVERY_FUNCTION
@EVERY_SHAPE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", WRITABLE)
def test_result_goes_to_out(bn, name, shape, axis, dtype, layout):
    case = make(shape, axis, dtype=dtype)
    call = getattr(Calls(bn, case), name)
    inputs = [v.copy() for v in (case.x, case.dy, case.gamma, case.beta)]
    want = first(call())
    out = lay(np.full(shape, 7, dtype), layout, axis)
    assert first(call(out=out)) is out
    assert same(out, want)
    assert all(np.array_equal(a, b) for a, b in zip((case.x, case.dy, case.gamma, case.beta), inputs, strict=True))


@EVERY_FUNCTION
@EVERY_SHAPE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", WRITABLE)
def test_out_is_x_itself(bn, name, shape, axis, dtype, layout):
    case = make(shape, axis, dtype=dtype)
    call = getattr(Calls(bn, case), name)
    x = lay(case.x, layout, axis)
    want, dy = first(call(x=x)).copy(), case.dy.copy()
    assert first(call(x=x, out=x)) is x
    assert same(x, want)
    assert np.array_equal(case.dy, dy)


@BACKWARDS
@EVERY_SHAPE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", WRITABLE)
def test_out_is_dy_itself(bn, name, shape, axis, dtype, layout):
    case = make(shape, axis, dtype=dtype)
    call = getattr(Calls(bn, case), name)
    dy = lay(case.dy, layout, axis)
    want, x = [v.copy() for v in call(dy=dy)], case.x.copy()
    got = call(dy=dy, out=dy)
    assert got[0] is dy
    assert all(same(g, w) for g, w in zip(got, want, strict=True))
    assert np.array_equal(case.x, x)


@BACKWARDS
@pytest.mark.parametrize("dtype", DTYPES)
def test_out_is_both_dy_and_x(bn, name, dtype):
    """dy and x may be one array, and the result may go there too."""
    case = make((9, 4), dtype=dtype)
    call = getattr(Calls(bn, case), name)
    want = [v.copy() for v in call(dy=case.x)]
    got = call(dy=case.x, out=case.x)
    assert all(same(g, w) for g, w in zip(got, want, strict=True))


@BACKWARDS
@EVERY_SHAPE
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("given", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2), ()])
def test_tuple_of_outs(bn, name, shape, axis, dtype, given):
    """A None in the tuple is allocated: every gradient is returned."""
    case = make(shape, axis, dtype=dtype)
    call = getattr(Calls(bn, case), name)
    want = call()
    sums = statistics_dtype(case.x)
    fresh = np.full(shape, 7, dtype), np.full(2 * 5, 7, sums)[::2], np.full(5, 7, sums)
    out = tuple(v if i in given else None for i, v in enumerate(fresh))
    got = call(out=out)
    for i, (g, w) in enumerate(zip(got, want, strict=True)):
        assert (g is fresh[i]) == (i in given)
        assert g.dtype == w.dtype
        assert same(g, w)


@BACKWARDS
def test_tuple_of_outs_without_gamma(bn, name):
    case = make((8, 5), parameters=("absent", "absent"))
    call = getattr(Calls(bn, case), name)
    want, out = call(), (np.empty((8, 5)), None, np.empty(5))
    dx, dgamma, dbeta = call(out=out)
    assert dx is out[0]
    assert dgamma is None
    assert dbeta is out[2]
    assert np.array_equal(dx, want[0])
    assert np.array_equal(dbeta, want[2])


@EVERY_FUNCTION
def test_neighbouring_halves_of_one_array_do_not_overlap(bn, name):
    """They interleave in memory, yet share no element: writing a column block beside the input is common."""
    case = make((10, 6))
    for half, other in ((np.s_[:, :6], np.s_[:, 6:]), (np.s_[:, ::2], np.s_[:, 1::2])):
        base = np.zeros((10, 12))
        base[half] = case.x
        call = getattr(Calls(bn, case), name)
        want = first(call(x=base[half]))
        assert same(first(call(x=base[half], out=base[other])), want)
        assert np.array_equal(base[half], case.x)


@FORWARDS
def test_a_result_is_not_overwritten_by_the_next_call(bn, name):
    """Work arrays may be kept between calls, results may not."""
    one, two = make((10, 6), seed=1), make((10, 6), seed=2)
    y = getattr(Calls(bn, one), name)()
    saved = bn.forward(one.x, one.gamma, one.beta)[1]
    gradients = bn.backward(one.dy, one.x, one.gamma, saved)
    kept = [y, *saved[:3], *gradients]
    copies = [v.copy() for v in kept]
    getattr(Calls(bn, two), name)()
    bn.backward(two.dy, two.x, two.gamma, bn.forward(two.x, two.gamma, two.beta)[1])
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))
    arrays = [*kept, one.x, one.dy, one.gamma, one.beta]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
