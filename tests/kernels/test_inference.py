"""Inference, folding, averages and corrections of every definition that has them, against the definition's program."""

import mpmath
import numpy as np
import pytest
import sympy

from bnsym.calculus.elements import DIGITS, evaluate
from bnsym.model import quantities

from .agreement import bound, check, kept
from .digits import DPS, Exact, digits, floats
from .problems import DTYPES, medium_problem, small_problem
from .subjects import over


def needs(subject, function):
    if not subject.has(function):
        pytest.skip(f"it has no {function}")


def statistics(subject):
    return [q.name for q in subject.statistics]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_inference_agrees_with_sixty_digits(subject, at):
    """The forward program with its statistics given, and its gradients with them held."""
    needs(subject, "inference")
    problem = small_problem(subject, at, seed=at)
    truth = Exact(problem, given=statistics(subject))
    for dtype in DTYPES:
        other = problem.astype(dtype)
        check(other, "inference", other.call("inference"), truth.forward)
        check(other, "inference_backward", other.call("inference_backward"), truth.backward)


def test_inference_with_the_batch_s_own_statistics_is_forward(subject):
    needs(subject, "inference")
    fixed = {q.name: None for q in subject.role("fixed")}
    for at in (0, 1, 2, 3):
        problem = medium_problem(subject, at).replace(**fixed)
        own = {n: getattr(problem.saved(), n) for n in statistics(subject)}
        want = problem.call("forward")[subject.output.name]
        np.testing.assert_allclose(problem.call("inference", **own)[subject.output.name], want, rtol=1e-11, atol=1e-11)


def test_inference_keeps_examples_apart(subject):
    """Unlike in forward, an element's result depends on no other; nor does a NaN spread."""
    needs(subject, "inference")
    problem = medium_problem(subject)
    x, y = subject.role("data")[0].name, subject.output.name
    for mask in subject.role("mask"):
        problem = problem.replace(**{mask.name: np.ones(problem.form.shape)})
    want = problem.call("inference")[y]
    spoiled = problem.arrays[x].copy()
    spoiled[5, 1] = np.nan
    got = problem.call("inference", **{x: spoiled})[y]
    assert np.argwhere(np.isnan(got)).tolist() == [[5, 1]]
    assert np.array_equal(np.delete(got, 5, 0), np.delete(want, 5, 0))


def test_fold_is_inference(subject):
    needs(subject, "fold")
    for without in ((), ("gamma",), ("beta",), ("gamma", "beta")):
        problem = medium_problem(subject, 1).replace(**dict.fromkeys(without))
        scale, shift = subject.kernels.fold(**problem.keywords("fold"))
        shape = [-1, *[1] * (len(problem.form.shape) - 2)]
        y = scale.reshape(shape) * problem.arrays["x"] + shift.reshape(shape)
        np.testing.assert_allclose(y, problem.call("inference")["y"], rtol=1e-12, atol=1e-12, err_msg=str(without))


def unbiased(subject, q, count):
    """What a batch's statistic is multiplied with: m / (m - 1) for a mean square about the batch's own mean."""
    squares = [p.base for t in subject.program.equation(q).terms for p in t.body.atoms(sympy.Pow) if p.exp == 2]
    about = any(other.role == "statistic" for base in squares for other in quantities(base))
    return count / (count - 1) if about else np.ones_like(count)


@over(lambda s: s.averaged)
def test_population_and_running_averages(subject):
    """Unbiased, from counts m or from one count a channel: m / (m - 1) times the variance."""
    for dtype in DTYPES[1:]:
        problem = medium_problem(subject).astype(dtype)
        a = {n: np.asarray(v, np.longdouble) for n, v in problem.arrays.items() if v is not None}
        found = subject.kernels.population(**problem.keywords("population"))
        for value, (several, q) in zip(found, subject.averaged.items(), strict=True):
            want = (unbiased(subject, q, a.get("count", np.longdouble(2))) * a[several.name]).mean(0)
            bound(q.name, value, want, dtype, 20 * np.finfo(dtype).eps)
        saved, copies = problem.saved(), {q: problem.arrays[q.name].copy() for q in subject.statistics}
        m = np.asarray(saved.count, np.longdouble)
        found = subject.kernels.update_running(**problem.keywords("update_running"), momentum=0.25)
        for value, q in zip(found, subject.statistics, strict=True):
            want = 0.75 * a[q.name] + 0.25 * unbiased(subject, q, m) * getattr(saved, q.name)
            bound(f"running {q.name}", value, want, dtype, 20 * np.finfo(dtype).eps)
        assert all(np.array_equal(problem.arrays[q.name], v) for q, v in copies.items())


def test_correction_is_its_program(subject):
    """Clipped on either side, or not at all; and forward with it is the definition with running statistics."""
    needs(subject, "correction")
    program = subject.definition.correction
    for dtype in DTYPES[1:]:
        for limits in ({"r_max": 1.0, "d_max": 0.0}, {"r_max": 1.5, "d_max": 0.5}, {"r_max": 1e3, "d_max": 1e3}):
            problem = medium_problem(subject).replace(**limits).astype(dtype)
            got = subject.kernels.correction(**problem.keywords("correction"))
            with mpmath.workdps(DPS):
                values = {
                    q: digits(getattr(problem.saved(), q.name) if q.role == "statistic" else problem.arrays[q.name])
                    for q in program.inputs
                }
                found = evaluate(program, values, DIGITS)
            for value, q in zip(got, program.outputs, strict=True):
                bound(q.name, value, floats(found[q]), kept(dtype), 40 * np.finfo(dtype).eps)
    y = problem.replace(r=got[0], d=got[1]).call("forward")["y"]  # nothing was clipped: the running statistics' y
    own = problem.call("inference", mean=problem.arrays["running_mean"], var=problem.arrays["running_var"])["y"]
    np.testing.assert_allclose(y, own, rtol=1e-9, atol=1e-9)
