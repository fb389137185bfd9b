"""A user's own norm, from a file of at most 15 lines to proved kernels, with no change to the engine."""

import numpy as np
import pytest

import bnsym
from bnsym.calculus.elements import COMPLEX, evaluate
from tests.definitions import OWN, written


@pytest.fixture(scope="module", params=sorted(OWN))
def own(request, tmp_path_factory):
    """A definition and its kernels."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNSYM_CACHE_DIR", str(folder / "cache"))
        path = written(folder, request.param)
        return bnsym.definition(path), bnsym.load(path)


def problem(made, shape=(7, 3), seed=0):
    """Random inputs by name, and a random dy: a constant one would make dx vanish."""
    rng = np.random.default_rng(seed)
    sizes = dict(zip([a.name for a in made.program.inputs[0].axes], shape, strict=True))
    values = {
        q.name: rng.standard_normal([sizes[a.name] for a in q.axes]) + 0.5
        for q in made.program.inputs
        if q.role != "constant"
    }
    return values, rng.standard_normal(shape) + 0.3


def gradients(made, kernels, values, dy):
    """dx and the parameters' gradients, by input name."""
    _, saved = kernels.forward(**values)
    arguments = [values[n] for n in kernels.backward.__annotations__ if n in values]
    found = kernels.backward(dy, *arguments, saved)
    found = found if isinstance(found, tuple) else (found,)
    return dict(zip(values, found, strict=True))


def test_at_most_fifteen_lines():
    assert all(len(text.strip().splitlines()) <= 15 for text in OWN.values())


def test_every_claim_is_proved(own):
    proofs = bnsym.prove(bnsym.derive(own[0]))
    assert len(proofs) > 8
    assert all(p.holds and p.residual == "0" for p in proofs)


def test_gradients_agree_with_central_differences(own):
    made, kernels = own
    values, dy = problem(made)
    found = gradients(made, kernels, values, dy)
    for name, value in values.items():
        numeric, h = np.empty_like(value), 1e-6
        for at in np.ndindex(value.shape):
            sides = []
            for sign in (1, -1):
                moved = {**values, name: value.copy()}
                moved[name][at] += sign * h
                sides.append(np.sum(dy * kernels.forward(**moved)[0]))
            numeric[at] = (sides[0] - sides[1]) / (2 * h)
        np.testing.assert_allclose(found[name], numeric, rtol=1e-6, atol=1e-7, err_msg=name)


def test_gradients_agree_with_a_complex_step_of_the_definition(own):
    """The definition itself is evaluated in complex128: h^2 vanishes, so the derivative is right to rounding."""
    made, kernels = own
    values, dy = problem(made, seed=1)
    found = gradients(made, kernels, values, dy)
    quantities = {q.name: q for q in made.program.inputs}
    eps = {q: q.default for q in made.program.inputs if q.role == "constant"}
    for name, value in values.items():
        numeric = np.empty_like(value)
        for at in np.ndindex(value.shape):
            moved = value.astype(complex)
            moved[at] += 1e-30j
            inputs = eps | {quantities[n]: moved if n == name else v for n, v in values.items()}
            y = evaluate(made.program, inputs, COMPLEX)[made.program.outputs[0]]
            numeric[at] = np.sum(dy * y).imag / 1e-30
        np.testing.assert_allclose(found[name], numeric, rtol=1e-10, atol=1e-11, err_msg=name)


def test_forward_agrees_with_the_definition(own):
    made, kernels = own
    values, _ = problem(made, seed=2)
    eps = {q: q.default for q in made.program.inputs if q.role == "constant"}
    inputs = eps | {q: values[q.name] for q in made.program.inputs if q.name in values}
    y = evaluate(made.program, inputs, COMPLEX)[made.program.outputs[0]]
    np.testing.assert_allclose(kernels.forward(**values)[0], y.real, rtol=1e-12, atol=1e-13)


def test_absent_parameters_are_their_neutral_numbers(own):
    made, kernels = own
    values, _ = problem(made, seed=3)
    parameters = {q.name: q for q in made.program.inputs if q.role == "parameter"}
    neutral = {n: np.full(v.shape, float(parameters[n].absent)) if n in parameters else v for n, v in values.items()}
    absent = {n: None if n in parameters else v for n, v in values.items()}
    np.testing.assert_array_equal(kernels.forward(**absent)[0], kernels.forward(**neutral)[0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_dtype(own, dtype):
    made, kernels = own
    values, dy = problem(made, (12, 4), seed=4)
    exact = gradients(made, kernels, values, dy)
    cast = {n: v.astype(dtype) for n, v in values.items()}
    found = gradients(made, kernels, cast, dy.astype(dtype))
    for name, value in found.items():
        scale = np.abs(exact[name]).max()
        np.testing.assert_allclose(value / scale, exact[name] / scale, atol=60 * np.finfo(dtype).eps, err_msg=name)
        assert value.dtype == (dtype if name == "x" else np.float64 if dtype == np.float64 else np.float32)
