"""PyTorch on one thread: these arrays are small, and its threads would only wait for each other."""

import pytest

from ..kernels.numerics_calls import backend  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _one_thread():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
