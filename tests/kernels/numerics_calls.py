"""Every function of every norm called alike: by the names in its signature, its results by the names of the program."""

import inspect

import numpy as np
import pytest

from .backends import BACKENDS
from .norms import program, statistics

CALLED = {"backend": next(iter(BACKENDS))}


@pytest.fixture(params=BACKENDS)
def backend(request, monkeypatch):
    """Calls go to each backend in turn."""
    monkeypatch.setitem(CALLED, "backend", request.param)
    return request.param


def module(name):
    return BACKENDS[CALLED["backend"]](name)


def shorter(m):
    """So many positions, or fewer where a stand-in computes; a multiple of 4."""
    return m // BACKENDS[CALLED["backend"]].shorter // 4 * 4


def quantities(name, function):
    """What a function takes and returns, by name."""
    found = program(name, function)
    return {q.name: q for q in (*found.inputs, *(e.left for e in found.equations), *found.outputs)}


def arguments(case, function, saved=None, **given):
    """The keyword arguments of a call, each array as a user holds it; `given` replaces some."""
    wanted = inspect.signature(getattr(module(case.name), function)).parameters
    known = quantities(case.name, function)
    have = {"eps": case.eps, "saved": saved, **case.view.options}
    taken = {k: v for k, v in case.values.items() if k in known and k in wanted}
    numbers = not BACKENDS[CALLED["backend"]].arrays_as_numbers  # then what has no axes is to be a number
    have |= {k: v.item() if numbers and np.ndim(v) == 0 else case.view.user(known[k].axes, v) for k, v in taken.items()}
    return {k: v for k, v in (have | given).items() if k in wanted}


def call(case, function, saved=None, **given):
    """A function's result as it is, with floating-point errors raising: none may escape a kernel."""
    kernel = getattr(module(case.name), function)
    with np.errstate(all="raise" if BACKENDS[CALLED["backend"]].raises_floats else "ignore"):
        return kernel(**arguments(case, function, saved, **given))


def run(case, function, **given):
    """A function's results by name, as the user gets them; `saved` comes from forward where it is needed."""
    saved = None
    if "saved" in inspect.signature(getattr(module(case.name), function)).parameters:
        saved = call(case, "forward", **{k: v for k, v in given.items() if k != "out"})[1]
    result = call(case, function, saved, **given)
    results = result if type(result) is tuple else (result,)
    names = [q.name for q in program(case.name, function).outputs]
    return dict(zip([*names, "saved"][: len(results)] if function == "forward" else names, results, strict=True))


def along_program(case, function, results):
    """Results with the program's axes; what forward saved is left out."""
    known = quantities(case.name, function)
    return {k: case.view.program(known[k].axes, v) for k, v in results.items() if k != "saved" and v is not None}


def saved_along_program(case, saved):
    """Each array of `saved` with the statistics' own axes."""
    axes = statistics(case.name)[0].axes
    return {k: case.view.program(axes, v) for k, v in saved._asdict().items() if np.ndim(v) or k != "count"}
