"""`out=`: the same values without allocating, into x or dy itself if wanted."""

from itertools import product

import numpy as np

from .cases import LAYOUTS, lay
from .forms import medium
from .problems import DTYPES, medium_problem
from .subjects import over
from .test_memory import same

WRITABLE = [layout for layout in LAYOUTS if layout not in ("broadcast", "readonly")]


def takers(subject):
    """The functions that take `out`."""
    return [f for f in subject.derivatives if "out" in subject.parameters(f)]


def first(problem, function, got):
    return got[problem.subject.results(function)[0]]


def replaceable(subject, function):
    """The arguments that the first result may replace, where it has their shape: the first data, and y's gradient."""
    names = (subject.role("data")[0].name, f"d{subject.output.name}")
    return [n for n in subject.arguments(function) if n in names and subject.of(n).axes]


def inputs(problem, function):
    """The arrays of a call that its first result may replace: those of the same shape and dtype."""
    result = first(problem, function, problem.call(function))
    names = replaceable(problem.subject, function)
    fits = lambda a: isinstance(a, np.ndarray) and (a.shape, a.dtype) == (result.shape, result.dtype)  # noqa: E731
    return [n for n in names if fits(problem.arrays[n])]


def several(subject):
    """The functions whose `out` is a tuple: all but forward that have more than one result."""
    return [f for f in takers(subject) if f != "forward" and len(subject.results(f)) > 1]


def of_both(subject):
    """The functions that take both x and y's gradient."""
    return [f for f in takers(subject) if len(replaceable(subject, f)) == 2]


INTO_AN_INPUT = over(lambda s: any(replaceable(s, f) for f in takers(s)))
SEVERAL = over(several)


def assert_same(what, got, want):
    wrong = [n for n in want if n != "saved" and not same(got[n], want[n])]
    assert not wrong, f"{what}: {wrong}"


def each(subject):
    for dtype in DTYPES[::-1]:
        for at in range(len(medium(subject))):
            yield medium_problem(subject, at).astype(dtype)


def test_result_goes_to_out(subject):
    for problem, layout in product(each(subject), WRITABLE):
        for function in takers(subject):
            want = problem.call(function)
            result = first(problem, function, want)
            copies = {n: np.copy(v) for n, v in problem.arrays.items()}
            out = lay(np.full_like(result, 7), layout, problem.options.get("channel_axis", 0))
            got = problem.call(function, out=out)
            what = f"{function}, {layout}, {problem.dtype}"
            assert first(problem, function, got) is out, what
            assert_same(what, got, want)
            assert all(np.array_equal(problem.arrays[n], v) for n, v in copies.items()), what


@INTO_AN_INPUT
def test_out_is_x_or_dy_itself(subject):
    for problem, layout in product(each(subject), WRITABLE):
        for function in takers(subject):
            for name in inputs(problem, function):
                given = lay(problem.arrays[name], layout, problem.options.get("channel_axis", 0))
                other = problem.replace(**{name: given})
                keywords = other.keywords(function)
                want = other.named(function, getattr(subject.kernels, function)(**keywords))
                got = other.named(function, getattr(subject.kernels, function)(**keywords | {"out": given}))
                what = f"{function} into {name}, {layout}, {problem.dtype}"
                assert first(other, function, got) is given, what
                assert_same(what, got, want)


@INTO_AN_INPUT
def test_out_is_what_an_input_is_a_read_only_view_of(subject):
    for problem in each(subject):
        for function in takers(subject):
            for name in inputs(problem, function):
                given = problem.arrays[name].copy()
                view = given.view()
                view.flags.writeable = False
                other = problem.replace(**{name: view})
                want = other.named(function, getattr(subject.kernels, function)(**other.keywords(function)))
                keywords = other.keywords(function) | {name: view, "out": given}
                got = other.named(function, getattr(subject.kernels, function)(**keywords))
                assert_same(f"{function} into {name}", got, want)


@over(of_both)
def test_out_is_both_dy_and_x(subject):
    """dy and x may be one array, and the result may go there too."""
    for problem in each(subject):
        for function in (f for f in of_both(subject) if len(inputs(problem, f)) == 2):
            x, dy = inputs(problem, function)[::-1]
            one = problem.replace(**{dy: problem.arrays[x].copy()})
            keywords = one.keywords(function) | {x: one.arrays[dy]}
            want = one.named(function, getattr(subject.kernels, function)(**keywords))
            got = one.named(function, getattr(subject.kernels, function)(**keywords | {"out": one.arrays[dy]}))
            assert_same(function, got, want)


@SEVERAL
def test_tuple_of_outs(subject):
    """A None in the tuple is allocated: every gradient is returned."""
    for problem in each(subject):
        for function in several(subject):
            want = list(problem.call(function).values())
            for given in [{k} for k in range(len(want))] + [set(), set(range(len(want)))]:
                fresh = [np.full([2 * n for n in w.shape], 7, w.dtype)[(slice(None, None, 2),) * w.ndim] for w in want]
                got = problem.call(function, out=tuple(v if k in given else None for k, v in enumerate(fresh)))
                for k, (g, w) in enumerate(zip(got.values(), want, strict=True)):
                    assert (g is fresh[k]) == (k in given), f"{function}: {k}"
                    assert same(g, w), f"{function}: {k} of {given}"


@over(lambda s: s.optional)
def test_tuple_of_outs_without_parameters(subject):
    problem = medium_problem(subject).replace(**{q.name: None for q in subject.optional})
    for function in (f for f in takers(subject) if "backward" in f):
        want = problem.call(function)
        out = tuple(None if w is None else np.empty_like(w) for w in want.values())
        got = problem.call(function, out=out)
        assert all(g is o for g, o in zip(got.values(), out, strict=True)), function
        assert_same(function, got, want)


@INTO_AN_INPUT
def test_neighbouring_halves_of_one_array_do_not_overlap(subject):
    """They interleave in memory, yet share no element: writing a column block beside the input is common."""
    problem = medium_problem(subject)
    for function in takers(subject):
        for name in inputs(problem, function):
            value = problem.arrays[name]
            n = value.shape[1]
            for half, other in ((np.s_[:, :n], np.s_[:, n:]), (np.s_[:, ::2], np.s_[:, 1::2])):
                base = np.zeros((len(value), 2 * n, *value.shape[2:]))
                base[half] = value
                replaced = problem.replace(**{name: base[half]})
                want = replaced.call(function)
                assert_same(function, replaced.call(function, out=base[other]), want)
                assert np.array_equal(base[half], value)
