"""The shim that runs CUDA kernels on the CPU: what kernels compute there. tests/cuda/test_faults.py plants faults."""

import numpy as np
import pytest

from tests.cuda.guarded import guarded
from tests.cuda.launching import NEEDS_COMPILER, ORDERS, N, check_reduction, in_every_order, launch, numbers, results

pytestmark = NEEDS_COMPILER


@pytest.mark.parametrize("block", [(32,), (96,), (256,), (1024,), (16, 8), (4, 4, 4), (50,), (1,)])
def test_a_reduction_is_the_same_bits_in_every_schedule(block):
    x = numbers()
    sums = set()
    for schedule, seed in ORDERS:
        y = results(3)
        launch("reduce", x, y, np.int64(N), grid=(3,), block=block, schedule=schedule, seed=seed)
        sums.add(y.tobytes())
    assert sums == {check_reduction(block).tobytes()}


def test_a_struct_is_passed_by_value():
    x, y = numbers(), results(N)
    launch("affine", [x, y, N, 2.5, -1.0], grid=(8,), block=(128,))
    np.testing.assert_array_equal(y, (2.5 * x.astype(np.float64) - 1).astype(np.float32))


def test_scalars_of_every_kind_find_their_places():
    y = results(10, dtype=np.float64)
    s = [0, 0, 0, 8.5, 0.0]
    kinds = (np.int32(-1), np.float32(2.5), -3, 4.25, np.uint32(2**32 - 5), True, np.int32(-7), np.float16(0.1), s)
    launch("scalars", y, *kinds, np.float32(9.75), grid=(1,), block=(1,))
    np.testing.assert_array_equal(y, [-1, 2.5, -3, 4.25, 2**32 - 5, 1, -7, np.float16(0.1), 8.5, 9.75])


def test_two_dimensional_blocks_and_dynamic_memory_in_a_template():
    x = numbers(64)
    y = in_every_order("transposed", x, shape=64, block=(8, 8), shared_mem=256)
    np.testing.assert_array_equal(y.reshape(8, 8), x.reshape(8, 8).T)


def test_every_half_and_bfloat16():
    bits = guarded(np.arange(65536, dtype=np.uint16))
    of_h, of_b = results(65536), results(65536)
    launch("from_16", bits, bits, of_h, of_b, grid=(64,), block=(1024,))
    np.testing.assert_array_equal(of_h, bits.view(np.float16).astype(np.float32))
    np.testing.assert_array_equal(of_b.view(np.uint32)[~np.isnan(of_b)] >> 16, bits[~np.isnan(of_b)])


def rounded_to_bfloat16(x):
    """Nearest, ties to even: among the two bfloat16 around x, in float64, where both distances are exact."""
    below = (x.view(np.uint32) >> 16).astype(np.uint32)
    down, up = ((b << 16).view(np.float32).astype(np.float64) for b in (below, below + 1))
    up[np.isinf(up)] = np.copysign(2.0**128, up[np.isinf(up)])
    wide = x.astype(np.float64)
    to_down, to_up = abs(wide - down), abs(up - wide)
    return np.where((to_up < to_down) | ((to_up == to_down) & (below % 2 == 1)), below + 1, below).astype(np.uint16)


