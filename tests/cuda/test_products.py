"""Matrix products while a stream is captured, where CuPy's own cannot be: NumPy's, and the same bits in every order."""

import shutil

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from tests.cuda.cpu_module import LaunchError
from tests.cuda.fake_graphs import graph_cupy
from tests.cuda.generated import FOLDER, load
from tests.cuda.launching import NEEDS_COMPILER
from tests.cuda.sparse import Sparse

pytestmark = NEEDS_COMPILER

SHAPES = [  # rows, length of the sums, columns: a block computes 16 x 16, in 4 slices of 32 at a time
    *((1, 1, 1), (16, 128, 16), (17, 129, 15), (15, 127, 33), (3, 300, 40), (60, 31, 10), (33, 33, 1), (2, 260, 2)),
    *((0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)),
]
LAID = {
    "rows": lambda m: m,
    "columns": lambda m: np.asfortranarray(m),
    "every other": lambda m: np.repeat(np.repeat(m, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda m: np.ascontiguousarray(m[::-1, ::-1])[::-1, ::-1],
}
ORDERS = [("forward", 0), ("reverse", 0), ("shuffled", 1), ("shuffled", 2)]


def numbers(shape, dtype, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


class Products:
    """A generated module's products, captured and launched."""

    def __init__(self, name="dense", folder=FOLDER, **how):
        self.cupy = graph_cupy(**how)
        self.module = load(f"products_of_{name}", folder / f"{name}.py", cupy=self.cupy)

    def captured(self, call):
        """What a call gives when it is captured and launched once; it does nothing before."""
        pool = self.cupy.cuda.MemoryPool()
        with self.cupy.cuda.Stream(non_blocking=True) as stream, self.cupy.cuda.using_allocator(pool.malloc):
            stream.begin_capture()
            try:
                result = call()
            finally:
                graph = stream.end_capture()
            graph.launch()
        return result

    def on_the_device(self, values):
        """An array between guard pages, whose strides are those of the values' memory."""
        base = values if values.base is None else values.base
        room = self.cupy.empty(base.shape, base.dtype, "F" if base.flags.fnc else "C")
        offset = values.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        array = np.ndarray(values.shape, values.dtype, room.view(np.ndarray), offset, values.strides)
        array[...] = values
        return array.view(self.cupy.ndarray)

    def product(self, a, b, out=None):
        a, b = map(self.on_the_device, (a, b))
        out = out if out is None else self.on_the_device(out)
        result = self.captured(lambda: self.module._product(a, b, out=out))
        assert out is None or result is out
        return np.array(result)


def assert_product(got, a, b):
    want = a.astype(np.float64) @ b.astype(np.float64)
    assert got.dtype == a.dtype
    assert got.shape == want.shape
    rounding = np.finfo(a.dtype).eps * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64))
    assert np.all(np.abs(got - want) <= (a.shape[1] + 1) * rounding)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "k", "o"), SHAPES)
def test_it_is_numpys_in_every_order(n, k, o, dtype):
    a, b = numbers((n, k), dtype, 1), numbers((k, o), dtype, 2)
    first, *others = (Products(schedule=schedule, seed=seed).product(a, b) for schedule, seed in ORDERS)
    assert_product(first, a, b)
    assert all(other.tobytes() == first.tobytes() for other in others)
    assert Products(placement="start").product(a, b).tobytes() == first.tobytes()


@pytest.mark.parametrize("of_a", LAID)
@pytest.mark.parametrize("of_b", LAID)
def test_strides(of_a, of_b):
    a, b = LAID[of_a](numbers((19, 40), "float32", 1)), LAID[of_b](numbers((40, 18), "float32", 2))
    plain = Products().product(np.ascontiguousarray(a), np.ascontiguousarray(b))
    for laid in LAID.values():
        got = Products(schedule="shuffled", seed=1).product(a, b, out=laid(np.full((19, 18), np.nan, "float32")))
        np.testing.assert_array_equal(got, plain)


def test_a_number_that_is_none_stays_in_its_row_and_column():
    a, b = numbers((40, 70), "float32", 1), numbers((70, 40), "float32", 2)
    a[17, 69], b[3, 20] = np.nan, np.inf
    got = Products().product(a, b)
    wrong = np.zeros((40, 40), bool)
    wrong[17], wrong[:, 20] = True, True
    np.testing.assert_array_equal(~np.isfinite(got), wrong)


