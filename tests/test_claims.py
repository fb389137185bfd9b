"""What is claimed of each definition, and proved: transposes, symmetry, invariances, what norms are to each other."""

import time
from dataclasses import replace

import pytest
import sympy

from bnsym import claims
from bnsym.calculus.chain import reverse
from bnsym.calculus.derive import derive
from bnsym.calculus.homogeneity import degrees
from bnsym.claims import adjoint
from bnsym.claims.alike import alike
from bnsym.claims.general import invariances
from bnsym.claims.hidden import Hidden
from bnsym.claims.sharded import Sharded
from bnsym.claims.stating import Stated, listed, substituted, viewed
from bnsym.definitions import NAMES, definition
from bnsym.definitions.batch_norm import batch_norm, c, eps, i, m, mean, var, x
from bnsym.language import axes
from bnsym.model import Equation, Program, Size, Term
from tests.definitions import OWN, written

PROVED: dict[str, tuple] = {}


def proved(name):
    """The claims of a definition, made once."""
    if name not in PROVED:
        PROVED[name] = tuple(claims.of(derive(definition(name))))
    return PROVED[name]


def texts(proofs):
    return [p.claim for p in proofs]


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_is_proved_and_made_once(name):
    proofs = proved(name)
    assert [(p.claim, p.residual) for p in proofs if not p.holds or p.residual != "0"] == []
    assert len({(p.claim, p.method) for p in proofs}) == len(proofs)


@pytest.mark.parametrize("name", NAMES)
def test_every_definition_has_transposes_and_symmetric_second_derivatives(name):
    made = derive(definition(name))
    found = texts(proved(name))
    (first,) = [t for t in found if t.endswith("it is the transpose of backward")]
    (second,) = [t for t in found if t.endswith("it is the transpose of backward_jvp")]
    assert all(f"sum({made.backward.gradients[u]} t{u})" in first for u in made.backward.wrt)
    assert all(f"sum({made.double_backward.gradients[u]} t{u})" in second for u in made.double_backward.wrt)
    symmetric = [t for t in found if t.endswith("second derivatives are symmetric")]
    assert len(symmetric) == len(made.backward.wrt)


def test_the_text_of_a_transpose_says_what_is_summed():
    assert texts(proved("batch_norm"))[:5] == [
        "jvp: sum(dy ty) = sum(dx tx) + sum(dgamma tgamma) + sum(dbeta tbeta): it is the transpose of backward",
        "double_backward: sum(ddx tdx) + sum(ddgamma tdgamma) + sum(ddbeta tdbeta)"
        " = sum(g_dy tdy) + sum(g_x tx) + sum(g_gamma tgamma): it is the transpose of backward_jvp",
        "double_backward: g_x = tdx, for ddx = tx, ddgamma = tgamma, ddbeta = tbeta and tdy = 0:"
        " second derivatives are symmetric",
        "double_backward: g_gamma = tdgamma, for ddx = tx, ddgamma = tgamma, ddbeta = tbeta and tdy = 0:"
        " second derivatives are symmetric",
        "double_backward: tdbeta = 0, for tdy = 0: second derivatives are symmetric",
    ]


@pytest.mark.parametrize("name", sorted(OWN))
def test_claims_of_the_user_s_own_are_proved(name, tmp_path):
    assert all(p.holds for p in claims.of(derive(definition(written(tmp_path, name)))))


TEXTS = {
    "batch_norm": [
        "u + (b + db) - E[u + (b + db)] = u + b - E[u + b], for any step db",
        "BN(u + (b + db)) = BN(u + b), and so the loss, for any step db",
        "shards: the merged mean of the shards' count, mean and M2 is the mini-batch's",
        "shards: the M2 merged as (1 2) 3 is 1 (2 3)",
        "shards: dx takes no more of the other shard than both sums",
        "backward: the sum of dx over i is 0",
    ],
    "layer_norm": [
        "forward: x_hat is batch norm's with examples and features exchanged",
        "backward: dx is batch norm's with examples and features exchanged, for gamma = 1",
        "d LN((aW)u)/d(aW) = (1/a) d LN(Wu)/dW, for a > 0, with eps scaled by a^2",
    ],
    "rms_norm": [
        "forward: x_hat(x - mean(x)) is layer norm's x_hat(x)",
        "backward: dx at x - mean(x) less r mean(dy gamma) is layer norm's dx at x, r = 1 / sqrt(mean_square + eps)",
        "forward: RMS(a x) = a RMS(x) for a > 0, RMS(x) = sqrt(mean_square)",
        "RMSNorm((aW)u) = RMSNorm(Wu), for a > 0, at eps = 0",
    ],
    "group_norm": [
        "forward: with one group x_hat is layer norm's over channels and locations",
        "forward: with one channel in each group y is instance norm's",
        "backward: with one channel in each group dgamma is instance norm's",
    ],
    "batch_renorm": [
        "forward: with r and d before clipping, x_hat is inference's",
        "correction: r is 1 before clipping where the running statistics are the batch's",
        "backward: the paper's equation for dsigma is the chain rule's step",
        "backward: dx is batch norm's for r = 1, d = 0",
    ],
    "masked_batch_norm": [
        "forward: y does not depend on x where the mask is 0",
        "backward: dgamma does not depend on x and dy where the mask is 0",
        "backward: dx is batch norm's for a mask of ones",
    ],
    "softmax_cross_entropy": [
        "forward: the derivative of loss by shift is 0: it is the same for any shift",
        "backward: dz is the same for any shift",
        "backward: dz = dloss (p - t) / examples",
    ],
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, several in TEXTS.items() for t in several])
def test_the_claim_is_among_them(name, text):
    assert text in texts(proved(name))


