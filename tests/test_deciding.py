"""What the normal form decides, and that it has the value that NumPy computes."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bnsym.calculus import decide
from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import factor, mul, number, renamed, scale, text, total_over
from bnsym.checks import DefinitionError
from bnsym.language import (
    Abs,
    Eq,
    Max,
    Sum,
    axes,
    constant,
    data,
    exp,
    mask,
    parameter,
    sign,
    size,
    sqrt,
    step,
    tanh,
    values,
)
from bnsym.model import Program, Term
from tests.form_values import C0, I0, value

i, j, c = axes("i j c")
x, y, w = data("x", i, c), data("y", i, c), mask("w", i, c)
gamma, eps = parameter("gamma", c), constant("eps")
total, other = values("total other", c)


def normal(expression, *along):
    evaluation = Evaluation(centring=False)
    return evaluation, evaluation.term(Term(expression, along))


def is_zero(expression, *along):
    evaluation, form = normal(expression, *along)
    return decide.is_zero(evaluation.context, form)


@pytest.mark.parametrize(
    "identity",
    [
        (x + y) ** 3 - x**3 - 3 * x**2 * y - 3 * x * y**2 - y**3,
        1 / (x + y) + 1 / (x - y) - 2 * x / (x**2 - y**2),
        sqrt(x + eps) ** 3 - (x + eps) * sqrt(x + eps),
        sqrt(4 * x + 4 * eps) - 2 * sqrt(x + eps),
        exp(x + y) * exp(-x) - exp(y),
        sympy.log(eps * (x**2 + eps)) - sympy.log(eps) - sympy.log(x**2 + eps),
        tanh(x - y) + tanh(y - x),
        Abs(x - y) - Abs(y - x),
        sign(x) ** 2 * x - x,
        Abs(x) ** 2 - x**2,
        w**2 - w,
        step(x) ** 2 - step(x),
        Max(x, y) - Max(y, x) - (x - y) * (step(x - y) + step(y - x) - 1),
    ],
    ids=str,
)
def test_identities_are_decided(identity):
    assert is_zero(identity) is True


@pytest.mark.parametrize(
    "difference",
    [
        sqrt(x + eps) - sqrt(x) - sqrt(eps),
        1 / (x + y) - 1 / x - 1 / y,
        x**2 - x,
        sqrt(x**2 + eps) - x,
        Abs(x) - x,
        sign(x) ** 2 - 1,
        tanh(x) - x,
        Abs(x / (gamma + 2)) - Abs(x) / (gamma + 2),
        sign(1 / (gamma + 2)) - 1,
        step(x / (gamma + 2)) - step(x),
        sqrt(1 / (gamma + 2) ** 2) - 1 / (gamma + 2),
        sqrt(gamma**2) - gamma,
        sqrt(gamma * x) - sqrt(gamma) * sqrt(x),
        exp(x) + exp(-x) - 2,
        sympy.pi - 3,
    ],
    ids=str,
)
def test_what_differs_is_not_zero(difference):
    assert is_zero(difference) is False


def test_a_root_under_a_sum_is_undecided():
    difference = x / sqrt(x + eps) + eps / sqrt(x + eps) - sqrt(x + eps)  # 0, though no rule under a sum says so
    assert is_zero(difference) is True
    assert is_zero(difference, i) is None


def test_what_has_no_value_has_no_normal_form():
    for nothing in (sympy.nan, sympy.zoo, sympy.oo):
        with pytest.raises(DefinitionError, match="normal form"):
            normal(nothing)


def test_a_power_of_one_factor_says_what_it_takes_for_granted():
    assert normal(sqrt(gamma * eps))[0].context.premises == {"gamma > 0": None}
    assert normal(sqrt(eps) / size(i))[0].context.premises == {}


def test_a_quantity_may_have_the_name_of_what_the_engine_makes():
    pi = parameter("pi")
    assert is_zero(pi - sympy.pi) is False
    g1 = parameter("g1", c)
    assert is_zero(g1 * (gamma + eps) - 1) is False


def test_the_text_of_a_form_is_one_line_that_names_sums_and_sizes():
    assert text(normal(x * gamma / size(i), i)[1]) == "|i|^(-1) gamma[c] S_{i1}[x[i1,c]]"
    assert text({}) == "0"
    assert text(scale(number(1), Fraction(1, 2))) == "1/2"


@st.composite
def expressions(draw, depth=3):
    """An expression, and the same as a NumPy function of (x, y, gamma, eps), each broadcast to (i, c).

    Without atoms of functions: what is decided of those, test_identities_are_decided says.
    """
    kind = draw(st.sampled_from(["leaf", "add", "mul", "power", "root"])) if depth else "leaf"
    if kind == "leaf":
        n = draw(st.integers(0, 3))
        return (x, y, gamma, eps)[n], lambda *v: v[n]
    e, f = draw(expressions(depth=depth - 1))
    if kind == "power":
        n = draw(st.sampled_from([2, 3, -1]))
        return e**n, lambda *v: f(*v) ** n
    if kind == "root":
        return sqrt(e**2 + eps), lambda *v: np.sqrt(f(*v) ** 2 + v[3])
    e2, f2 = draw(expressions(depth=depth - 1))
    return (e + e2, lambda *v: f(*v) + f2(*v)) if kind == "add" else (e * e2, lambda *v: f(*v) * f2(*v))


class Lookup(dict):
    """Arrays for atoms that the engine made: generators and functions, through their own normal forms."""

    def __init__(self, arrays, evaluation, sizes):
        super().__init__(arrays)
        self.evaluation, self.sizes = evaluation, sizes

    def __missing__(self, name):
        generator = self.evaluation.context.generators[name]
        shape = [self.sizes[axis] for axis, _ in generator.parameters]
        array = np.empty(shape)
        for at in product(*map(range, shape)):
            array[at] = 1 / value(generator.base, self, self.sizes, dict(zip(generator.parameters, at, strict=True)))
        return self.setdefault(name, array)


@settings(max_examples=80)
@given(expressions(), st.booleans(), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_a_normal_form_has_the_value_that_numpy_computes(expression, summed, m, n, seed):
    e, f = expression
    rng, sizes = np.random.default_rng(seed), {"i": m, "c": n}
    arrays = {"x": rng.uniform(0.5, 1.5, (m, n)), "y": rng.uniform(0.5, 1.5, (m, n)), "gamma": rng.uniform(0.5, 1.5, n)}
    arrays["eps"] = np.asarray(0.25)
    evaluation, form = normal(e, *[i] * summed)
    expected = np.broadcast_to(f(arrays["x"], arrays["y"], arrays["gamma"], arrays["eps"]), (m, n))
    expected = expected.sum(0) if summed else expected[0]
    lookup = Lookup(arrays, evaluation, sizes)
    for k in range(n):
        assert value(form, lookup, sizes, {I0: 0, C0: k}) == pytest.approx(expected[k])


def test_renaming_free_labels_keeps_what_is_summed_apart():
    form = total_over(mul(factor("w", (I0,)), factor("g", (C0,))), [I0])
    assert renamed(form, {C0: ("c", -3)}) == total_over(mul(factor("w", (I0,)), factor("g", (("c", -3),))), [I0])


def softmax_mean(x, y):
    """The mean of x with weights that add up to 1, exponentials of y."""
    total, mean = values("total mean", c)
    return Program((x, y), (Eq(total, Sum(exp(y), i)), Eq(mean, Sum(x * exp(y) / total, i))), (mean,))


@pytest.mark.parametrize(("x", "y"), [(a, b) for a in ("x", "e", "u", "y") for b in ("uv", "xp")])
def test_data_are_centred_at_their_mean_whatever_the_letters_of_functions(x, y):
    """exp(y) does not hold x because its name does, nor u because it holds uv."""
    x, y = data(x, i, c), data(y, i, c)
    assert [q for q, _ in Evaluation().run(softmax_mean(x, y)).centres.values()] == [x]


@pytest.mark.parametrize("function", [exp, tanh, Abs, step, sympy.log, lambda e: tanh(exp(e)), lambda e: 1 / (e + 1)])
def test_weights_that_depend_on_the_data_are_no_weights_of_a_mean(function):
    x, total, mean = data("x", i, c), *values("total mean", c)
    weight = function(x)
    equations = (Eq(total, Sum(weight, i)), Eq(mean, Sum(x * weight / total, i)))
    assert Evaluation().run(Program((x,), equations, (mean,))).centres == {}
    evaluation = Evaluation()
    form = evaluation.expression(weight)
    assert evaluation.mentions(form, x)
    assert not evaluation.mentions(form, data("e", i, c))
