"""The exact results of a case, and how far they may be off: the condition of each quantity, by perturbation.

Exact: the derived programs (proved elsewhere), evaluated on the very arrays that the kernel is given, in 50 digits for
float64 data, else in long double. The condition of a result is how far it moves, root mean square, when

- every input but the data is off by half a unit in the last place of the dtype that the kernel computes in,
- what x_hat is divided by, such as var + eps, by as much as moves its inverse, which is saved in that dtype, by a unit,
- the data by half a unit: of x itself ("outer"), or of x - mean alone ("inner"): forward sees x before it knows the
  mean and can lose nothing to it. The others are given the mean rounded as `saved` holds it, off by half a unit of the
  mean, and not each x_hat by its own amount but all of a channel alike. Most results feel nothing of that, being sums
  over centred values; where they cannot be (`feels_the_mean`) the mean is moved too, and every other number that there
  is one of under each statistic,
- each exp, tanh and erf by a unit,
- the largest of the terms that make up the result by half a unit.
"""

from dataclasses import replace
from functools import cache

import mpmath
import numpy as np

from bnsym.calculus.elements import DIGITS, FLOATS, Interpreter, evaluate
from bnsym.model import Axis, Equation, Program, Quantity, Term

from .norms import as_its_inverse, centres, divisors, feels_the_mean, normalized, powers, program, statistics

LONG = replace(FLOATS, dtype=np.longdouble)
SAMPLE = Axis("sample")
_to_digits = np.frompyfunc(mpmath.mpf, 1, 1)
_from_digits = np.frompyfunc(lambda v: np.longdouble(mpmath.nstr(mpmath.mpf(v), 25)), 1, 1)


def unit(dtype):
    return np.longdouble(np.finfo(dtype).eps) / 2


def computes_in(dtype):
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def numbers(case):
    """For many float16 or float32 values float64 is enough; for others long double."""
    return FLOATS if case.dtype != np.float64 and case.x.size > 10_000 else LONG


def in_digits(case, function):
    """Every quantity of the function's program, by name, from arithmetic of 50 digits."""
    found = program(case.name, function)
    given = {q: case.values[q.name] if q.role != "constant" else np.asarray(case.eps) for q in found.inputs}
    with mpmath.workdps(50):
        result = evaluate(found, {q: _to_digits(v.astype(float)) for q, v in given.items()}, DIGITS)
        return {q.name: np.asarray(_from_digits(v), np.longdouble) for q, v in result.items()}


def _sampled(q):
    return q if q.role == "constant" else Quantity(q.name, (SAMPLE, *q.axes), q.role)


@cache
def sampled(name, function):
    """A function's program with one more axis before the others: one evaluation is as many as that axis is long."""
    found = program(name, function)
    return found.replace({q: _sampled(q) for q in (*found.inputs, *(e.left for e in found.equations))})


@cache
def terms(name, function):
    """The terms that a function's results are added up from, each by itself."""
    found = sampled(name, function)
    wanted = [e for e in found.equations if e.left in found.outputs]
    equations = [
        Equation(Quantity(f"{e.left} {k}", e.left.axes), (t,))
        for e in wanted
        for k, t in enumerate(e.terms)
        if isinstance(t, Term) and len(e.terms) > 1
    ]
    inputs = dict.fromkeys(q for e in equations for q in e.inputs)
    return Program(tuple(inputs), tuple(equations), tuple(e.left for e in equations))


def expected(case, function, kind, samples=8, *, seed=0, digits=True, alike=True):
    """Every quantity of a function by name, exactly; and how far each moves, by name.

    Without `digits` float64 data too are taken through long double. `alike`: the statistics are of one kind, so that a
    sum which happens to feel little of one perturbation is measured by its neighbours.
    """
    rng = np.random.default_rng(seed)
    # A float64 is moved by 4096 units, and the result divided: long double would not resolve one.
    many = 4096 if case.dtype == np.float64 else 1
    u = many * unit(computes_in(case.dtype))
    found, kept = sampled(case.name, function), numbers(case)
    with np.errstate(all="ignore"):
        together = kind == "outer" and feels_the_mean(case.name)
        given = _moved(case, function, kind, u, rng, samples)
        values = _evaluate(case, found, given, _rounding(kept, u, rng), together * u, rng)
        moves = {q.name: np.sqrt(np.mean((v[1:] - v[:1]) ** 2, axis=0)) / many for q, v in values.items()}
        if terms(case.name, function).equations:
            added = terms(case.name, function)
            given = {q: values[q][:1] if q in values else np.longdouble(case.eps) for q in added.inputs}
            for q, v in evaluate(added, given, kept).items():
                if name := q.name.rpartition(" ")[0]:
                    moves[name] = np.maximum(moves[name], u / many * np.abs(v[0]))
        want = {q.name: np.asarray(v[0], np.longdouble) for q, v in values.items()}
        for q in program(case.name, function).outputs:
            moves[q.name] = _pooled(case, q, moves[q.name], alike)
        for s in (s for s in centres(case.name) if s.name in moves):
            # off by a unit of the standard deviation, it moves no y by more than a unit
            deviations = [want[d.name] ** (1 / powers(case.name)[d]) for d in divisors(case.name)]
            moves[s.name] = moves[s.name] + u / many * np.minimum.reduce(deviations)
    return (in_digits(case, function) if digits and case.dtype == np.float64 else want), moves


