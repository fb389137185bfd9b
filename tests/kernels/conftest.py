"""The fixtures and a reproducible Hypothesis profile.

`subject` is every definition of the registry in every backend, so a new definition gets its tests by being registered;
`bn` is batch norm in every backend, for what has no general form.
"""

import pytest
from hypothesis import HealthCheck, settings

from .backends import BACKENDS, Strict
from .numerics_calls import backend  # noqa: F401 - a fixture
from .problems import medium_problem
from .subjects import EVERY, made

settings.register_profile(
    "kernels",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("kernels")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What runs on a GPU is marked so, before it is decided what is left out."""
    for item in items:
        given = getattr(item, "callspec", None)
        chosen = [given.params.get(name) for name in ("subject", "bn", "backend")] if given else []
        if any(c == "gpu" or (isinstance(c, tuple) and c[0] == "gpu") for c in chosen):
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(scope="session", params=BACKENDS)
def bn(request):
    return Strict(BACKENDS[request.param]("batch_norm"), BACKENDS[request.param])


@pytest.fixture(scope="session", params=EVERY, ids="-".join)
def subject(request):
    return made(*request.param)


@pytest.fixture(scope="session")
def problem(subject):
    """Arguments with which every function of the subject succeeds."""
    return medium_problem(subject)
