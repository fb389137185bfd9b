"""The same bits run after run, and from two threads at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from .cases import make
from .forms import form, shorter
from .problems import DTYPES, Problem, medium_problem
from .subjects import over

LARGE = {
    "channels": form("channels", (64, 24, 8, 8), 1),
    "trailing": form("trailing", (300, 400), 1),
    "groups": form("groups", (16, 24, 16, 16), 4),
    "instance": form("instance", (16, 24, 16, 16)),
    "arrays": form("arrays", (120, 100, 80)),
    "elementwise": form("elementwise", (300, 400)),
}


def large_problem(subject, **options):
    return Problem(subject, shorter(LARGE[subject.layout], subject), margin=-1, **options)


def everything(problem):
    """The bytes of all that every function returns."""
    results = [r for f in problem.subject.derivatives for n, r in problem.call(f).items() if n != "saved"]
    if problem.subject.has("Saved"):
        results += list(problem.call("forward")["saved"])
    return [np.asarray(r).tobytes() for r in results]


def test_same_bits_twice(subject):
    for dtype in DTYPES:
        problem, other = large_problem(subject).astype(dtype), medium_problem(subject).astype(dtype)
        bits = everything(problem)
        everything(other)  # another call in between, should anything be kept
        again = everything(
            problem.replace(**{n: v.copy() for n, v in problem.arrays.items() if isinstance(v, np.ndarray)})
        )
        assert again == bits, np.dtype(dtype)


def test_two_threads_at_once(subject):
    """The same shape with other numbers, and another shape: kept work arrays that were shared would mix them."""
    problems = [large_problem(subject, seed=s).astype(np.float32) for s in range(2)] + [medium_problem(subject)]
    alone = [everything(p) for p in problems]
    start = Barrier(2)

    def many(i):
        start.wait(timeout=30)
        return [(k, everything(problems[k])) for k in ([i, 2] if i else [2, i])]

    with ThreadPoolExecutor(2) as pool:
        for results in pool.map(many, range(2)):
            assert all(bits == alone[k] for k, bits in results)


def test_two_threads_many_times(bn):
    cases = [make((60, 10), dtype=np.float32, seed=s) for s in range(2)]

    def run(case):
        y, saved = bn.forward(case.x, case.gamma, case.beta)
        return [v.tobytes() for v in (y, *saved[:3], *bn.backward(case.dy, case.x, case.gamma, saved))]

    alone = [run(case) for case in cases]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda i: run(cases[i % 2]), range(200)))
    assert all(bits == alone[i % 2] for i, bits in enumerate(together))


@over(lambda s: s.does.raises_floats)
@pytest.mark.parametrize("state", ["raise", "warn", "ignore"])
def test_no_floating_point_error_escapes(subject, state):
    """Overflow, division by zero and NaN in one call, whatever the caller does about them; settings are left alone."""
    problem = large_problem(subject).astype(np.float32)
    x = problem.arrays[subject.role("data")[0].name]
    for k, value in enumerate((np.nan, np.inf, 3e38, 1e-45, 0)):
        x[k :: max(7, len(x) // 3)] = value
    x.reshape(-1)[::11] = -3e38
    dy = problem.arrays[f"d{subject.output.name}"]
    if isinstance(dy, np.ndarray):
        dy.reshape(-1)[::13] = np.inf
    problem = problem.replace(eps=0.0) if "eps" in problem.arrays else problem
    saved = {"saved": problem.saved()} if subject.has("Saved") else {}
    settings = np.geterr(), np.getbufsize()
    for function in subject.functions:
        keywords = {k: v for k, v in (problem.keywords(function) | saved).items() if k in subject.parameters(function)}
        with np.errstate(all=state):
            held = np.geterr()
            getattr(subject.kernels.module, function)(**keywords)
            assert np.geterr() == held, function
    assert (np.geterr(), np.getbufsize()) == settings