def _evaluate(case, found, given, kept, u, rng):
    """Every quantity but the constants; what there is one of under each statistic is rounded where it is computed."""
    interpreter = Interpreter(found, given, kept)
    for e in found.equations:
        if e.left not in interpreter.arrays:
            interpreter.compute(e)
            if u and set(e.left.axes) == {SAMPLE, *statistics(case.name)[-1].axes}:
                v = interpreter.arrays[e.left]
                interpreter.arrays[e.left] = v + u * np.abs(v) * _signs(rng, v.shape)
    return {q: interpreter.own(q) for q in interpreter.arrays if q.role != "constant"}


def _signs(rng, shape):
    """Off by all that it may be, one way or the other; the first sample is exact."""
    found = 2.0 * rng.integers(0, 2, shape, np.int8) - 1
    found[0] = 0
    return found


def _rounding(kind, u, rng):
    """Numbers whose elementwise functions are off by a rounding, as any kernel's are; and to one side, if they like."""

    def rounded(function):
        def value(z):
            exact = function(z)
            alike = [exact.shape[0], *[1] * (exact.ndim - 1)]
            return exact + u * np.abs(exact) * (_signs(rng, exact.shape) + _signs(rng, alike))

        return value

    smooth = {name: rounded(kind.functions[name]) for name in ("exp", "tanh", "erf")}
    return replace(kind, functions={**kind.functions, **smooth})


def _moved(case, function, kind, u, rng, samples):
    """The inputs of a function, and the statistics: exact first, then moved in every sample."""
    forward = sampled(case.name, "forward")
    needed = forward.needed(tuple(_sampled(s) for s in statistics(case.name)))
    plain = {q.name: case.values[q.name].astype(np.longdouble)[None] for q in forward.inputs if q.axes}
    eps = np.longdouble(case.eps)
    base = evaluate(needed, {q: plain.get(q.name, eps) for q in needed.inputs}, numbers(case))
    alike = kind == "outer" and feels_the_mean(case.name)

    moved = {}
    for q in sampled(case.name, function).inputs:
        if q.role == "constant":
            moved[q] = eps
            continue
        v = np.repeat(case.values[q.name].astype(np.longdouble)[None], samples + 1, 0)
        if q.role != "mask":
            inner = q.name in normalized(case.name) and kind == "inner"
            size = _centred(case, q, v[:1], plain, base) if inner else np.abs(v[:1])
            v = v + u * size * _signs(rng, v.shape)
        moved[q] = v
    by_name = {q.name: v for q, v in moved.items()}
    kept = evaluate(needed, {q: by_name[q.name] for q in needed.inputs}, numbers(case))
    given = {s.name: kept[_sampled(s)] for s in statistics(case.name)}
    for s in (*divisors(case.name), *(centres(case.name) if alike else ())):
        v = given[s.name]
        size = np.abs(v) if s in centres(case.name) else as_its_inverse(case.name, s)(given, eps)
        moved[_sampled(s)] = v + u * size * _signs(rng, v.shape)
    return moved


def _centred(case, q, v, plain, base):
    """The size of x - mean; a sum of x and a residual is rounded once by itself."""
    names = normalized(case.name)
    total = sum(plain[name] for name in names)
    if not centres(case.name):
        return np.abs(v)
    mean = _sampled(centres(case.name)[0])
    at = tuple(slice(None) if a in mean.axes else None for a in q.axes)
    size = np.abs(total - base[mean][at])
    return size + np.abs(total) if len(names) > 1 else size


def _summed(case, q):
    """The places of the axes that the statistics sum over."""
    return tuple(k for k, a in enumerate(q.axes) if a not in (SAMPLE, *statistics(case.name)[-1].axes))


def _pooled(case, q, v, alike):
    """At least the root mean square over the positions that have a statistic, or a parameter, in common."""
    everywhere = alike and len(q.axes) < len(case.view.axes)
    axes = tuple(range(v.ndim)) if everywhere else _summed(case, q)
    return np.maximum(v, np.sqrt(np.mean(v**2, axis=axes, keepdims=True))) if axes and v.size else v
