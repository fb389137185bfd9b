"""The `bn` fixture (every registered backend in turn) and a reproducible Hypothesis profile."""

import pytest
from hypothesis import settings

from .backends import BACKENDS, Strict, name_of

settings.register_profile("kernels", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("kernels")


@pytest.fixture(scope="session", params=BACKENDS, ids=name_of)
def bn(request):
    return Strict(request.param)
