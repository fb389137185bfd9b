"""The normal form: its algebra, its one spelling, and the rules on it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnsym.calculus.context import Context
from bnsym.calculus.forms import add, factor, mul, number, power, subtract, total_over
from bnsym.calculus.generators import null_sum
from bnsym.calculus.monomials import DELTA, bound_labels, canonical, labels_of, merge, relabel, size_factor
from bnsym.calculus.rules import Rule
from tests.form_values import C0, I0, I1, value

AXES = {"u": ("i", "c"), "v": ("i", "c"), "w": ("i",), "g": ("c",), "p": ("i", "j"), "eps": ()}


@st.composite
def monomials(draw, names=tuple(AXES), highest=2):
    factors = []
    for name in draw(st.lists(st.sampled_from(names), max_size=4)):
        labels = tuple((axis, draw(st.integers(0, highest))) for axis in AXES[name])
        factors.append(((name, labels), draw(st.integers(1, 2))))
    return merge(factors)


@st.composite
def forms(draw):
    coefficients = st.fractions(min_value=-3, max_value=3, max_denominator=4).filter(bool)
    return add(*({m: draw(coefficients)} for m in draw(st.lists(monomials(), max_size=3))))


@st.composite
def numbers(draw):
    sizes = {axis: draw(st.integers(1, 3)) for axis in ("i", "j", "c")}
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    arrays = {name: rng.uniform(0.5, 1.5, [sizes[a] for a in along]) for name, along in AXES.items()}
    return arrays, sizes


PLACE = {I0: 0, C0: 0, ("j", 0): 0}


@given(forms(), forms())
def test_multiplication_commutes(a, b):
    assert mul(a, b) == mul(b, a)


@settings(max_examples=40)
@given(forms(), forms(), forms())
def test_multiplication_is_associative_and_distributes(a, b, c):
    assert mul(mul(a, b), c) == mul(a, mul(b, c))
    assert mul(a, add(b, c)) == add(mul(a, b), mul(a, c))


@given(monomials(highest=3), st.randoms(use_true_random=False))
def test_names_of_bound_labels_do_not_matter(monomial, random):
    for axis in {axis for axis, _ in bound_labels(monomial)}:
        own = sorted(b for b in bound_labels(monomial) if b[0] == axis)
        others = [(axis, n) for n in random.sample(range(1, 9), len(own))]
        monomial_renamed = relabel(monomial, dict(zip(own, others, strict=True)))
        shuffled = random.sample(monomial_renamed, len(monomial_renamed))
        assert canonical(shuffled) == canonical(monomial)


@settings(max_examples=60)
@given(forms(), forms(), numbers())
def test_products_and_sums_have_the_value_of_products_and_sums(a, b, given_numbers):
    at = (*given_numbers, PLACE)
    assert value(mul(a, b), *at) == pytest.approx(value(a, *at) * value(b, *at))
    assert value(subtract(a, b), *at) == pytest.approx(value(a, *at) - value(b, *at), abs=1e-9)


@settings(max_examples=60)
@given(forms(), numbers())
def test_a_total_has_the_value_of_the_sum(form, given_numbers):
    arrays, sizes = given_numbers
    summed = value(total_over(form, [I0]), arrays, sizes, PLACE)
    assert summed == pytest.approx(sum(value(form, arrays, sizes, PLACE | {I0: n}) for n in range(sizes["i"])))


@settings(max_examples=60)
@given(monomials(names=("u", "w", "g")), numbers(), st.sampled_from([(I0, I1), (I1, I0)]))
def test_a_collapsed_delta_has_the_value_of_the_sum(monomial, given_numbers, labels):
    arrays, sizes = given_numbers
    form = mul({monomial: Fraction(1)}, factor(DELTA, labels))
    collapsed = total_over(form, [I0])
    assert not any(name == DELTA for m in collapsed for (name, _), _ in m)
    for place in range(sizes["i"]):
        expected = sum(value(form, arrays, sizes, PLACE | {I0: n, I1: place}) for n in range(sizes["i"]))
        assert value(collapsed, arrays, sizes, PLACE | {I1: place}) == pytest.approx(expected)


def test_deltas_collapse():
    delta, at_0, at_1 = factor(DELTA, (I1, I0)), factor("w", (I0,)), factor("w", (I1,))
    assert total_over(mul(delta, at_0), [I0]) == at_1
    assert total_over(delta, [I0]) == number(1)
    assert total_over(total_over(delta, [I0]), [I1]) == factor(*size_factor("i"))
    assert total_over(mul(delta, mul(at_0, at_1)), [I0, I1]) == total_over(power(at_0, 2), [I0])


def test_a_delta_between_places_that_are_not_summed_stays():
    delta = factor(DELTA, (I1, I0))
    assert total_over(mul(delta, factor("g", (C0,))), [C0]) == mul(delta, total_over(factor("g", (C0,)), [C0]))


def test_a_sum_of_what_does_not_vary_is_a_size():
    assert total_over(number(1), [I0]) == factor(*size_factor("i"))


def test_coupled_sums_are_told_apart():
    """S_ij p_ij p_ij is not S_ij p_ij p_ji, though both have two labels and two factors."""
    i, k = ("i", 1), ("i", 2)
    once = merge([(("q", (i, k)), 1), (("q", (i, k)), 1)])
    crossed = merge([(("q", (i, k)), 1), (("q", (k, i)), 1)])
    assert once != crossed
    assert labels_of(crossed) == {i, k}


CENTRED = factor("c", (I0, C0))


@pytest.fixture
def context():
    return Context(rules=(null_sum("centre", (), ("c", (I0, C0)), [I0]),))


def test_a_rule_fires_on_the_sum_it_is_about(context):
    alone = total_over(CENTRED, [I0])
    assert context.reduce(alone) == {}
    assert context.reduce(mul(alone, factor("g", (C0,)))) == {}
    assert context.reduce(mul(alone, total_over(factor("w", (I0,)), [I0]))) == {}
    assert context.reduce(total_over(alone, [C0])) == {}
    assert list(context.cited) == ["centre"]


def test_what_is_settled_is_settled_by_these_rules_alone():
    """Not by others that lay at the same place in memory."""
    context, alone = Context(), total_over(CENTRED, [I0])
    patterns = {name: null_sum("centre", (), (name, (I0, C0)), [I0]).pattern for name in "cd"}
    for name in "dc" * 20:
        context.rules = ()
        context.rules = (Rule("centre", patterns[name], ()),)
        assert context.reduce(alone) == ({} if name == "c" else alone)


def test_further_rules_are_for_one_form_alone():
    context, alone = Context(), total_over(CENTRED, [I0])
    further = [null_sum("centre", (), ("c", (I0, C0)), [I0])]
    assert [context.reduce(alone), context.reduce_with(further, alone), context.reduce(alone)] == [alone, {}, alone]


@pytest.mark.parametrize("touching", [factor("w", (I0,)), CENTRED, factor("u", (I0, C0)), factor("c", (I0, ("c", -1)))])
def test_a_rule_does_not_fire_where_another_factor_touches_the_index(context, touching):
    form = total_over(mul(CENTRED, touching), [I0])
    assert context.reduce(form) == form
    assert not context.cited
