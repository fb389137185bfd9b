"""Claims about several norms, masks, losses and shards that are false, planted to be refused."""

import pytest
from sympy import Integer

from bnsym.calculus.chain import reverse
from bnsym.calculus.derive import derive
from bnsym.claims import batch_renorm as renorm_claims
from bnsym.claims import masked_batch_norm as masked_claims
from bnsym.claims import rms_norm as rms_claims
from bnsym.claims import shards
from bnsym.claims import softmax_cross_entropy as softmax_claims
from bnsym.claims.alike import alike, backward_of
from bnsym.claims.sharded import Sharded
from bnsym.claims.stating import Stated, composed, substituted, viewed
from bnsym.definitions import batch_renorm as renorm
from bnsym.definitions import group_norm as group
from bnsym.definitions import instance_norm as instance
from bnsym.definitions import layer_norm as layer
from bnsym.definitions import masked_batch_norm as masked
from bnsym.definitions import rms_norm as rms
from bnsym.definitions import softmax_cross_entropy as softmax
from bnsym.definitions.batch_norm import batch_norm, c, gamma, i, m, mean, x, x_hat, y
from bnsym.language import Eq, Sum, constant, data, parameter, values
from bnsym.model import Program, Quantity
from tests.test_false_claims import DERIVATION, dbeta, dx, dy, r, refused, some


def test_norms_that_differ_are_told_apart():
    layer_backward, rms_backward = backward_of(layer.layer_norm), backward_of(rms.rms_norm)
    assert all(refused(p) for p in some(alike(layer_backward, rms_backward, ("x_hat", "y", "dx"), "{output}")))
    group_backward = viewed(backward_of(group.group_norm), {group.g: (instance.c,), group.k: ()})
    assert all(
        p.holds for p in some(alike(group_backward, backward_of(instance.instance_norm), ("y", "dx"), "{output}"))
    )
    one_group = viewed(backward_of(group.group_norm), {group.g: (), group.k: (instance.c,)})
    assert all(refused(p) for p in some(alike(one_group, backward_of(instance.instance_norm), ("y", "dx"), "{output}")))
    unexchanged = viewed(layer_backward, {layer.n: (i,), layer.d: (c,)})
    assert all(refused(p) for p in some(alike(backward_of(batch_norm), unexchanged, ("x_hat", "y", "dx"), "{output}")))


def test_layer_norm_s_gradient_is_not_that_of_root_mean_square_at_mean_0():
    derivation = derive(rms.rms_norm)
    *_, last = rms_claims.centred_first(derivation)
    assert last.holds
    average, z = rms_claims.average, rms_claims.z
    centring = Program((z,), (Eq(average, Sum(z, rms.d) / rms.features), Eq(rms_claims.centred, z - average)),
                       (rms_claims.centred,))  # fmt: skip
    stated = Stated(composed(centring, derivation.backward.program, rms.x))
    other = Stated(backward_of(layer.layer_norm).replace({rms.x: z}), beside=stated)
    dx = derivation.backward.gradients[rms.x]
    assert refused(stated.equal("wrong", dx, dx, at=other))


@pytest.mark.parametrize("given", [(Integer(2), Integer(0)), (Integer(1), Integer(1)), (-Integer(1), Integer(0))])
def test_a_correction_that_is_none_is_refused(given):
    backward = substituted(backward_of(renorm.batch_renorm), {renorm.r: given[0], renorm.d: given[1]})
    assert all(refused(p) for p in some(alike(backward, backward_of(batch_norm), ("y",), "{output}")))


@pytest.mark.parametrize("power", [1, 3])
def test_a_wrong_equation_for_dsigma_is_refused(power, monkeypatch):
    right = renorm_claims.Eq

    def wrong(left, body):
        return right(
            left,
            body.xreplace({renorm_claims.sigma**-2: renorm_claims.sigma**-power}) if left.name == "dsigma" else body,
        )

    monkeypatch.setattr(renorm_claims, "Eq", wrong)
    proofs = {p.claim: p for p in renorm_claims.equations(derive(renorm.batch_renorm))}
    assert refused(proofs["backward: the paper's equation for dsigma is the chain rule's step"])


