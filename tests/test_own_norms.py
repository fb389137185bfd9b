"""A user's own norm, from a file of at most 15 lines to proved kernels, with no change to the engine."""

import inspect

import numpy as np
import pytest

import bnsym
from bnsym.calculus.elements import evaluate
from bnsym.model import Quantity
from tests.complex_step import COMPLEX
from tests.definitions import HEADER, ODD, OWN, written


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


SIZES = {"channels": (6, 3), "trailing": (4, 5), "groups": (2, 2, 3, 4), "instance": (3, 2, 5), "arrays": (3, 4, 5)}


class Norm:
    """A definition beside its kernels: the same numbers go through both, the definition's in complex128."""

    def __init__(self, path, kernels=None):
        self.made, self.kernels = bnsym.definition(path), kernels or bnsym.load(path)
        self.program, self.layout = self.made.program, self.made.layout
        self.axes = list(dict.fromkeys(a for q in self.program.inputs for a in q.axes))
        self.sizes = dict(zip(self.axes, SIZES[self.layout], strict=True))
        self.constants = {q: q.default for q in self.program.inputs if q.role == "constant"}
        self.output = self.program.outputs[0]
        self.by = [q for q in self.program.inputs if q.role in ("data", "parameter")]
        self.rng = np.random.default_rng(1)
        self.values = {q: self.drawn(q) for q in self.program.inputs if q.role != "constant"}
        self.dy = self.drawn(self.output)

    def drawn(self, q):
        value = self.rng.standard_normal([self.sizes[a] for a in q.axes]) + 0.4
        return (value > np.quantile(value, 0.3)) * 1.0 if q.role == "mask" else value

    def given(self, q, value):
        """As a user has it: the channels of all groups along one axis."""
        channels = self.axes[1:3]
        if self.layout != "groups" or not set(channels) <= set(q.axes):
            return value
        at = q.axes.index(channels[0])
        return value.reshape(*value.shape[:at], -1, *value.shape[at + 2 :])

    def derived(self, q, value):
        return np.asarray(value).reshape([self.sizes[a] for a in q.axes])

    def call(self, name, values, more=()):
        """A kernel by the names of its arguments."""
        function = getattr(self.kernels, name)
        known = {q.name: self.given(q, v) for q, v in values.items()} | dict(more)
        known |= {"num_groups": self.sizes[self.axes[1]]} if self.layout == "groups" else {}
        found = function(**{n: known[n] for n in inspect.signature(function).parameters if n in known})
        return found if type(found) is tuple else (found,)

    def backward(self, values, dy):
        saved = self.call("forward", values)[-1]
        found = self.call("backward", values | {self.of("d", self.output): dy}, {"saved": saved})
        return [self.derived(q, v) for q, v in zip(self.by, found, strict=True)]

    @staticmethod
    def of(prefix, q):
        """A gradient or a tangent of a quantity."""
        return Quantity(f"{prefix}{q.name}", q.axes, "gradient")

    def slope(self, directions):
        """The derivative of the definition itself along directions, by a complex step."""
        moved = {q: v + 1e-30j * directions[q] if q in directions else v for q, v in self.values.items()}
        return evaluate(self.program, self.constants | moved, COMPLEX)[self.output].imag / 1e-30

    def gradient(self, q):
        found = np.empty_like(self.values[q])
        for at in np.ndindex(found.shape):
            direction = np.zeros_like(found)
            direction[at] = 1
            found[at] = np.sum(self.dy * self.slope({q: direction}))
        return found


def check_derivatives(norm):
    """Every derivative of a definition: gradients and tangents by complex steps, the second order by differences."""
    values, y = norm.values, norm.call("forward", norm.values)[0]
    exact = evaluate(norm.program, norm.constants | values, COMPLEX)[norm.output].real
    close(norm.derived(norm.output, y), exact, 1e-10)
    for q, found in zip(norm.by, norm.backward(values, norm.dy), strict=True):
        close(found, norm.gradient(q), 1e-9)
    tangents = {q: norm.rng.standard_normal(values[q].shape) for q in norm.by}
    given = values | {norm.of("t", q): t for q, t in tangents.items()}
    close(norm.derived(norm.output, norm.call("jvp", given)[1]), norm.slope(tangents), 1e-9)
    check_second_order(norm, tangents, given)


def check_second_order(norm, tangents, given):
    tdy, h = norm.rng.standard_normal(norm.dy.shape), 1e-6

    def along(step):
        return norm.backward(norm.values | {q: norm.values[q] + step * t for q, t in tangents.items()},
                             norm.dy + step * tdy)  # fmt: skip

    pushed = [(a - b) / (2 * h) for a, b in zip(along(h), along(-h), strict=True)]
    saved = {"saved": norm.call("forward", norm.values)[-1]}
    dy, weights = {norm.of("d", norm.output): norm.dy}, [norm.rng.standard_normal(p.shape) for p in pushed]
    found = norm.call("backward_jvp", given | dy | {norm.of("td", norm.output): tdy}, saved)
    for q, value, numeric in zip(norm.by, found[1::2], pushed, strict=True):
        close(norm.derived(q, value), numeric, 1e-6)
    seeds = {norm.of("dd", q): w for q, w in zip(norm.by, weights, strict=True)}
    again = norm.call("double_backward", norm.values | dy | seeds, saved)
    names = [n.removeprefix("g_") for n in results(norm.kernels.double_backward)]
    pairs = {q.name: t for q, t in tangents.items()} | {f"d{norm.output.name}": tdy}
    ours = sum(np.sum(np.ravel(g) * np.ravel(pairs[n])) for n, g in zip(names, again, strict=True))
    theirs = sum(np.sum(w * p) for w, p in zip(weights, pushed, strict=True))
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)


def results(function):
    """The names of a function's results, as its docstring lists them."""
    lines = inspect.getdoc(function).partition("Returns:")[2].partition("Raises:")[0].splitlines()
    return [line.split(":")[0].strip() for line in lines if line.startswith("    ") and line[4] != " "]


def close(found, exact, tolerance):
    scale = max(np.abs(exact).max(), 1e-3)
    np.testing.assert_allclose(found / scale, exact / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", sorted(ODD))
def test_every_derivative_of_an_odd_norm(name, tmp_path, monkeypatch):
    """All is proved, or `load` would refuse; that it is also right, numbers say."""
    monkeypatch.setenv("BNSYM_CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "made.py"
    path.write_text(HEADER + ODD[name])
    check_derivatives(Norm(path))
