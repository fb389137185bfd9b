"""The kernel modules under test. A further backend is one more entry of BACKENDS.

An entry is a module object, or an object with the same functions that takes and returns NumPy arrays.
"""

from functools import wraps

import numpy as np
from bnsym.generated.numpy import batch_norm as numpy_batch_norm

BACKENDS = [numpy_batch_norm]


class Strict:
    """A kernel module each of whose calls is made with floating-point errors raising: none may escape a kernel."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        function = getattr(self.module, name)

        @wraps(function)
        def call(*args, **kwargs):
            with np.errstate(all="raise"):
                return function(*args, **kwargs)

        return call


def name_of(module):
    return module.__name__.removeprefix("bnsym.generated.")
