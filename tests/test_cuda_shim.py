"""The shim that runs CUDA kernels on the CPU: what it computes, and that it catches what is planted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cuda import compiling
from tests.cuda.cpu_module import SCHEDULES, CpuModule, LaunchError
from tests.cuda.fake_cupy import fake_cupy
from tests.cuda.guarded import guarded

HERE = Path(__file__).parent / "cuda"
ORDERS = [(schedule, seed) for schedule in SCHEDULES for seed in range(5 if schedule == "shuffled" else 1)]
N = 1000


def launch(name, *args, grid=(1,), block=(32,), shared_mem=0, source="shim_test.cu", **how):
    """Runs a kernel; results and data are given as arrays, structs as lists of their fields."""
    module = CpuModule(code=(HERE / source).read_text(), options=("-std=c++17",), **how)
    module.get_function(name)(grid, block, tuple(map(argument, args)), shared_mem=shared_mem)


def argument(value):
    if isinstance(value, list):  # a struct, passed by value: its fields take 8 bytes each
        words = [np.float64(f).view(np.int64) if isinstance(f, float) else argument(f) for f in value]
        return np.array(words, np.int64)
    return value.ctypes.data if isinstance(value, np.ndarray) else value


def results(shape, dtype=np.float32):
    """Memory that ends at a guard page, and in which every byte is 0xFF yet."""
    return guarded(np.full(shape, -1, f"i{np.dtype(dtype).itemsize}").view(dtype))


def in_every_order(name, *args, shape, dtype=np.float32, **how):
    """What a kernel computes, which must be the same bits in every schedule; its results are its last argument."""
    found = []
    for schedule, seed in ORDERS:
        y = results(shape, dtype)
        launch(name, *args, y, schedule=schedule, seed=seed, **how)
        found.append(y)
    assert len({y.tobytes() for y in found}) == 1, found
    return found[0]


def faulty(name, *args, says, **how):
    """A launch fails with one sentence, and the next one works."""
    with pytest.raises(LaunchError) as raised:
        launch(name, *args, source="shim_faults.cu", **how)
    message = str(raised.value)
    assert message.startswith(f"kernel {name}"), message
    assert "\n" not in message
    for part in (says,) if isinstance(says, str) else says:
        assert part in message, message
    check_reduction((64,))


def numbers(n=N):
    return guarded(np.random.default_rng(0).standard_normal(n).astype(np.float32))


def check_reduction(block):
    x = numbers()
    y = results(3)
    launch("reduce", x, y, np.int64(N), grid=(3,), block=block)
    np.testing.assert_allclose(y, x.sum(dtype=np.float64), rtol=1e-5)
    return y


# ---- what kernels compute


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


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.zeros(2, np.int64), "16 bytes or fewer"),
        (np.zeros((2, 2), np.int64), "rank 1"),
        (np.zeros(3, np.float32), "rank 1"),
        ("x", "cannot be passed"),
        (1j, "cannot be passed"),
    ],
)
def test_arguments_that_no_kernel_takes(wrong, says):
    module = CpuModule(code=(HERE / "shim_test.cu").read_text())
    with pytest.raises(TypeError, match=says):
        module.get_function("unset")((1,), (32,), (wrong,))


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


def test_float4():
    x, y = numbers(128), results(128)
    launch("doubled", x, y)
    np.testing.assert_array_equal(y, 2 * x)


TYPES = {"int": np.int32, "unsigned": np.uint32, "long": np.int64, "float": np.float32, "double": np.float64}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("block", [(64,), (4, 16)])
def test_shuffles(name, block):
    y = in_every_order(f"shuffle_{name}", shape=256, dtype=TYPES[name], block=block).reshape(4, 64)
    t, lane = np.arange(64), np.arange(64) % 32
    v = (t * 3 - 40).astype(TYPES[name])
    np.testing.assert_array_equal(y[0], v[t // 32 * 32 + (t + 5) % 32])
    np.testing.assert_array_equal(y[1], v[t ^ 9])
    np.testing.assert_array_equal(y[2], np.where(lane >= 3, v[t - 3], v))
    np.testing.assert_array_equal(y[3], np.where(lane < 25, v[(t + 7) % 64], v))


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


# ---- planted faults


def different(name, *args, block=(64,)):
    found = set()
    for schedule, seed in ORDERS:
        y = results(64)
        launch(name, *args, y, block=block, source="shim_faults.cu", schedule=schedule, seed=seed)
        found.add(y.tobytes())
    return found


def test_a_missing_barrier_differs_between_schedules():
    assert len(different("no_barrier")) > 1
    assert len(different("no_second_barrier")) > 1


def test_a_wrong_merge_differs_from_the_expectation():
    x = numbers(64)
    (found,) = different("wrong_merge", x)
    assert abs(np.frombuffer(found, np.float32) - x.sum()).max() > 1e-3


@pytest.mark.parametrize("name", ["reads_at", "writes_at"])
@pytest.mark.parametrize("at", [-1, 0, 31, 32])
@pytest.mark.parametrize("placement", ["start", "end"])
def test_accesses_out_of_bounds(name, at, placement):
    x = guarded(np.zeros(32, np.float32), placement)
    does = f"it {name[:-4]}s address" if at == -1 or at == 32 else ""
    caught = (at == -1 and placement == "start") or (at == 32 and placement == "end")
    if not caught:
        if 0 <= at < 32:
            launch(name, x, np.int64(at), source="shim_faults.cu")
        return
    where = "4 bytes before an array of 128" if at < 0 else "0 bytes past the end of an array of 128"
    thread = 5 if name == "writes_at" else 0
    faulty(name, x, np.int64(at), says=(f"block (0, 0, 0), thread ({thread}, 0, 0): {does}", where))


def test_other_accesses():
    x = guarded(np.zeros(32, np.float32), "start")
    faulty("four_at", x, np.int64(1), says="not aligned")
    faulty("past_shared", np.int32(64), shared_mem=256, says="0 bytes past the end of its shared memory")
    faulty("reads_at", 0, np.int64(0), says="it reads address")
    faulty("recursion", x, says="where its stack of 60 KB ends")


FAULTS = (HERE / "shim_faults.cu").read_text()


def line(tag):
    """The line of shim_faults.cu that has a comment."""
    (number,) = (k for k, text in enumerate(FAULTS.splitlines(), 1) if text.endswith(f"// {tag}"))
    return f"(line {number})"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("some_sync", "__syncthreads " + line("some")),
        ("two_syncs", ("__syncthreads " + line("first"), "__syncthreads " + line("second"))),
        ("sync_and_shuffle", ("deadlock", "__syncthreads " + line("block"), "a shuffle " + line("warp"))),
        ("two_shuffles", ("a shuffle of " + line("one")[1:-1], "a shuffle of " + line("other")[1:-1])),
        ("not_in_mask", "its mask 0xffff leaves out the lane itself"),
    ],
)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_divergent_code(name, says, schedule):
    faulty(name, results(64), says=says, schedule=schedule)


def test_lanes_that_have_returned_give_nan():
    y = results(16)
    launch("partners_left", y, source="shim_faults.cu")
    assert np.isnan(y).all()


def test_waiting_for_ever():
    flag = guarded(np.zeros(1, np.int32))
    faulty("sleeps", flag, grid=(3,), says="deadlock: all threads that do not wait spin, and nothing else happens")
    late = "still runs after all the time that a launch may take"
    faulty("runs", flag, seconds=0.05, says=("thread (0, 0, 0)", late))


@pytest.mark.parametrize("leaves", [0, 1, 2])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_grid_sync_that_not_all_blocks_reach(leaves, schedule):
    how = {"grid": (3,), "schedule": schedule}
    faulty("grid_sync", np.int32(leaves), **how, enable_cooperative_groups=True, says="grid.sync")
    faulty("grid_sync", np.int32(leaves), **how, says="grid.sync in a launch that is not cooperative")


def test_clusters_that_touch_what_is_not_there():
    faulty("leaves_cluster", results(64), grid=(2,), says="in the shared memory of a block that has returned")
    y = results(64)
    launch("no_cluster_sync", y, grid=(2,), source="shim_faults.cu")
    assert np.isnan(y).any()
    faulty("leaves_cluster", results(64), grid=(3,), says="not made of clusters (2, 1, 1)")


def test_traps():
    faulty("division", guarded(np.zeros(1, np.int32)), says="divided by zero")
    faulty("asserts", np.int32(7), says=("thread (7, 0, 0): assertion failed in line", "threadIdx.x < n"))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"block": (1025,)}, "1025 threads a block are more than 1024"),
        ({"block": (1, 1, 65)}, "a block (1, 1, 65) beyond"),
        ({"block": (32, 0)}, "a block without threads"),
        ({"grid": (0,)}, "a grid (0, 1, 1) is empty"),
        ({"grid": (1, 65536)}, "a grid (1, 65536, 1) is empty or goes beyond"),
        ({"grid": (1, 1, 65536)}, "a grid (1, 1, 65536) is empty or goes beyond"),
        ({"shared_mem": 49153}, "more than max_dynamic_shared_size_bytes, 49152"),
        ({"name": "too_much"}, "64000 bytes of static shared memory are more than 49152"),
    ],
)
def test_launches_over_the_limits(how, says):
    faulty(**{"name": "asserts", "says": says, **how})


def test_more_shared_memory_where_it_is_asked_for():
    kernel = CpuModule(code=FAULTS).get_function("past_shared")
    kernel.max_dynamic_shared_size_bytes = 300_000
    kernel((1,), (1,), (np.int32(227 * 256 - 1),), shared_mem=227 * 1024)
    with pytest.raises(LaunchError, match="232449 bytes of shared memory are more than 232448"):
        kernel((1,), (1,), (np.int32(0),), shared_mem=227 * 1024 + 1)


@pytest.mark.parametrize("name", ["nobody", "malloc", "shim_launch", "shim_kernels", "linear", ""])
def test_an_unknown_kernel(name):
    with pytest.raises(LaunchError, match=f"the module has no kernel '{name}'"):
        CpuModule(code=(HERE / "shim_test.cu").read_text()).get_function(name)


# ---- how sources are compiled, and CuPy's stand-in


def test_what_does_not_compile_is_refused_at_its_line():
    with pytest.raises(compiling.CompileError, match=r"kernel\.cu:2:\d+: error: .*nothing"):
        CpuModule(code='// a kernel\nextern "C" __global__ void f() { nothing(); }\n')
    with pytest.raises(compiling.CompileError, match="undefined reference"):
        CpuModule(code='void g();\nextern "C" __global__ void f() { g(); }\n')


def test_options():
    assert compiling.flags(["-std=c++17", "-arch=sm_80", "-DX=1", "--define-macro=Y", "--use_fast_math", "-I/a"]) == (
        *("-DX=1", "-DY", "-I/a"),
        "-D__CUDA_ARCH__=800",
    )


RACE = """
import sys
from tests.cuda.cpu_module import CpuModule
CpuModule(code='extern "C" __global__ void f(int n) {}').get_function("f")((1,), (1,), (1,))
"""


def test_processes_that_compile_the_same_at_once(tmp_path):
    shutil.copy(compiling.runtime().path, tmp_path)  # which takes seconds
    cache = {**os.environ, "BNSYM_TEST_CACHE": str(tmp_path), "PYTHONPATH": str(HERE.parents[1])}
    started = [subprocess.Popen([sys.executable, "-c", RACE], env=cache) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir()) == ["kernel", "runtime"]


@pytest.mark.parametrize("placement", ["start", "end"])
def test_a_stand_in_for_cupy(placement):
    cupy = fake_cupy("shuffled", 3, placement, MultiProcessorCount=7)
    assert cupy.ndarray is np.ndarray
    assert cupy.cuda.is_available()
    assert cupy.cuda.Device().attributes["MultiProcessorCount"] == 7
    assert cupy.get_array_module(np.zeros(1)) is cupy
    x, y = cupy.full(100, 3, cupy.float32), cupy.empty(100, cupy.float32)
    assert np.isnan(y).all()
    assert (x.ctypes.data % 4096 == 0) == (placement == "start")
    kernel = cupy.RawModule(code=(HERE / "shim_test.cu").read_text()).get_function("affine")
    kernel((1,), (128,), (argument([x, y, 100, 2.0, 1.0]),))
    assert (y == 7).all()
    with pytest.raises(LaunchError, match="array of 400 bytes" if placement == "end" else "address"):
        kernel((16,), (128,), (argument([x, y, 2000, 2.0, 1.0]),))
    like = cupy.zeros_like(cupy.ones((3, 4), order="F"))
    assert like.flags.f_contiguous
    assert not like.any()
