"""The exact results of a case, and how far they may be off: the condition of each quantity, by perturbation.

Exact: the derived programs (proved elsewhere), evaluated on the very arrays that the kernel is given, in 50 digits for
float64 data, else in long double. The condition of a result is how far it moves, root mean square, when

- every input but the data is off by at most half a unit in the last place of the dtype that the kernel computes in,
- (var + eps) by one unit, as it is when inv_std is saved in that dtype,
- the data by half a unit: of x itself ("outer"), or of x - mean alone ("inner"): forward sees x before it knows the
  mean and can lose nothing to it. The others are given the mean rounded as `saved` holds it, off by half a unit of the
  mean, and not each x_hat by its own amount but all of a channel alike. Most results feel nothing of that, being sums
  over centred values; where they cannot be (`feels_the_mean`) the mean is moved too,
- each exp, tanh and erf by a unit,
- the largest of the terms that make up the result by half a unit.
"""

from dataclasses import replace

import mpmath
import numpy as np
from bnsym.calculus.elements import DIGITS, FLOATS, evaluate
from bnsym.model import Equation, Program

from .numerics_cases import definition, feels_the_mean, normalized, program, statistics

LONG = replace(FLOATS, dtype=np.longdouble)
_to_digits = np.frompyfunc(mpmath.mpf, 1, 1)
_from_digits = np.frompyfunc(lambda v: np.longdouble(mpmath.nstr(mpmath.mpf(v), 25)), 1, 1)


def unit(dtype):
    return np.longdouble(np.finfo(dtype).eps) / 2


def computes_in(dtype):
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def inputs(case, function):
    """The program's inputs, each as long double: exactly what the kernel is given."""
    found = {q: case.values[q.name] for q in program(case.name, function).inputs if q.role != "constant"}
    given = {q: v.astype(np.longdouble) for q, v in found.items()}
    return given | {q: np.longdouble(case.eps) for q in program(case.name, function).inputs if q.name == "eps"}


def numbers(case):
    """What float16 and float32 data are computed in: float64 is enough where there are many."""
    return FLOATS if case.dtype != np.float64 and case.x.size > 10_000 else LONG


def exact(case, function):
    """Every quantity of the function's program, by name, in long double."""
    given = inputs(case, function)
    if case.dtype != np.float64:
        found = evaluate(program(case.name, function), given, numbers(case))
    else:
        with mpmath.workdps(50):
            given = {q: _to_digits(v.astype(float)) for q, v in given.items()}
            found = {q: _from_digits(v) for q, v in evaluate(program(case.name, function), given, DIGITS).items()}
    return {q.name: np.asarray(v, np.longdouble) for q, v in found.items()}


def condition(case, function, kind, samples=4, seed=0):
    """How far each quantity moves, by name: root mean square over samples, pooled over the positions of a statistic."""
    rng = np.random.default_rng(seed)
    # A float64 is moved by 4096 units, and the result divided: long double would not resolve one.
    many = 4096 if case.dtype == np.float64 else 1
    u = many * unit(computes_in(case.dtype))
    given, found = inputs(case, function), program(case.name, function)
    base = evaluate(found, given, numbers(case))
    squares = dict.fromkeys(base, np.longdouble(0))
    for _ in range(samples):
        moved = evaluate(found, _perturbed(case, given, base, kind, u, rng), _rounding(numbers(case), u, rng))
        squares = {q: v + (moved[q] - base[q]) ** 2 for q, v in squares.items()}
    moves = {q.name: _pooled(case, q, np.sqrt(v / samples) / many) for q, v in squares.items()}
    for q in found.outputs:
        moves[q.name] = np.hypot(moves[q.name], u / many * _largest_term(found, q, base, numbers(case)))
    if "mean" in moves:  # off by a unit of the standard deviation, it moves no y by more than a unit
        last = next(v for q, v in base.items() if q == statistics(case.name)[-1])
        moves["mean"] = moves["mean"] + u / many * np.sqrt(last)
    return moves


def _largest_term(found, q, base, kind):
    """What is added up last is rounded before: where it cancels, as for m = 2, its size is lost in the result."""
    terms = found.equation(q).terms
    if len(terms) == 1:
        return 0
    each = [Program(found.inputs, (Equation(q, (t,)),), (q,)) for t in terms]
    known = {k: v for k, v in base.items() if k != q}
    return np.max([np.abs(evaluate(p, known, kind)[q]) for p in each], axis=0)


