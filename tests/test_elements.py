"""Programs evaluated element by element, on every kind of number."""

import numpy as np
import pytest
import sympy

from bnsym.calculus.derive import derive
from bnsym.calculus.elements import DIGITS, FLOATS, SYMBOLS, evaluate
from bnsym.calculus.opaque import Whole
from bnsym.calculus.routes import written_out
from bnsym.definitions.batch_norm import batch_norm
from bnsym.language import (
    Abs,
    sign,
)
from tests.complex_step import COMPLEX
from tests.test_routes import BACKWARD, beta, c, d, eps, gamma, i, layer_norm, n, with_functions, x, y


def test_small_sizes_are_two_to_five_or_differ():
    sizes = [*written_out.small_sizes(BACKWARD.derivative.program)]
    assert [(at[i], at[c]) for at in sizes] == [(2, 1), (3, 1), (4, 1), (5, 1)]
    several = [*written_out.small_sizes(derive(layer_norm()).backward.program)]
    assert all(at[n] != at[d] for at in several)
    assert {at[n] for at in several} == {at[d] for at in several} == {1, 2, 3}


def test_one_evaluator_serves_every_kind_of_number():
    program = derive(with_functions()).backward.program
    rng, shape = np.random.default_rng(1), {i: 4, c: 3}
    inputs = {v: rng.uniform(0.5, 1.5, [shape[a] for a in v.axes]) for v in program.inputs}
    floats, long, imaginary = (evaluate(program, inputs, numbers) for numbers in (FLOATS, DIGITS, COMPLEX))
    named = {v: np.array([sympy.Symbol(f"{v}_{k}") for k in range(array.size)], object).reshape(array.shape)
             for v, array in inputs.items()}  # fmt: skip
    at = {symbol: a for v in inputs for symbol, a in zip(named[v].flat, inputs[v].flat, strict=True)}
    written = evaluate(program, named, SYMBOLS)
    for v in program.outputs:
        assert floats[v].shape == tuple(shape[a] for a in v.axes)
        for other in (long, imaginary):
            np.testing.assert_allclose(other[v].astype(complex), floats[v], rtol=1e-12)
        first = plain(written[v].flat[0]).replace(sign, sympy.sign).replace(Abs, sympy.Abs).subs(at)
        assert float(first) == pytest.approx(floats[v].flat[0], rel=1e-12)


def plain(e):
    """SymPy's own functions, powers and sums for those that stay as they stand."""
    e = e.replace(lambda f: isinstance(f, Whole), lambda f: plain(f.content))
    return e.replace(lambda f: hasattr(f, "original"), lambda f: f.original(*f.args).doit())


def test_a_complex_step_is_the_gradient():
    derivative = derive(with_functions()).backward
    rng, shape = np.random.default_rng(2), {i: 4, c: 3}
    inputs = {v: rng.uniform(-1.5, 1.5, [shape[a] for a in v.axes]) for v in derivative.program.inputs}
    inputs[eps] = 0.5
    forward = with_functions().program
    ours = evaluate(derivative.program, inputs)
    for u in (x, gamma, beta):
        step = np.zeros(inputs[u].shape, complex)
        step.flat[1] = 1e-100j
        moved = {v: a for v, a in inputs.items() if v not in derivative.seeds} | {u: inputs[u] + step}
        loss = (inputs[derivative.seeds[0]] * evaluate(forward, moved, COMPLEX)[y]).sum()
        assert loss.imag / 1e-100 == pytest.approx(ours[derivative.gradients[u]].flat[1], rel=1e-12)


def test_an_input_of_the_wrong_shape_is_refused():
    program = batch_norm.program
    good = {v: np.ones([{"i": 4, "c": 3}[a.name] for a in v.axes]) for v in program.inputs}
    with pytest.raises(ValueError, match="gamma has 2 positions along c"):
        evaluate(program, {**good, gamma_of(program): np.ones(2)})
    with pytest.raises(ValueError, match="gamma has 1 axes, its array 2"):
        evaluate(program, {**good, gamma_of(program): np.ones((3, 1))})


def gamma_of(program):
    return next(v for v in program.inputs if v.name == "gamma")
