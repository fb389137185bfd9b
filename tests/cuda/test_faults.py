"""The shim catches what is planted: each fault is one sentence that says where, and the next launch works."""

import numpy as np
import pytest

from tests.cuda.cpu_module import SCHEDULES, CpuModule, LaunchError
from tests.cuda.guarded import guarded
from tests.cuda.launching import HERE, NEEDS_COMPILER, ORDERS, check_reduction, launch, numbers, results

pytestmark = NEEDS_COMPILER


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
    assert len(different("no_third_barrier")) > 1


def test_a_wrong_merge_differs_from_the_expectation():
    x = numbers(64)
    (found,) = different("wrong_merge", x)
    assert abs(np.frombuffer(found, np.float32) - x.sum()).max() > 1e-3


@pytest.mark.parametrize("name", ["reads_at", "writes_at"])
@pytest.mark.parametrize(("at", "placement"), [(-1, "start"), (32, "end")])
def test_accesses_out_of_bounds(name, at, placement):
    x = guarded(np.zeros(32, np.float32), placement)
    does = f"it {name.removesuffix('_at')} address"
    where = "4 bytes before an array of 128" if at < 0 else "0 bytes past the end of an array of 128"
    thread = 5 if name == "writes_at" else 0
    faulty(name, x, np.int64(at), says=(f"block (0, 0, 0), thread ({thread}, 0, 0): {does}", where))


@pytest.mark.parametrize("at", [0, 31])
@pytest.mark.parametrize("placement", ["start", "end"])
def test_accesses_at_both_ends_are_within_bounds(at, placement):
    x = guarded(np.zeros(32, np.float32), placement)
    launch("reads_at", x, np.int64(at), source="shim_faults.cu")
    assert not x.any()
    launch("writes_at", x, np.int64(at), block=(32,), source="shim_faults.cu")
    assert np.flatnonzero(x).tolist() == [at]


def test_other_accesses():
    x = guarded(np.zeros(32, np.float32), "start")
    faulty("four_at", x, np.int64(1), says="not aligned")
    faulty("hint_at", x, np.int64(1), says="not aligned")
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


def test_threads_that_return_before_or_after_others_wait():
    faulty("some_sync", schedule="reverse", says="which 16 threads of the block never reach")
    faulty("some_sync", says="returns, and 16 threads of the block wait for it")


def test_faults_without_number():
    """What threads of failed launches held is used again: without that, this is more than a process may have."""
    for _ in range(40):
        with pytest.raises(LaunchError, match="1023 threads of the block wait"):
            launch("one_leaves", np.int32(1023), block=(1024,), source="shim_faults.cu")


def test_lanes_that_have_returned_give_nan():
    y = results(16)
    launch("partners_left", y, source="shim_faults.cu")
    assert np.isnan(y).all()


def test_waiting_for_ever():
    flag = guarded(np.zeros(1, np.int32))
    faulty("sleeps", flag, grid=(3,), says="deadlock: all threads that do not wait spin, and nothing else happens")
    late = "still runs after all the time that a launch may take"
    faulty("runs", flag, seconds=0.05, says=("thread (0, 0, 0)", late))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_waiting_for_a_block_that_the_device_has_no_room_for(schedule):
    how = {"grid": (5,), "schedule": schedule, "seed": 3, "source": "shim_test.cu"}
    waits_for = -1 if schedule == "reverse" else 1
    launch("chain", guarded(np.zeros(5, np.int32)), np.int32(waits_for), np.int32(1), **how, resident=5)
    with pytest.raises(LaunchError, match="deadlock"):
        launch("chain", guarded(np.zeros(5, np.int32)), np.int32(waits_for), np.int32(1), **how, resident=1)


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
