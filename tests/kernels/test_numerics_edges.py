"""Every norm where the mathematics has an edge: nothing to sum, no statistic, no variance, gamma 0, NaN and Inf."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from .norms import NORMS, centres, normalized, program, statistics
from .numerics_calls import along_program, arguments, call, run
from .numerics_cases import DTYPES, View, make, view
from .numerics_checks import assert_close, check
from .numerics_reference import computes_in, expected, unit
from .subjects import FUNCTIONS, definition

pytestmark = pytest.mark.usefixtures("backend")

EVERY_NORM = pytest.mark.parametrize("name", NORMS)
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES)


@EVERY_NORM
@EVERY_DTYPE
def test_constant_statistics(name, dtype):
    """No variance beside ordinary ones: x_hat is 0 to the last bit, or, without a mean, as ordinary as any."""
    case = make(name, view(name, m=32, kept=3), dtype)
    for q in normalized(name):
        rows = case.along(case.view.axes, case.values[q])
        places = case.along(case.view.axes, np.arange(case.values[q].size).reshape(case.values[q].shape))
        for row, value in zip(range(len(rows)), (0.1, None, 3e4 / 7), strict=False):
            if value is not None:
                case.values[q].flat[places[row]] = value
    check(case, strict=True, alike=False)


@EVERY_NORM
def test_tiny_values_beside_zeros(name):
    """Where the statistics are of a sum, one of its terms may be 0: the other tells how small it is."""
    for zero in normalized(name)[1:]:
        case = make(name, view(name, m=12, kept=2), np.float64, scale=1e-200, tangent=1e-200, eps=0.0)
        case.values[zero][...] = 0
        check(case)


@EVERY_NORM
@EVERY_DTYPE
def test_gamma_zero(name, dtype):
    """What gamma multiplies is 0, exactly; its own gradient is not."""
    case = make(name, view(name, m=24), dtype, offset=1.0)
    case.values["gamma"][..., ::2] = 0
    check(case)
    assert np.all(run(case, "backward")["dgamma"] != 0)


@EVERY_NORM
@EVERY_DTYPE
@pytest.mark.parametrize("function", FUNCTIONS)
def test_parameters_that_are_absent(name, dtype, function):
    """As ones and zeros would be, to the bit; their gradients and tangents are None."""
    case = make(name, view(name, m=24), dtype)
    parameters = {q.name: q for q in definition(name).program.inputs if q.role == "parameter"}
    for q in parameters.values():
        case.values[q.name][...] = q.absent
        for other in [f"t{q.name}", f"dd{q.name}"]:
            if other in case.values:
                case.values[other][...] = 0
    given, absent = run(case, function), run(case, function, **dict.fromkeys(parameters))
    for key, value in given.items():
        of = next((p for p in parameters if key in {f"d{p}", f"td{p}", f"g_{p}"}), None)
        if key == "saved":
            assert all(np.array_equal(a, b) for a, b in zip(value, absent[key], strict=True))
        elif of in arguments(case, function):
            assert absent[key] is None
        else:
            assert np.array_equal(absent[key], value), key


def empty_views(name):
    """No statistics: no channels, no rows, no examples."""
    layout, axes = definition(name).layout, definition(name).program.axes
    if layout == "channels":
        return [
            View(layout, axes, ((4, 3), (0,))),
            View(layout, axes, ((4,), (0,))),
            View(layout, axes, ((4, 2), (0,)), -1),
        ]
    if layout == "trailing":
        return [View(layout, axes, ((0,), (5,))), View(layout, axes, ((2, 0), (3, 2)))]
    if layout == "groups":
        return [View(layout, axes, ((0,), (2,), (3,), (5,)))]
    return [View(layout, axes, ((0,), (2,), (5,))), View(layout, axes, ((3,), (0,), (5,)))]


@EVERY_NORM
@EVERY_DTYPE
@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_statistics_is_an_empty_result(name, dtype, function):
    """What does not vary with them is a sum of nothing."""
    for v in empty_views(name):
        case = make(name, v, dtype)
        for key, got in run(case, function).items():
            if key == "saved":
                assert all(np.size(a) == 0 for k, a in got._asdict().items() if k != "count")
                continue
            q = next(q for q in program(name, function).outputs if q.name == key)
            assert got.dtype == (dtype if q.axes == v.axes else computes_in(case.dtype))
            assert got.shape == np.shape(v.user(q.axes, np.zeros(v.size(q.axes))))
            assert not got.any()


def no_positions(name):
    layout, axes = definition(name).layout, definition(name).program.axes
    return {
        "channels": [View(layout, axes, ((0,), (3,))), View(layout, axes, ((4, 0), (3,)))],
        "trailing": [View(layout, axes, ((4,), (0,))), View(layout, axes, ((4,), (3, 0)))],
        "groups": [View(layout, axes, ((4,), (2,), (3,), (0,)))],
        "instance": [View(layout, axes, ((4,), (2,), (0,)))],
    }[layout]


@EVERY_NORM
@EVERY_DTYPE
@pytest.mark.parametrize("function", ["forward", "jvp"])
def test_nothing_to_take_statistics_over_is_refused(name, dtype, function):
    for v in no_positions(name):
        case = _hollow(name, v, dtype)
        with pytest.raises(ValueError, match=r"\b(x|mask)\b") as error:
            call(case, function)
        assert "mask" in str(error.value) or str(np.shape(v.user(v.axes, case.values["x"]))) in str(error.value)


def _hollow(name, v, dtype):
    """A case of empty data: `make` balances signs, and there are none."""
    case = make(name, view(name, m=4), dtype)
    known = {q.name: q for f in FUNCTIONS for q in program(name, f).inputs}
    values = {k: np.zeros(v.size(known[k].axes), a.dtype) for k, a in case.values.items()}
    return replace(case, view=v, values=values)


@cache
def clean(name, dtype, function):
    """What a case without anything bad in it gives."""
    return expected(make(name, view(name, m=24), dtype), function, "inner" if function == "forward" else "outer")


@EVERY_NORM
@EVERY_DTYPE
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "dy", "tx", "ddx"])
def test_nan_and_inf_stay_with_their_statistic(name, dtype, bad, where):
    """The others are right; in the one that holds it, nothing that depends on it is passed off as a number."""
    case = make(name, view(name, m=24), dtype)
    case.values[where].flat[_place(case)] = bad
    for function in FUNCTIONS:
        if where not in {q.name for q in program(name, function).inputs}:
            continue
        (want, moves), reach = clean(name, dtype, function), _reached(case, function)
        moves = {**moves, "y": clean(name, dtype, "forward")[1]["y"]}
        for key, got in along_program(case, function, run(case, function)).items():
            apart, u = ~reach[key], unit(computes_in(case.dtype))
            assert_close(f"{name}.{function}: {key}", got[apart], want[key][apart], moves[key][apart], u)
            # with an infinite mean square the others' x_hat is 0, and rightly; with an infinite mean it is NaN
            dead = np.isnan(bad) or centres(name)
            if where == "x" and key in ("y", "dx", "ty", "g_x", "tdx") and dead:
                taken = case.values.get("mask", np.ones(got.shape)).astype(bool)
                assert not np.isfinite(got[~apart & taken]).any(), f"{name}.{function}: {key}"


def _place(case):
    """A position under the second statistic that takes part."""
    places = case.along(case.view.axes, np.arange(case.values["x"].size).reshape(case.values["x"].shape))[1]
    taken = (
        case.values["mask"].reshape(-1)[places].astype(bool) if "mask" in case.values else np.ones(len(places), bool)
    )
    return places[taken][5]


def _reached(case, function):
    """What belongs to the second statistic, or sums over it."""
    keep = statistics(case.name)[-1].axes
    mine = np.zeros(np.prod(case.view.size(keep), dtype=int), bool)
    mine[1] = True
    mine = mine.reshape(case.view.size(keep))
    reached = {}
    for q in program(case.name, function).outputs:
        at = [keep.index(a) for a in q.axes if a in keep]
        found = mine.any(axis=tuple(k for k in range(len(keep)) if k not in at))
        index = tuple(slice(None) if a in keep else None for a in q.axes)
        reached[q.name] = np.broadcast_to(found[index], case.view.size(q.axes))
    return reached
