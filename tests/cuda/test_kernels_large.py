"""Arrays of more than 2^32 elements: single blocks of the launches that a module makes for them.

The arrays are addresses without memory. Only what a block should read and write can be touched, and what shares a page
with that is NaN: so the block is right only if it reads exactly that, and writes exactly that.
"""

import ctypes
import math

import numpy as np
import pytest

from tests.cuda.blocks import Blocks
from tests.cuda.cpu_module import LaunchError
from tests.cuda.launching import NEEDS_COMPILER
from tests.cuda.sparse import Sparse

pytestmark = NEEDS_COMPILER

TILES = {
    "along": [((3, 2, 2**30 + 24), 1), ((3, 2, 2**30 + 25), 1), ((2**24 + 1, 5, 77), 1), ((2**17 + 1, 2**15 + 40), 0)],
    "across": [((2**28 + 5, 24), -1), ((2**28 + 5, 23), -1), ((2**24 + 3, 37, 8), 1), ((2**16, 3, 2**15 + 30), -1)],
}
LONG = {"layer_norm": [(2**22 + 1, 1025), (2**20 + 3, 4100)], "rms_norm": [(2**22 + 1, 1024)]}


def elements(view, way, block, geometry):
    """Where the elements lie that a block of a sweep works on, and which channels they are of."""
    outer, kept, inner = view
    _, _, _, _, part, _, packed = geometry
    if way == "along":
        place, k = np.arange(block // kept * part, min((block // kept + 1) * part, outer * inner)), block % kept
        return (place // inner * kept + k) * inner + place % inner, np.full(place.size, k)
    columns, together = kept * inner, packed or 1
    places = -(-columns // together)
    tiles = -(-places // 32)
    wide = -(-places // tiles) * together
    rows = np.arange(block // tiles * part, min((block // tiles + 1) * part, outer))
    column = np.arange(block % tiles * wide, min((block % tiles + 1) * wide, columns))
    return (rows[:, None] * columns + column).ravel(), np.broadcast_to(
        column // inner, (rows.size, column.size)
    ).ravel()


def viewed(shape, axis):
    axis %= len(shape)
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def numbers(count, block):
    return np.random.default_rng(block).standard_normal(count).astype(np.float32) + np.float32(0.5)


def over_tiles():
    return pytest.mark.parametrize(("way", "shape", "axis"), [(w, *tile) for w in TILES for tile in TILES[w]])


def check_writing(way, shape, axis, plant=str):
    """Of a sweep that only writes; `plant` changes the source."""
    x, y, view = Sparse(math.prod(shape)), Sparse(math.prod(shape)), viewed(shape, axis)
    mean = np.arange(view[1], dtype=np.float32)

    def check(run, block, blocks, geometry):
        geometry[-1] *= made.module._FUNCTIONS["inference"].sweeps[0].packs[4][1]
        places, k = elements(view, way, blocks - 1 - block, geometry)
        for array in (x, y):
            array.open(places)
        x.array[places] = numbers(places.size, block)
        run()
        np.testing.assert_array_equal(y.written(), np.sort(places))
        np.testing.assert_allclose(y.array[places], (x.array[places] - mean[k]) / 2, rtol=1e-5, atol=1e-5)
        for array in (x, y):
            array.close()

    made = Blocks("batch_norm", f"1_{way}", check)
    made.source = plant(made.source)
    cp, (given, result) = made.module.cp, (a.array.reshape(shape) for a in (x, y))
    made.module.inference(
        given, None, None, cp.array(mean), cp.full(view[1], 4, np.float32), eps=0.0, channel_axis=axis, out=result
    )
    assert len(set(made.ran)) == 3


@over_tiles()
def test_a_sweep_that_writes(way, shape, axis):
    check_writing(way, shape, axis)


@pytest.mark.parametrize(
    ("way", "number", "there", "to"),
    [
        ("along", 0, "(place[p].o * f.kept() + k) * inner + place[p].i", "int"),
        ("along", 2, "(place[p].o * f.kept() + k) * inner + place[p].i", "unsigned"),
        ("along", 0, "part * f.a.part;\n    if (is_skipped", "int"),
        ("across", 0, "o * columns + column, 0}, o < end, f.a.packed, out", "int"),
        ("across", 2, "o * columns + column, 0}, o < end, f.a.packed, in", "unsigned"),
    ],
)
def test_an_index_of_32_bits_shows(way, number, there, to):
    def plant(source):
        assert source.count(there) == 1
        index = there.split(", 0}")[0].split(";")[0]
        return source.replace(there, there.replace(index, f"{to}({index})"))

    with pytest.raises(LaunchError, match=r"it (read|write)s address"):
        check_writing(way, *TILES[way][number], plant)


@over_tiles()
def test_a_sweep_that_sums(way, shape, axis):
    x, y, view = Sparse(math.prod(shape)), Sparse(math.prod(shape)), viewed(shape, axis)
    _, kept, inner = view

    def check(run, block, blocks, geometry):
        _, at, _, parts, *_ = geometry
        geometry[-1] *= made.module._FUNCTIONS["forward"].sweeps[0].packs[4][1]
        places, k = elements(view, way, block, geometry)
        pivots = np.unique(k) * inner
        x.open(np.append(places, pivots))
        x.array[places] = numbers(places.size, block)
        x.array[pivots] = np.arange(pivots.size, dtype=np.float32)
        columns = kept * (1 if way == "along" else inner)
        sums = np.frombuffer((ctypes.c_double * (3 * parts * columns)).from_address(at)).reshape(3, parts, columns)
        sums[...] = np.nan
        run()
        column = k if way == "along" else places % columns
        part = block // (kept if way == "along" else blocks // parts)
        got = np.unique(column)
        written = np.argwhere(~np.isnan(sums[0]))
        np.testing.assert_array_equal(written, np.stack([np.full(got.size, part), got], 1))
        centred = x.array[places].astype(float) - x.array[k * inner]
        count, total, squares = (np.bincount(column, v, columns)[got] for v in (np.ones(k.size), centred, centred**2))
        for n, want in enumerate((count, total / count, squares - total**2 / count)):
            np.testing.assert_allclose(sums[n, part, got], want, rtol=1e-4, atol=1e-3)
        x.close()

    made = Blocks("batch_norm", f"1_{way}", check)
    made.module.forward(x.array.reshape(shape), None, None, channel_axis=axis, out=y.array.reshape(shape))
    assert len(set(made.ran)) == 3


@pytest.mark.parametrize(("name", "shape"), [(name, shape) for name in LONG for shape in LONG[name]])
def test_whole_rows(name, shape):
    x, y, rows = Sparse(math.prod(shape)), Sparse(math.prod(shape)), set()

    def check(run, block, blocks, geometry):
        each = -(-shape[0] // blocks)
        each = each if each == 1 else 8
        rows.update(range(block * each, min(block * each + each, shape[0])))
        row = np.arange(block * each, min(block * each + each, shape[0]))
        places = (row[:, None] * shape[1] + np.arange(shape[1])).ravel()
        for array in (x, y):
            array.open(places)
        x.array[places] = numbers(places.size, block)
        run()
        np.testing.assert_array_equal(y.written(), places)
        given = x.array[places].reshape(-1, shape[1]).astype(float)
        centred = given - (given.mean(1, keepdims=True) if name == "layer_norm" else 0)
        want = centred / np.sqrt((centred**2).mean(1, keepdims=True))
        np.testing.assert_allclose(y.array[places].reshape(want.shape), want, rtol=1e-4, atol=1e-4)
        for array in (x, y):
            array.close()

    made = Blocks(name, "1_slab_along", check)
    nothing = (None,) * (2 if name == "layer_norm" else 1)
    _, saved = made.module.forward(
        x.array.reshape(shape), *nothing, eps=0.0, normalized_ndim=1, out=y.array.reshape(shape)
    )
    assert len(set(made.ran)) == 3
    np.testing.assert_array_equal(np.flatnonzero(~np.isnan(saved[0])), sorted(rows))
