"""The kernel modules under test: every definition of the registry, in every backend.

A further backend is one more entry of BACKENDS: a name, and a function from a definition's name to its module, or to
an object with the same functions that takes and returns NumPy arrays.
"""

import importlib
from functools import wraps

import numpy as np

BACKENDS = {"numpy": lambda name: importlib.import_module(f"bnsym.generated.numpy.{name}")}


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