def _signs(rng, shape):
    """Every input is off by all it may be, one way or the other."""
    return rng.choice(np.array([-1, 1], np.longdouble), shape)


def _rounding(kind, u, rng):
    """Numbers whose elementwise functions are off by a rounding, as any kernel's are; and to one side, if they like."""

    def rounded(function):
        def value(z):
            exact = function(z)
            return exact + u * np.abs(exact) * (_signs(rng, np.shape(exact)) + _signs(rng, ()))

        return value

    smooth = {name: rounded(kind.functions[name]) for name in ("exp", "tanh", "erf")}
    return replace(kind, functions={**kind.functions, **smooth})


def _perturbed(case, given, base, kind, u, rng):
    moved = {}
    for q, v in given.items():
        size = np.abs(v)
        if q.role in ("mask", "constant"):
            moved[q] = v
            continue
        if q.name in normalized(case.name) and kind == "inner":
            size = _centred(case, q, v, base)
        moved[q] = v + u * size * _signs(rng, v.shape)
        if q.axes == case.view.axes and kind == "outer" and feels_the_mean(case.name):
            mean = np.abs(v.mean(axis=_summed(case, q), keepdims=True))
            moved[q] = moved[q] + u * mean * _signs(rng, mean.shape)
    *first, last = statistics(case.name)
    found = definition(case.name).program.needed((*first, last))
    kept = evaluate(found, {q: v for q, v in moved.items() if q in found.inputs}, numbers(case))
    kept[last] = kept[last] + 2 * u * (kept[last] + case.eps) * _signs(rng, kept[last].shape)
    moved[last] = kept[last]
    if first and kind == "outer" and feels_the_mean(case.name):
        moved[first[0]] = kept[first[0]] + u * np.abs(kept[first[0]]) * _signs(rng, kept[first[0]].shape)
    return moved


def _centred(case, q, v, base):
    """The size of x - mean; a sum of x and a residual is rounded once by itself."""
    names = normalized(case.name)
    total = sum(np.asarray(w) for r, w in base.items() if r.name in names)
    means = [s for s in statistics(case.name) if s.name == "mean"]
    if not means:
        return np.abs(v)
    at = tuple(slice(None) if a in means[0].axes else None for a in q.axes)
    size = np.abs(total - base[means[0]][at])
    return size + np.abs(total) if len(names) > 1 else size


def _summed(case, q):
    """The places of the axes that the statistics sum over."""
    return tuple(k for k, a in enumerate(q.axes) if a not in statistics(case.name)[-1].axes)


def _pooled(case, q, v):
    """At least the root mean square over the positions that have a statistic, or a parameter, in common."""
    axes = _summed(case, q)
    return np.maximum(v, np.sqrt(np.mean(v**2, axis=axes, keepdims=True))) if axes and v.size else v


def assert_close(label, got, want, moves, u, units=8):
    """Assert that a result is right: within 8 times what its condition moves it by, and 4 units of its own last place.

    `u` is half a unit of the dtype computed in. What is NaN or infinite must be so where the exact result is, and only
    there; what overflows the result's dtype may be infinite.
    """
    info = np.finfo(got.dtype)
    got, kind = np.asarray(got, np.longdouble), info.dtype
    assert got.shape == want.shape, f"{label}: shape {got.shape}, expected {want.shape}"
    with np.errstate(all="ignore"):
        allowed = units * moves + (4 * u + unit(kind)) * np.abs(want) + np.longdouble(info.smallest_subnormal)
        right = np.abs(got - want) <= allowed
        right |= ~np.isfinite(got) & ~np.isfinite(want)
        right |= np.isinf(got) & (np.sign(got) == np.sign(want)) & (np.abs(want) + allowed > np.longdouble(info.max))
        # in units of the condition, so that a failure says how much was lost
        worst = np.abs(np.where(right, 0, got - want)) / np.maximum(moves + u * np.abs(want), np.longdouble(1e-4000))
    places = f"{np.sum(~right)} of {right.size} wrong"
    assert right.all(), f"{label}: {places}, off by up to {np.max(worst):.3g} units, relative to the largest by " + (
        f"{_relative(got, want):.2g}"
    )


def _relative(got, want):
    top = np.max(np.abs(want[np.isfinite(want)]), initial=0)
    return float(np.max(np.abs(np.where(np.isfinite(want), got - want, 0))) / top) if top else np.inf
