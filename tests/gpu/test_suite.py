"""That the suite of properties runs here: `pytest -m gpu` adds the GPU to its backends."""

from tests.kernels.backends import BACKENDS


def test_the_suite_of_properties_has_the_gpu():
    assert "gpu" in BACKENDS
