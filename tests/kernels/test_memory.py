"""Where the data lie is of no consequence: any order, stride, alignment; and no input is written to."""

import tracemalloc

import numpy as np
import pytest

from .agreement import kept
from .cases import LAYOUTS, lay
from .forms import form, medium
from .problems import DTYPES, Problem, arrays_of, medium_problem
from .subjects import over
from .test_nan import spoiled

LARGE = {
    "channels": form("channels", (20000, 30), 1),
    "trailing": form("trailing", (30, 20000), 1),
    "groups": form("groups", (4, 10, 15000), 5),
    "instance": form("instance", (2, 10, 30000)),
}


def arranged(problem, layout):
    """The arrays in another arrangement of memory."""
    axis = problem.options.get("channel_axis", 0)
    given = {n: v for n, v in problem.arrays.items() if isinstance(v, np.ndarray) and n not in problem.extra}
    vectors = layout if layout in ("C", "strided", "reversed", "readonly", "unaligned") else "C"
    return problem.replace(
        **{
            n: lay(v, layout if v.ndim > 1 else vectors, axis if v.ndim == len(problem.form.shape) else 0)
            for n, v in given.items()
        }
    )


def same(got, want, computed=np.float64):
    """Equal to the rounding of what is computed in: sums over other strides may be taken in another order."""
    if got is None or want is None:
        return got is want
    got, want = np.asarray(got), np.asarray(want)
    tolerance = 100 * max(np.finfo(want.dtype).eps, np.finfo(computed).eps)
    return got.dtype == want.dtype and np.allclose(
        got, want, rtol=tolerance, atol=tolerance * np.max(np.abs(want), initial=1)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("at", [0, 1])
def test_every_arrangement_of_memory(subject, layout, at):
    for dtype in DTYPES:
        problem = medium_problem(subject, at).astype(dtype)
        other = arranged(problem, layout)
        plain = other.replace(
            **{n: np.ascontiguousarray(v) for n, v in other.arrays.items() if isinstance(v, np.ndarray)}
        )
        copies = {n: v.copy() for n, v in plain.arrays.items() if isinstance(v, np.ndarray)}
        for function in subject.derivatives:
            got, want = other.call(function), plain.call(function)
            for name in set(got) - {"saved"}:
                assert same(got[name], want[name], kept(dtype)), f"{function}: {name} in {np.dtype(dtype)}"
        changed = [n for n, v in copies.items() if not np.array_equal(other.arrays[n], v)]
        assert not changed


def test_a_result_is_not_overwritten_by_the_next_call(subject):
    """Work arrays may be kept between calls, results may not; nor is a result a view of an argument."""
    one, two = medium_problem(subject, seed=1), medium_problem(subject, seed=2)
    results = [r for f in subject.derivatives for n, r in one.call(f).items() if n != "saved"]
    if subject.has("Saved"):
        results += list(one.saved())
    kept = [r for r in results if isinstance(r, np.ndarray)]
    copies = [r.copy() for r in kept]
    for function in subject.derivatives:
        two.call(function)
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))
    arrays = [*kept, *(v for v in one.arrays.values() if isinstance(v, np.ndarray))]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


class Subclass(np.ndarray):
    """An array that is not quite NumPy's own, as a memory map is."""


@over(lambda s: s.does.takes_subclasses)
def test_arrays_of_a_subclass(subject):
    """Any subclass that is an array like others: what is computed of it is the same, and plain."""
    for at in range(len(medium(subject))):
        problem = medium_problem(subject, at)
        plain = {n: v for n, v in problem.arrays.items() if isinstance(v, np.ndarray)}
        kinds = {n: v.view(Subclass) for n, v in plain.items()}
        for function in subject.functions:
            keywords = problem.keywords(function)
            other = {n: kinds.get(n, v) for n, v in keywords.items()}
            if "saved" in keywords:
                fields = [v.view(Subclass) if isinstance(v, np.ndarray) else v for v in keywords["saved"]]
                other["saved"] = type(keywords["saved"])(*fields)
            call = getattr(subject.kernels, function)
            want, got = arrays_of(call(**keywords)), arrays_of(call(**other))
            assert len(got) == len(want) > 0 or not subject.output.axes, function
            for a, b in zip(got, want, strict=True):
                assert type(a) is np.ndarray, f"{function}: {type(a)}"
                assert np.array_equal(a, b), function


@over(lambda s: s.does.in_host_memory and s.does.importable)  # which takes tiles as large as its own cache
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_value_far_out_takes_no_more_room(subject, place):
    """Of very many, wherever it stands: the statistics of all are not computed again for the sake of one."""
    if subject.layout not in LARGE:
        pytest.skip("it takes no statistics")
    problem = Problem(subject, LARGE[subject.layout], margin=-1).astype(np.float32)
    at = tuple(0 if place == "first" else n - 1 for n in problem.shapes.program_shape(subject.role("data")[0]))
    for q in subject.role("mask"):
        problem = spoiled(problem, q.name, at, 1)
    far = spoiled(problem, subject.role("data")[0].name, at, 1e3)
    assert peak(far) <= 1.02 * peak(problem)


def peak(problem):
    """The most memory that forward had taken at a time."""
    problem.call("forward")
    tracemalloc.start()
    problem.call("forward")
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken
