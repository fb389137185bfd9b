"""What the bench does on a GPU, without one: arrays go round in sets, and single calls are timed between events."""

import pytest

from bnsym.bench import gpu
from bnsym.bench.cases import DATA, Case
from bnsym.bench.modules import why_not
from bnsym.bench.ours import Kernels
from bnsym.bench.roof import Roof
from bnsym.bench.worker import Worker
from tests.gpu_report.clock import WallClock
from tests.test_bench_runs import bench

CASE = Case("batch_norm", (8, 3))


class Stand:
    """NumPy's arrays in the place of CuPy's, and the wall's clock."""

    def __init__(self, threads):
        super().__init__(threads)
        self.clock, self.placed = WallClock(), []

    def place(self, array):
        self.placed.append(array)
        return array.copy()


class Ours(Stand, gpu.OnDevice, Kernels):
    """The NumPy module as if it were on a device."""


class Copies(Stand, gpu.OnDevice, Roof):
    """NumPy's copy likewise."""


@pytest.mark.parametrize("kind", [Ours, Copies])
def test_calls_go_round_in_sets(kind, monkeypatch):
    monkeypatch.setattr(gpu, "sets_for", lambda nbytes: 3)
    worker = Worker(kind(1))
    said = worker.prepare(CASE.asdict(), ["forward", "backward"])
    for data in DATA:
        assert max(said[data]["backward"]["errors"]) < 1e-6
        assert worker.round("forward", data)["seconds"] > 0
        assert "memory" not in said[data]["forward"]
    data_placed = [a for a in worker.subject.placed if a.shape == CASE.shape]
    assert len(data_placed) == len(DATA) * 3 * 3  # of each set: x for forward, dy and x for backward


@pytest.mark.skipif(not why_not("cupy", "batch_norm"), reason="CuPy is installed")
def test_without_cupy_it_is_one_sentence():
    done = bench("--backend", "cupy")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "--backend cupy: cupy is not installed\n")
