"""Each test here needs a GPU, and is skipped with the reason where there is none."""

import fcntl
import tempfile
from pathlib import Path

import pytest

from . import device

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    reason = device.why_not()
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.gpu)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def cp():
    """CuPy; what a test took of the device's memory is given back."""
    cupy = device.cupy()
    yield cupy
    cupy.cuda.Device().synchronize()
    cupy.get_default_memory_pool().free_all_blocks()


@pytest.fixture
def alone():
    """Tests that need much memory run one after the other, in whichever process."""
    with open(Path(tempfile.gettempdir()) / "bnsym-large-tests-on-gpu", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def stream(cp):
    """A stream that does not wait for the default one."""
    made = cp.cuda.Stream(non_blocking=True)
    with made:
        yield made
    made.synchronize()
