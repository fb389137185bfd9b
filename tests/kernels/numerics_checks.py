"""One case, every function, against the exact results: what the tests of the numerics share."""

import numpy as np
import sympy

from .norms import compiled, divisors, inverses, sees_through_the_mean
from .numerics_calls import along_program, run, saved_along_program
from .numerics_reference import computes_in, expected, unit
from .subjects import FUNCTIONS


def check(case, functions=FUNCTIONS, *, strict=True, alike=True, samples=8, **given):
    """Every function's results on a case.

    Forward is held to the condition that knows nothing of the mean ("inner") where it sees through it, the others to
    the one of their inputs ("outer"), or to the first too where `strict`: but for the rounding of the exact results
    themselves.
    """
    u = unit(computes_in(case.dtype))
    through = sees_through_the_mean(case.name)
    first, strict = expected(case, "forward", "inner" if through else "outer", samples, alike=alike), strict and through
    for function in functions:
        want, moves = first
        if strict or function != "forward":
            want, moves = expected(case, function, "outer", samples, alike=alike)
            moves = {**moves, "y": moves["y"] * 2.0**-30 + first[1]["y"]} if strict else {**moves, "y": first[1]["y"]}
        if strict and function != "forward":
            inner = expected(case, function, "inner", samples, digits=False, alike=alike)[1]
            moves = {**{k: v * 2.0**-30 + inner[k] for k, v in moves.items()}, "y": moves["y"]}
        results = run(case, function, **given)
        for name, got in along_program(case, function, results).items():
            whole = want[name].ndim == len(case.view.axes)
            assert got.dtype == (case.dtype if whole else computes_in(case.dtype)), name
            assert_close(f"{case.name}.{function}: {name}", got, want[name], moves[name], u)
        if function == "forward":
            _check_saved(case, results["saved"], want, moves, u)


def _check_saved(case, saved, want, moves, u):
    """The statistics, and what is saved of them beside, such as inv_std; what overflows its dtype may be infinite."""
    made = {q.name: e for q, e in inverses(case.name).items()}
    for name, got in saved_along_program(case, saved).items():
        if name == "count":
            assert np.array_equal(got, want.get("count", case.x.shape[1]))
        elif name in want:
            assert_close(f"{case.name}: saved.{name}", got, want[name], moves[name], u)
        else:
            assert_close(f"{case.name}: saved.{name}", got, *_inverse(case, made[name], want, moves), u)


def _inverse(case, expression, want, moves):
    """What is saved of a statistic, and how far that moves with it."""
    eps = np.longdouble(case.eps)
    with np.errstate(all="ignore"):
        exact = compiled(case.name, expression)(want, eps)
        slopes = {s: compiled(case.name, sympy.diff(expression, s))(want, eps) for s in divisors(case.name)}
        moved = sum(np.abs(slope) * moves[s.name] for s, slope in slopes.items())
    return exact, np.where(np.isfinite(exact), moved, 0)


def assert_close(label, got, want, moves, u, units=8):
    """Assert that a result is right: within 8 times what its condition moves it by, and 4 units of its own last place.

    `u` is half a unit of the dtype computed in. What is NaN or infinite must be so where the exact result is, and only
    there; what overflows the result's dtype may be infinite.
    """
    info = np.finfo(got.dtype)
    got = np.asarray(got, np.longdouble)
    assert got.shape == want.shape, f"{label}: shape {got.shape}, expected {want.shape}"
    with np.errstate(all="ignore"):
        allowed = units * moves + (4 * u + unit(info.dtype)) * np.abs(want) + np.longdouble(info.smallest_subnormal)
        right = np.abs(got - want) <= allowed
        right |= ~np.isfinite(got) & ~np.isfinite(want)
        right |= np.isinf(got) & (np.sign(got) == np.sign(want)) & (np.abs(want) + allowed > np.longdouble(info.max))
        # in units of the condition, so that a failure says how much was lost
        worst = np.max(np.abs(np.where(right, 0, got - want)) / (moves + u * np.abs(want)), initial=0)
        top = np.max(np.abs(want[np.isfinite(want)]), initial=0)
        relative = np.max(np.abs(np.where(right, 0, got - want)), initial=0) / top
    assert right.all(), (
        f"{label}: {np.sum(~right)} of {right.size} wrong, off by up to {worst:.3g} units of the condition, "
        f"{relative:.2g} of the largest value"
    )