def test_premises_are_cited_where_they_are_needed_alone():
    cited = {p.claim: p.premises for n in NAMES for p in proved(n) if p.premises}
    assert set(cited.values()) == {("premise Sum(t, k) = 1",)}
    assert all(claim.startswith("backward: ") and "dz" in claim for claim in cited)


def test_claims_are_cheap():
    derivations = [derive(definition(name)) for name in NAMES]
    start = time.process_time()
    for derivation in derivations:
        list(adjoint.claims(derivation))
        list(invariances(derivation))
    assert time.process_time() - start < 6


def test_what_is_proved_with_functions_hidden_is_proved_with_them_written_out():
    for name in ("batch_norm_relu", "silu", "add_rms_norm"):
        derivation = derive(definition(name))
        written_out = [*adjoint.Maps(derivation, short=False).claims()]
        assert all(p.holds for p in written_out)
        assert texts(written_out) == texts(adjoint.claims(derivation))


def test_a_function_of_one_quantity_is_hidden_once():
    x, z = batch_norm.program.inputs[0], sympy.Symbol("z")
    hidden = Hidden()
    first = hidden._of(2 * z * x * sympy.tanh(x))
    second = hidden._of(z + x * sympy.tanh(x))
    assert len(hidden.known) == 1
    (symbol,) = hidden.known.values()
    assert (first, second) == (2 * z * symbol, z + symbol)
    assert hidden._of(z * x**2) == z * x**2


def test_degrees():
    found = {q.name: d for q, d in degrees(batch_norm.program).items() if d}
    assert found == {"x": 1, "mean": 1, "var": 2, "eps": 2}
    assert degrees(definition("relu").program) is None
    assert degrees(definition("softmax_cross_entropy").program) is None


def test_what_is_computed_twice_has_one_degree():
    twice = Equation(var, (Term((x - mean) ** 2 / m, (i,)), Term(eps)))
    other = Equation(var, (Term((x - mean) / m, (i,)),))
    program = batch_norm.program
    assert degrees(replace(program, equations=(*program.equations, twice))) == degrees(program)
    assert degrees(replace(program, equations=(*program.equations, other))) is None


def test_a_view_puts_several_axes_in_the_place_of_one():
    k, s = axes("k s")
    seen = viewed(batch_norm.program, {i: (k, s), c: ()})
    mean, *_ = seen.equations
    assert [a.name for a in mean.terms[0].axes] == ["k", "s"]
    assert mean.left.axes == ()
    assert {q.name for q in mean.terms[0].body.atoms(Size)} == {"size_k", "size_s"}
    assert seen.inputs[0].axes == (k, s)
    assert viewed(batch_norm.program, {}).equations == batch_norm.program.equations


def test_two_shards_of_a_program_are_the_program():
    """An empty second shard leaves it as it is: its sums are nothing, its size is 0."""
    j = axes("j")
    whole = Sharded(batch_norm.program, i, j)
    assert [q.name for q in whole.program.inputs] == ["x", "x_2", "gamma", "beta", "eps"]
    assert [q.name for q in whole.program.outputs] == ["y", "y_2"]
    without = tuple(e for e in whole.program.equations if j not in e.left.axes)
    kept = [e.replace({Size("size_j", j): sympy.Integer(0)}) for e in without]
    terms = [tuple(t for t in e.terms if j not in t.axes) for e in kept]
    assert terms == [e.terms for e in batch_norm.program.equations]


def test_alike_compares_by_name():
    backward = reverse(batch_norm.program, batch_norm.program.inputs[:3]).program
    assert [p.claim for p in alike(backward, backward, ("dx", "y"), "{output} is itself")] == [
        "dx is itself",
        "y is itself",
    ]


def test_a_list_in_words():
    assert [listed(n) for n in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_substituting_keeps_the_rest():
    x, gamma, beta, eps = batch_norm.program.inputs
    new = substituted(batch_norm.program, {gamma: sympy.Integer(1)})
    assert new.inputs == (x, beta, eps)
    assert isinstance(new, Program)
    assert Stated(new).evaluation.forms
    assert m.axis == i