def test_what_the_mask_leaves_in_does_take_part():
    derivation = derive(masked.masked_batch_norm)
    plain = Stated(derivation.backward.program)
    for new in (masked.taken * masked.x + masked_claims.other, (1 - masked.taken) * masked.x, 2 * masked.x):
        moved = Stated(substituted(derivation.backward.program, {masked.x: new}), beside=plain)
        assert refused(plain.equal("wrong", masked.y, masked.y, at=moved))
    counted = derivation.backward.program.replace({masked.count: Quantity("counted", masked.count.axes)})
    assert all(refused(p) for p in some(alike(counted, backward_of(batch_norm), ("mean", "y", "dx"), "{output}")))


def test_the_shift_matters_where_it_is_not_added_again():
    free = softmax_claims._free(derive(softmax.softmax_cross_entropy).forward)
    kept, last = free.equations[:-1], free.equations[-1]
    forgotten = last.replace({softmax.shifted: softmax.z})
    slope = reverse(Program(free.inputs, (*kept, forgotten), free.outputs), (softmax.shift,))
    stated = Eq(softmax_claims.along, slope.gradients[softmax.shift])
    assert refused(Stated(slope.program).zero("wrong", stated))


def test_the_difference_of_p_and_t_needs_one_hot_targets():
    backward = derive(softmax.softmax_cross_entropy).backward
    dz = backward.gradients[softmax.z]
    stated = Eq(dz, softmax_claims.dloss * (softmax.p - softmax.t) / softmax.examples)
    assert refused(Stated(backward.program).holds("wrong", stated))


def wrong_merges():
    """The count forgotten in the mean, the distance of the means forgotten in M2, a count of one too few."""
    right = shards.merge

    def plain_mean(a, b):
        return a[0] + b[0], (a[1] + b[1]) / 2, right(a, b)[2]

    def no_distance(a, b):
        return *right(a, b)[:2], a[2] + b[2]

    def one_less(a, b):
        return (a[0] + b[0] - 1, *right((a[0] - 1, a[1], a[2]), b)[1:])

    return plain_mean, no_distance, one_less


@pytest.mark.parametrize("wrong", wrong_merges(), ids=lambda f: f.__name__)
def test_a_wrong_merge_is_refused(wrong, monkeypatch):
    monkeypatch.setattr(shards, "merge", wrong)
    mean_of, square_of = shards.statistics_merge(Sharded(batch_norm.program, i, shards.j))
    assert refused(mean_of) == (wrong.__name__ != "no_distance")
    assert refused(square_of) == (wrong.__name__ != "plain_mean")


def test_a_merge_that_depends_on_the_order_is_refused(monkeypatch):
    monkeypatch.setattr(shards, "merge", wrong_merges()[0])
    assert any(refused(p) for p in shards.in_any_order())


def test_a_shard_s_own_sums_are_not_enough():
    whole = Sharded(DERIVATION.backward.program, i, shards.j)
    stated, n = Stated(whole.program), shards.n
    sums = shards._sums(whole)
    own = (Eq(shards.sum_dy, Sum(dy, i)), Eq(shards.sum_dy_x_hat, Sum(dy * x_hat, i)))
    for equations, count in ((own, m + n), (sums, m), (own, m)):
        right = gamma * r * (dy - shards.sum_dy / count - x_hat * shards.sum_dy_x_hat / count)
        assert refused(stated.holds("wrong", *equations, Eq(dx, right)))
    assert refused(stated.holds("wrong", *own, Eq(dbeta, shards.sum_dy)))


def test_a_step_of_the_bias_is_seen_where_the_mean_is_not_subtracted():
    """Section 2's step changes x itself, and what a norm without a mean makes of it."""
    own, b, z = data("u", i, c), parameter("b", c), values("x", i, c)
    bias = Program((own, b), (Eq(z, own + b),), (z,))
    before = Stated(composed(bias, DERIVATION.forward, x))
    after = Stated(composed(substituted(bias, {b: b + constant("step")}), DERIVATION.forward, x), beside=before)
    assert refused(before.equal("wrong", z, z, at=after))
    assert refused(before.equal("wrong", mean, mean, at=after))
    uneven = Stated(composed(substituted(bias, {b: b + data("uneven", i, c)}), DERIVATION.forward, x), beside=before)
    assert refused(before.equal("wrong", y, y, at=uneven))