@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize("k", [0, 50])
def test_a_grid_of_fewer_blocks_than_the_product_has(blocks, k):
    made = Products(schedule="shuffled", seed=3)
    a, b = numbers((40, k), "float32", 1), numbers((k, 40), "float32", 2)
    kernel = made.module._multiplying

    def fewer(dtype):
        return lambda grid, *launch: kernel(dtype)((blocks,), *launch)

    made.module._multiplying = fewer
    assert_product(made.product(a, b), a, b)


def test_strides_beyond_32_bits():
    made, far = Products(), 2**31 + 7
    a, b, product = Sparse(far + 3), Sparse(far + 3), Sparse(far + 3)
    rows = np.array([[0, 1, 2], [far, far + 1, far + 2]])
    for sparse, places in ((a, rows), (b, rows.T), (product, rows[:, :2])):
        sparse.open(places.ravel())
    values = numbers((2, 3), "float32", 1)
    a.array[rows], b.array[rows.T] = values, values.T
    shapes = ((a, (2, 3), (far, 1)), (b, (3, 2), (1, far)), (product, (2, 2), (far, 1)))
    given = [as_strided(s.array, shape, [4 * n for n in steps]).view(made.cupy.ndarray) for s, shape, steps in shapes]
    made.captured(lambda: made.module._product(*given[:2], out=given[2]))
    assert_product(product.array[rows[:, :2]], values, values.T)


def test_what_is_not_captured_is_cupys_own():
    made, called = Products(), []
    a = made.cupy.array(numbers((3, 3), "float32", 1))
    made.cupy.matmul = lambda *given, out: called.append(given)
    for stream in (made.cupy.cuda.Stream(), made.cupy.cuda.get_current_stream()):
        with stream:
            made.module._product(a, a)
    assert len(called) == 2


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["dense", "linear"])
def test_layers_in_a_graph_give_what_they_give_without(name, dtype):
    made = Products(name)
    x, w, dz = (made.cupy.array(numbers(s, dtype, n)) for n, s in enumerate([(9, 20), (20, 7), (9, 7)]))
    rest = (made.cupy.array(numbers(7, dtype, 5)),) if name == "dense" else ()
    tangents = (None, made.cupy.array(numbers((20, 7), dtype, 6)), *(None for _ in rest))

    def calls():
        m = made.module
        return (
            m.forward(x, w, *rest),
            *m.backward(dz, x, w),
            *m.jvp(x, w, *rest, *tangents),
            *m.double_backward(*tangents, dz, x, w),
            *m.backward_jvp(dz, dz, x, x, w, w),
        )

    for got, want in zip(made.captured(calls), calls(), strict=True):
        unit = 1e-3 if dtype == "float16" else 1e-6
        np.testing.assert_allclose(np.array(got, float), np.array(want, float), rtol=unit, atol=30 * unit)


FAULTS = {
    "no barrier before": ("        __syncthreads();\n        const int64 next", "        const int64 next"),
    "no barrier after": ("columns[z][n][x];\n        __syncthreads();", "columns[z][n][x];"),
    "no barrier between slices": (
        "slice_of_sum(f, top, left);\n        __syncthreads();",
        "slice_of_sum(f, top, left);",
    ),
    "a slice forgotten": ("for (int n = 1; n < SLICES; ++n)", "for (int n = 2; n < SLICES; ++n)"),
    "slices of the same": (
        "const int64 next = k + SLICES * DEPTH + z * DEPTH;",
        "const int64 next = k + SLICES * DEPTH;",
    ),
    "beyond the rows": ("r < whole.rows && ", ""),
    "beyond the columns": ("&& c < whole.columns ", ""),
    "beyond the product": ("top + y < product.rows && ", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_shows(fault, tmp_path):
    there, instead = FAULTS[fault]
    source = (FOLDER / "dense.cu").read_text()
    assert source.count(there) == 1
    shutil.copy(FOLDER / "dense.py", tmp_path)
    (tmp_path / "dense.cu").write_text(source.replace(there, instead))
    a, b = numbers((19, 300), "float32", 1), numbers((300, 18), "float32", 2)
    results = []
    try:
        for schedule, seed in ORDERS:
            results.append(Products(folder=tmp_path, schedule=schedule, seed=seed).product(a, b))
            assert_product(results[-1], a, b)
    except (LaunchError, AssertionError):
        return
    assert len({result.tobytes() for result in results}) > 1
