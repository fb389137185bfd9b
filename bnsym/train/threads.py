"""How many threads may work: those of NumPy's BLAS, and those that the kernels share large arrays among."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from bnsym.train.options import TrainError

__all__ = ["limited"]

OF_KERNELS = "BNSYM_NUM_THREADS"  # which they read at each call


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """No more than so many, while the context lasts; TrainError when threadpoolctl is not installed."""
    try:
        threadpoolctl = import_module("threadpoolctl")
    except ImportError as error:
        raise TrainError(f"threadpoolctl could not be imported ({error}), try: pip install 'bnsym[train]'") from error
    before = os.environ.get(OF_KERNELS)
    with threadpoolctl.threadpool_limits(threads, user_api="blas"):
        os.environ[OF_KERNELS] = str(threads)
        try:
            yield
        finally:
            if before is None:
                del os.environ[OF_KERNELS]
            else:
                os.environ[OF_KERNELS] = before
