"""That the suite of properties runs here: `pytest -m gpu` adds the GPU to its backends."""


def test_the_suite_of_properties_has_the_gpu():
    from tests.kernels.backends import BACKENDS  # needs bnsym, which nothing else here does

    assert "gpu" in BACKENDS