def test_rounding_to_half_and_bfloat16():
    rng = np.random.default_rng(1)
    every = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
    every = every[np.isfinite(every)]
    with np.errstate(over="ignore"):
        ties = (np.nextafter(every.astype(np.float16), np.float16(np.inf)).astype(np.float32) + every) / 2
    wild = rng.integers(0, 2**32, 65536, dtype=np.uint32)
    wild = np.concatenate([wild, wild & 0xFFFF0000 | 0x8000, wild & 0xFFFF0000 | 0x7FFF, wild & 0xFFFF0000 | 0x8001])
    x = guarded(np.concatenate([every, ties, np.nextafter(ties, np.float32(9e9)), wild.view(np.float32)]))
    x = guarded(x[: x.size // 1024 * 1024])
    h, b = results(x.size, dtype=np.float16), results(x.size, dtype=np.uint16)
    launch("to_16", x, h, b, grid=(x.size // 1024,), block=(1024,))
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    number = ~np.isnan(x)
    np.testing.assert_array_equal(h.view(np.uint16)[number], expected.view(np.uint16)[number])
    finite = np.isfinite(x)
    np.testing.assert_array_equal(b[finite], rounded_to_bfloat16(x[finite]))
    assert set(h.view(np.uint16)[~number]) == set(b[~number]) == {0x7FFF}


def test_arithmetic():
    y = results(25, np.float64)
    launch("arithmetic", y, block=(1,))
    exact = [1, 1, 1, 1, 1, 2, 2, 1, 2, 1.5, 3, 4, 10, 0.25, 0.125, 1, 1.5, 2.5, 3, 8, 31, 4, 2, 2.5, 3]
    np.testing.assert_array_equal(y, exact)


def turns(schedule, seed=0):
    """Which threads had their turn, as rows: before a barrier of their block or after it."""
    log = results(640, np.int32)
    launch("turns", log, np.zeros(2, np.uint32), grid=(10,), schedule=schedule, seed=seed)
    return log


def test_schedules():
    forward = np.arange(320).reshape(10, 1, 32).repeat(2, 1).ravel()
    np.testing.assert_array_equal(turns("forward"), forward)
    np.testing.assert_array_equal(turns("reverse"), forward[::-1])
    shuffled = [turns("shuffled", seed) for seed in range(8)]
    assert len({log.tobytes() for log in shuffled}) == 8
    for seed, log in enumerate(shuffled):
        np.testing.assert_array_equal(log, turns("shuffled", seed))
        np.testing.assert_array_equal(np.sort(log), np.arange(640) // 2)
    assert any(np.count_nonzero(np.diff(log // 32)) > 9 for log in shuffled)  # blocks run between others' barriers


def test_float4():
    x, y = numbers(128), results(128)
    launch("doubled", x, y)
    np.testing.assert_array_equal(y, 2 * x)


TYPES = {"int": np.int32, "unsigned": np.uint32, "long": np.int64, "float": np.float32, "double": np.float64}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("block", [(64,), (4, 16)])
def test_shuffles(name, block):
    y = in_every_order(f"shuffle_{name}", shape=384, dtype=TYPES[name], block=block).reshape(6, 64)
    t, lane = np.arange(64), np.arange(64) % 32
    v = (t * 3 - 40).astype(TYPES[name])
    np.testing.assert_array_equal(y[0], v[t // 32 * 32 + (t + 5) % 32])
    np.testing.assert_array_equal(y[1], v[t ^ 9])
    np.testing.assert_array_equal(y[2], np.where(lane >= 3, v[t - 3], v))
    np.testing.assert_array_equal(y[3], np.where(lane < 25, v[(t + 7) % 64], v))
    np.testing.assert_array_equal(y[4], np.where(lane % 8 < 3, v[(t + 5) % 64], v))
    np.testing.assert_array_equal(y[5], np.where(lane < 16, v, v[t ^ 17]))


@pytest.mark.parametrize("bound", [0, 1, 20, 32])
def test_votes(bound):
    y = results(192, dtype=np.int32)
    launch("votes", y, np.int32(bound))
    ballot = np.array(2**bound - 1, np.uint32).view(np.int32)
    assert (y.reshape(32, 6) == [ballot, bound > 0, bound == 32, bound, bound > 0, bound == 32]).all()


def test_the_last_block_merges():
    arrived = guarded(np.zeros(1, np.uint32))
    y = in_every_order("last_block", results(40), arrived, shape=1, grid=(40,))
    np.testing.assert_allclose(y, sum(1 / b for b in range(1, 41)), rtol=1e-6)
    assert arrived[0] == 0


@pytest.mark.parametrize(("by", "sleep"), [(1, 1), (-1, 1), (1, 0), (-1, 0)])
def test_blocks_that_spin_until_another_one_is_done(by, sleep):
    for schedule, seed in ORDERS:
        done = guarded(np.zeros(30, np.int32))
        launch("chain", done, np.int32(by), np.int32(sleep), grid=(30,), schedule=schedule, seed=seed)
        np.testing.assert_array_equal(done[::-by], np.arange(1, 31))


def test_a_long_sleep_is_no_deadlock():
    done = guarded(np.zeros(1, np.int32))
    launch("naps", done, block=(1,))
    assert done[0] == 1


def test_the_whole_grid_waits():
    n = 6 * 64
    how = {"grid": (6,), "block": (64,), "enable_cooperative_groups": True}
    b = in_every_order("stages", a := results(n), shape=n, **how)
    np.testing.assert_array_equal(b, np.arange(n)[::-1])
    np.testing.assert_array_equal(a, 2 * np.arange(n))
    launch("stages", a := results(n), b, **{**how, "grid": (99,)}, cooperative_blocks=6)  # CuPy shrinks such a grid
    np.testing.assert_array_equal(a, 2 * np.arange(n))


def test_clusters_read_each_other():
    y = in_every_order("neighbours", shape=(4, 4, 32), grid=(4, 4), shared_mem=128)
    row, column = np.indices((4, 4))
    rank = (row % 2 * 2 + column % 2 + 1) % 4
    expected = (row // 2 * 2 + rank // 2) * 4 + column // 2 * 2 + rank % 2
    np.testing.assert_array_equal(y, 100 * expected[..., None] + np.arange(32))


def test_shared_memory_is_nan_in_every_block():
    y = results(64)
    launch("unset", y, grid=(3,), shared_mem=128)
    assert (y.view(np.uint32) == 0xFFFFFFFF).all()
