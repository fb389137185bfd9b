"""One case, every function, against the exact results: what the tests of the numerics share."""

import numpy as np

from .numerics_calls import along_program, run, saved_along_program
from .numerics_cases import FUNCTIONS, definition, statistics
from .numerics_reference import assert_close, computes_in, condition, exact, unit


def check(case, functions=FUNCTIONS, *, strict=False, samples=4, **given):
    """Every function's results on a case.

    Forward is held to the condition that knows nothing of the mean ("inner"), the others to the one of their inputs
    ("outer"), or to the first too where `strict`.
    """
    u = unit(computes_in(case.dtype))
    with np.errstate(all="ignore"):
        first = condition(case, "forward", "inner", samples)
    for function in functions:
        moves = first
        with np.errstate(all="ignore"):
            want = exact(case, function)
            if function != "forward":
                moves = condition(case, function, "inner" if strict else "outer", samples) | {"y": first["y"]}
        results = run(case, function, **given)
        for name, got in along_program(case, function, results).items():
            assert got.dtype == (case.dtype if _is_data(case, want, name) else computes_in(case.dtype)), name
            assert_close(f"{case.name}.{function}: {name}", got, want[name], moves[name], u)
        if function == "forward":
            _check_saved(case, results["saved"], want, moves, u)


def _is_data(case, want, name):
    return want[name].ndim == len(case.view.axes)


def _check_saved(case, saved, want, moves, u):
    """The statistics; a variance that overflows may be infinite. inv_std is the last statistic's, with eps."""
    kept = saved_along_program(case, saved)
    last = statistics(case.name)[-1].name
    with np.errstate(all="ignore"):
        inverse = 1 / np.sqrt(want[last] + np.longdouble(case.eps))
        moved = np.where(np.isfinite(inverse), inverse**3 * moves[last] / 2, 0)
    for name, got in kept.items():
        if name == "count":
            assert np.array_equal(got, _count(case, want))
        elif name in want:
            assert_close(f"{case.name}: saved.{name}", got, want[name], moves[name], u)
        else:
            assert_close(f"{case.name}: saved.{name}", got, inverse, moved, u)


def _count(case, want):
    x, keep = case.view, statistics(case.name)[-1].axes
    whole = np.prod([n for a, n in zip(x.axes, x.size(x.axes), strict=True) if a not in keep])
    return want.get("count", whole) if "count" in {e.left.name for e in definition(case.name).program.equations} else whole
