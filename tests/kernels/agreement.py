"""Does what a function gave agree with what it should: names, types, dtypes, shapes and values.

The bound: u is the unit roundoff of the dtype that is computed in (float32 for float16). A result is a few dozen
operations on data of size about 1, whose partial sums are no larger than `magnitude`; so it is right to `SLACK` u times
that, and is then rounded once to its own dtype.
"""

import numpy as np

from .checks import close, unit

SLACK = 400


def kept(dtype):
    """The dtype of statistics and of parameters' gradients."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def check(problem, function, got, want, slack=SLACK, magnitude=1.0):
    """`want` has float64 arrays by name; results that it does not name are not compared, but for their kind."""
    compared = 0
    for name, value in got.items():
        where = f"{problem.subject.name}.{function}: {name}"
        if name == "saved":
            compared += check_saved(problem, where, value, want, slack)
            continue
        q = problem.subject.of(name)
        if q.name in problem.subject.arguments(function) and problem.arrays[q.name] is None:
            assert value is None, f"{where} is {type(value)}, of an argument that is None"
            continue
        if not q.axes:
            assert type(value) is problem.subject.does.number_type, f"{where} is {type(value)}"
            dtype = np.float64 if type(value) is float else kept(problem.dtype)
            value = np.asarray(value)
        else:
            dtype = problem.dtype if q is problem.subject.output or q.role == "data" else kept(problem.dtype)
        assert isinstance(value, np.ndarray), f"{where} is {type(value)}"
        assert value.shape == problem.shapes.shape(q), f"{where} has shape {value.shape}"
        assert value.dtype == dtype, f"{where} has dtype {value.dtype}"
        if name in want:
            compared += 1
            bound(where, value, want[name], dtype, allowance(problem, slack) * magnitude)
    assert compared
    assert not want or set(got) - {"saved"} <= set(want), set(got) - set(want)


def allowance(problem, slack=SLACK):
    """The error of a result of size 1. Where a value of every element is saved as y is, its rounding is in it."""
    values = [q for q in problem.subject.definition.saved if q.role not in ("statistic", "count")]
    rounded = max((float(unit(getattr(problem.saved(), q.name).dtype)) for q in values), default=0)
    return slack * float(unit(kept(problem.dtype))) + 8 * rounded


def bound(where, value, want, dtype, allowed):
    """Assert that `value` is `want`, up to `allowed` times the largest of it, which counts as 1 at least."""
    top = np.max(np.abs(want), initial=1, where=np.isfinite(want))
    close(where, value, want, allowed * top, dtype, shape=value.shape)


def check_saved(problem, where, saved, want, slack):
    """The definition's own quantities in `saved`; whatever else it holds is checked by what is computed from it."""
    assert type(saved) is problem.subject.kernels.module.Saved, f"{where}: {type(saved)}"
    for q in problem.subject.definition.saved:
        value, name = getattr(saved, q.name), f"{where}.{q.name}"
        assert value.shape == problem.shapes.shape(q), f"{name} has shape {value.shape}"
        if q.role == "count":
            assert value.dtype == np.int64, f"{name} has dtype {value.dtype}"
            assert np.array_equal(value, want[q.name]), name
            continue
        dtype = kept(problem.dtype)
        if q.role != "statistic":  # a value of every element may be kept as y is
            assert value.dtype in (problem.dtype, dtype), f"{name} has dtype {value.dtype}"
            dtype = value.dtype
        bound(name, value, want[q.name], dtype, slack * float(unit(kept(problem.dtype))))
    return len(problem.subject.definition.saved)
