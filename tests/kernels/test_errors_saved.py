"""A `saved` that is none, or another batch's, is refused: which exception, naming what, saying what it got."""

import copy
import pickle

import numpy as np

from bnsym.definitions import NAMES

from .forms import medium, small
from .problems import Problem, arrays_of, medium_problem
from .subjects import Subject, made, over
from .test_errors import WRONG, assert_refused
from .test_out_refused import square

SAVED = {"None": None, "a number": 3.0, "a string": "saved", "a list": [], "a tuple": (), "an array": np.zeros((3, 4))}
GIVEN_SAVED = over(lambda s: s.given_saved)


@GIVEN_SAVED
def test_saved_that_is_not_what_forward_returned(subject, problem):
    for function in subject.given_saved:
        for value in SAVED.values():
            assert_refused(problem, function, WRONG, "saved", "", saved=value)


@GIVEN_SAVED
def test_saved_of_another_batch(subject, problem):
    """What is kept of another shape of x."""
    refused = 0
    for form in (*medium(subject)[1:], small(subject)[0]):
        saved = Problem(subject, form, margin=1e-3).saved()
        if [np.shape(v) or v for v in saved] == [np.shape(v) or v for v in problem.saved()]:
            continue  # nothing tells them apart
        for function in (f for f in subject.derivatives if f in subject.given_saved):
            named = "|".join(subject.arguments(function))
            assert_refused(problem, function, ValueError, named, r"\d", saved=saved)
            refused += 1
    assert refused


@GIVEN_SAVED
def test_fields_of_saved_of_another_shape(subject):
    """Those that a function reads."""
    problem, refused = medium_problem(subject), 0
    for function in subject.given_saved:
        for field, value in problem.reads(function).items():
            for shape in ((*value.shape, 1), tuple(n + 1 for n in value.shape), tuple(n + 1 for n in value.shape[:-1])):
                bad = problem.saved()._replace(**{field: np.ones(shape, value.dtype)})
                named = "|".join([r"saved(\.\w+)?", *subject.arguments(function)])
                assert_refused(problem, function, ValueError, named, r"\d", saved=bad)
                refused += 1
    assert refused


def assert_same(problem, function, saved):
    """With this `saved` a function gives what it gives with its own."""
    call, keywords = getattr(problem.subject.kernels, function), problem.keywords(function)
    got, want = (arrays_of(call(**keywords | {"saved": s})) for s in (saved, keywords["saved"]))
    assert len(got) == len(want) > 0
    assert all(np.array_equal(a, b) for a, b in zip(got, want, strict=True)), f"{problem.subject.name}.{function}"


@GIVEN_SAVED
def test_saved_by_another_definition(subject):
    """Of the same data it is taken where it means the same, and is refused where it does not."""
    problem = square(subject)
    problem = problem.replace(**{q.name: np.zeros(problem.arrays[q.name].shape) for q in subject.role("data")[1:]})
    for name in NAMES:
        other = Subject(subject.backend, name)
        if other.has("Saved"):
            saved = on_the_same_data(square(other), problem).saved()
            for function in (f for f in subject.given_saved if f in subject.derivatives):
                try:
                    problem.call(function, saved=saved)
                except (TypeError, ValueError):
                    assert name != subject.name
                    assert_refused(problem, function, WRONG, r"saved(\.\w+)?", "", saved=saved)
                else:
                    assert_same(problem, function, saved)


def on_the_same_data(problem, like):
    """Every array that both have, and no further data."""
    data = {q.name for q in problem.subject.role("data")[1:]}
    alike = {n: v for n, v in like.arrays.items() if np.shape(v) == np.shape(problem.arrays.get(n))}
    return problem.replace(**alike, **{n: np.zeros(problem.arrays[n].shape) for n in data - set(alike)})


@GIVEN_SAVED
def test_saved_by_a_copy_of_the_module(subject):
    """Loaded twice, or pickled, it means what it meant."""
    problem = square(subject)
    module = subject.does.load_file(f"a_copy_of_{subject.backend}_{subject.name}", subject.kernels.module.__file__)
    kept = [module.forward(**problem.keywords("forward"))[-1], pickle.loads(pickle.dumps(problem.saved()))]
    for saved in (*kept, copy.deepcopy(problem.saved()), problem.saved()._replace()):
        for function in subject.given_saved:
            assert_same(problem, function, saved)


def given_count(subject):
    """The functions that read how many elements were counted. Nothing is compiled to find that out."""
    numpys = made("numpy", subject.name)
    if not numpys.given_saved or "count" not in numpys.kernels.module.Saved._fields:
        return []
    return [f for f in numpys.given_saved if "count" in medium_problem(numpys).needs(f)]


@over(given_count)
def test_count_of_saved(subject, problem):
    """One number where statistics are of equally many elements each; it may have come from a file."""
    for function in given_count(subject):
        saved = problem.saved()
        count = saved.count
        wrong = [None, "7", True, [count], object(), np.asarray(count) * 1.0, np.asarray(count) > 0]
        if isinstance(count, int):
            wrong += [float(count), np.full(5, count), np.full((1,), count)]
            for good in (np.int64(count), np.uint8(count), *[np.array(count)] * subject.does.arrays_as_numbers):
                assert_same(problem, function, saved._replace(count=good))
        else:
            wrong += [count.tolist(), int(count[0]), np.ma.array(count)]
        for bad in wrong:
            assert_refused(problem, function, TypeError, r"saved\.count", "integer", saved=saved._replace(count=bad))


@GIVEN_SAVED
def test_fields_that_are_no_arrays(subject, problem):
    refused = 0
    for function in subject.given_saved:
        for field in problem.needs(function):
            for bad in ([[1.0], [1.0, 2.0]], None, 1.0):
                saved = problem.saved()._replace(**{field: bad})
                assert_refused(problem, function, TypeError, rf"saved\.{field}", "", saved=saved)
                refused += 1
    assert refused


@over(lambda s: s.does.checks_values and s.role("mask") and any(q.role == "count" for q in s.definition.saved))
def test_saved_with_another_mask(subject):
    """One that leaves other numbers of positions: nothing of it was saved."""
    masks = [q.name for q in subject.role("mask")]
    for at in range(len(medium(subject))):
        problem = medium_problem(subject, at)
        for function in (f for f in subject.given_saved if masks[0] in subject.arguments(f)):
            for mask in (np.ones_like(problem.arrays[masks[0]]), np.ones(()), 1 - problem.arrays[masks[0]]):
                assert_refused(
                    problem, function, ValueError, r"saved\.count", rf"\b{masks[0]}\b.*\d", **{masks[0]: mask}
                )
