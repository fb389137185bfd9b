"""Made-up MNIST files in a directory, for the tests of the data; and whether a GPU was asked for."""

import os
import tempfile

import numpy as np
import pytest
from hypothesis import settings

from tests.gpu import device
from tests.idx_files import idx
from tests.mnist_files import set_sum

settings.register_profile("unhurried", deadline=None)  # a machine that others use as well is slow now and then
settings.load_profile("unhurried")

# What Numba compiles is compiled once for all workers, and stays out of the checkout.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", f"{tempfile.gettempdir()}/bnsym-numba-{os.getuid() if hasattr(os, 'getuid') else ''}"
)


def pytest_plugin_registered(plugin):
    """Here, since it comes before any other conftest is read: `-m gpu` adds a backend to the suite of properties."""
    if isinstance(plugin, pytest.Config):
        device.tell(plugin.known_args_namespace.markexpr)


def pytest_collection_modifyitems(items):
    """Tests of reports one definition after the other, so that few processes derive one definition."""
    places = [n for n, item in enumerate(items) if item.path.name.startswith("test_report")]
    for n, item in zip(places, sorted((items[n] for n in places), key=_definition), strict=True):
        items[n] = item


def _definition(item):
    """The definition that a test is about; those in a browser stay together."""
    alone = "browser" in item.fixturenames or not hasattr(item, "callspec")
    return "" if alone else str(item.callspec.params.get("name", ""))


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Five training and three test images of 2 by 3 pixels, as {file name: content}, with their sums in the table."""
    contents = {}
    for split, count in (("train", 5), ("t10k", 3)):
        contents[f"{split}-images-idx3-ubyte"] = idx(np.arange(count * 6).reshape(count, 2, 3) * 37 % 256)
        contents[f"{split}-labels-idx1-ubyte"] = idx(np.arange(count) * 9 // (count - 1))
    for name, content in contents.items():
        set_sum(monkeypatch, name, content)
    return contents


@pytest.fixture
def directory(tmp_path, made_up):
    path = tmp_path / "mnist"
    path.mkdir()
    for name, content in made_up.items():
        (path / name).write_bytes(content)
    return path
