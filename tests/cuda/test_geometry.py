"""Which kernels a shape is given to, on a device as large as those that are bought: nothing is compiled or launched."""

import pytest

from tests.cuda.generated import FOLDER, load

MANY = {
    "MultiProcessorCount": 132,
    "L2CacheSize": 50 * 2**20,
    "MaxSharedMemoryPerMultiprocessor": 228 * 2**10,
}
OLDER = {"MaxSharedMemoryPerMultiprocessor": 164 * 2**10, "compute_capability": "80"}
SMALL = {"MultiProcessorCount": 10, "L2CacheSize": 2**20}
SPLIT_ALONG = ["1_along", "1_settle", "2_along"]
SPLIT_ACROSS = ["1_across", "1_settle", "2_across"]
TAKEN = [  # as (outer, channels, inner), or (rows, features); the kernels of forward, and of backward
    ("batch_norm", "float32", (60, 100, 1), ["1_slab_across"], ["1_slab_across"]),
    ("batch_norm", "float32", (256, 64, 3136), ["1_ticket_along"], ["1_ticket_along"]),
    ("batch_norm", "float16", (256, 64, 3136), ["1_ticket_along"], ["1_ticket_along"]),
    ("batch_norm", "float32", (128, 512, 196), ["1_cluster_along"], ["1_cluster_along"]),
    ("batch_norm", "float32", (800, 512, 196), ["1_cluster_along"], ["1_ticket_along"]),  # x fits, x and dy do not
    ("batch_norm", "float16", (256, 256, 196), SPLIT_ACROSS, SPLIT_ACROSS),  # runs of 8 do not divide 14 x 14
    ("batch_norm", "float32", (256, 2048, 49), SPLIT_ACROSS, SPLIT_ACROSS),
    ("batch_norm", "float32", (16, 2048, 49), ["1_slab_along"], ["1_slab_along"]),
    ("batch_norm", "float32", (32, 3, 50176), SPLIT_ALONG, SPLIT_ALONG),  # no channel fits the cache
    ("batch_norm", "float32", (8, 64, 3136), ["1_cluster_along"], ["1_cluster_along"]),
    # of these there are too few channels for clusters, or a few more than are worked on at once
    ("batch_norm", "float32", (8, 16, 3136), SPLIT_ALONG, SPLIT_ALONG),
    ("batch_norm", "float32", (8, 36, 3136), SPLIT_ALONG, SPLIT_ALONG),
    ("batch_norm", "float16", (65536, 1024, 1), ["1_ticket_across"], SPLIT_ACROSS),
    ("batch_norm", "float32", (802816, 64, 1), SPLIT_ACROSS, SPLIT_ACROSS),
    ("batch_norm", "float16", (802816, 16, 1), SPLIT_ACROSS, SPLIT_ACROSS),
    ("batch_norm", "float32", (1605632, 3, 1), SPLIT_ACROSS, SPLIT_ACROSS),
    ("batch_norm", "float32", (4096, 64, 16), SPLIT_ACROSS, SPLIT_ACROSS),  # a tile has parts of channels
    ("layer_norm", "float32", (65536, 1024), ["1_slab_along"], ["1_ticket_rows", "2_settle"]),
    ("layer_norm", "float32", (4096, 8192), ["1_slab_along"], ["1_ticket_rows", "2_settle"]),
    ("layer_norm", "float32", (512, 768), ["1_slab_along"], ["1_slab_along", "2_slab_across"]),
    ("layer_norm", "float32", (4096, 65536), ["1_cluster_along"], ["1_along", "1_settle", "2_across", "2_settle"]),
    ("layer_norm", "float32", (512, 1 << 20), ["1_ticket_along"], ["1_along", "1_settle", "2_slab_across"]),
]


class Kernel(str):
    """A kernel that is only its name, and what is set of it."""


@pytest.fixture
def launches(monkeypatch):
    """What a module would launch: kernels by their names."""

    def planned(name, function, dtype, shape, **attributes):
        module = load(f"cupy_{name}_for_its_geometry", FOLDER / f"{name}.py", **(MANY | attributes))
        monkeypatch.setattr(module, "_kernel", lambda function, name, dtype: Kernel(name))
        return module._launches(function, dtype, 2 if dtype == "float16" else 4, shape, 16, 0)

    return planned


@pytest.mark.parametrize(("name", "dtype", "shape", "forward", "backward"), TAKEN)
def test_what_is_launched(launches, name, dtype, shape, forward, backward):
    for function, kernels in (("forward", forward), ("backward", backward)):
        assert [launch.kernel for launch in launches(name, function, dtype, shape).launches] == kernels


def test_devices_without_clusters(launches):
    for shape, kernels in (((128, 512, 196), ["1_ticket_along"]), ((8, 64, 3136), SPLIT_ALONG)):
        assert [x.kernel for x in launches("batch_norm", "forward", "float32", shape, **OLDER).launches] == kernels


def test_devices_too_small_for_clusters(launches):
    """Where eight blocks are not sure of their places at the same time, a launch would fail."""
    for channels in (16, 64, 512):
        planned = launches("batch_norm", "forward", "float32", (16, channels, 3136), **SMALL).launches
        assert not [x.kernel for x in planned if "cluster" in x.kernel]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("shape", [(128, 512, 400), (16, 64, 3136), (65, 512, 784)])
def test_clusters_hold_what_they_read(launches, dtype, shape):
    (launch,) = launches("batch_norm", "backward", dtype, shape).launches
    itemsize, count = 2 if dtype == "float16" else 4, shape[0] * shape[2]
    assert launch.blocks == 8 * shape[1]
    assert 8 * launch.part >= count > 8 * (launch.part - 16 // itemsize)
    assert launch.shared == 2 * launch.part * itemsize <= launch.kernel.max_dynamic_shared_size_bytes
    assert launch.part * itemsize % 16 == 0


@pytest.mark.parametrize("function", ["forward", "backward"])
@pytest.mark.parametrize("shape", [(256, 64, 3136), (1024, 512, 784), (4096, 256, 196)])
def test_tickets_are_drawn_in_time(launches, function, shape):
    """Since what a ticket waits for was drawn, every block has drawn another; and the cache still holds it."""
    (launch,) = launches("batch_norm", function, "float32", shape).launches
    arrays = 1 if function == "forward" else 2
    outer, kept, inner = shape
    assert launch.parts * launch.part >= outer * inner > (launch.parts - 1) * launch.part
    assert launch.lag * launch.parts * 2 >= launch.blocks
    assert (launch.lag + 1) * arrays * 4 * outer * inner <= MANY["L2CacheSize"] * 3 // 4
    assert launch.counts == 1 + 2 * kept
