"""Claims that are false, made through the functions that prove the true ones: every one of them is refused."""

from dataclasses import replace

import pytest
from sympy import Integer, Rational

from bnsym.calculus.chain import reverse
from bnsym.calculus.derive import derive
from bnsym.calculus.homogeneity import degrees
from bnsym.calculus.population import expectation
from bnsym.claims import adjoint, general
from bnsym.claims import batch_norm as claims
from bnsym.claims.invariance import Data, shifted
from bnsym.claims.quotient import quotients
from bnsym.claims.scaling import Scale
from bnsym.claims.stating import Stated, composed, substituted
from bnsym.definitions import rms_norm as rms
from bnsym.definitions.batch_norm import batch_norm, beta, c, eps, gamma, i, m, mean, var, x, x_hat, y
from bnsym.language import Eq, Sum, axes, constant, data, parameter, sqrt, values
from bnsym.model import Equation, Program, Quantity, Size, Term

DERIVATION = derive(batch_norm)
D = DERIVATION.backward.gradients
dy, dx, dx_hat, dvar, dmean, dgamma, dbeta = (D[q] for q in (y, x, x_hat, var, mean, gamma, beta))
r = 1 / sqrt(var + eps)
total, mean_dy, mean_dy_x_hat = claims.total, claims.mean_dy, claims.mean_dy_x_hat


def refused(proof):
    return not proof.holds and proof.residual not in ("0", "undecided")


def some(proofs):
    """Proofs, of which there are any: of none all could be said."""
    found = [*proofs]
    assert found
    return found


@pytest.mark.parametrize(
    "equation",
    [
        Eq(dx_hat, dy),
        Eq(dvar, Sum(dx_hat * (x - mean), i) * r**3 / 2),
        Eq(dvar, -Sum(dx_hat * (x - mean), i) * r / 2),
        Eq(dvar, -Sum(dx_hat * (x - mean), i) / (2 * (sqrt(var) + eps) ** 3)),
        Eq(dvar, -Sum(dy * (x - mean), i) * r**3 / 2),
        Eq(dmean, Sum(dx_hat, i) * r),
        Eq(dmean, -Sum(dx_hat, i) * r + dvar),
        Eq(dx, dx_hat * r + dmean / m),
        Eq(dx, dx_hat * r + dvar * 2 * (x - mean) / m),
        Eq(dx, dx_hat * r + dvar * 2 * (x - mean) / (m - 1) + dmean / m),
        Eq(dx, dx_hat * r + dvar * (x - mean) / m + dmean / m),
        Eq(dgamma, Sum(dy * (x - mean), i)),
        Eq(dgamma, Sum(dx_hat * x_hat, i)),
        Eq(dbeta, Sum(dy, i) / m),
        Eq(dbeta, Sum(dx_hat, i)),
    ],
    ids=lambda e: f"{e.left} = {e.right}",
)
def test_a_wrong_backward_equation_is_refused(equation):
    assert refused(Stated(DERIVATION.backward.program).holds("wrong", equation))


@pytest.mark.parametrize(
    "wrong",
    [
        gamma * r * (dy - mean_dy + x_hat * mean_dy_x_hat),
        gamma * r * (dy - x_hat * mean_dy_x_hat),
        gamma * r**3 * (dy - mean_dy - x_hat * mean_dy_x_hat),
        r * (dy - mean_dy - x_hat * mean_dy_x_hat),
        gamma * r * (dy - mean_dy - x_hat * mean_dy_x_hat * m / (m - 1)),
        gamma / (sqrt(var) + eps) * (dy - mean_dy - x_hat * mean_dy_x_hat),
    ],
    ids=["sign", "term", "power", "gamma", "m", "eps"],
)
def test_a_wrong_closed_form_is_refused(wrong):
    assert refused(Stated(DERIVATION.backward.program).holds("wrong", *claims.MEANS, Eq(dx, wrong)))


def test_what_is_zero_only_at_eps_0_is_refused_otherwise():
    program = Stated(DERIVATION.backward.program)
    assert refused(program.zero("wrong", Eq(total, Sum(dx * x_hat, i))))
    assert refused(program.zero("wrong", Eq(total, Sum(dx * x, i))))
    assert refused(program.zero("wrong", Eq(total, Sum(dx * gamma, i) + dmean)))
    assert refused(program.equal("wrong", Eq(total, Sum(dx * x_hat, i)), Eq(total, gamma * eps * r**2 * dgamma)))


def test_the_first_term_of_dmean_is_not_zero():
    step = next(s for s in DERIVATION.steps if s.of == mean)
    program = Stated(DERIVATION.backward.program)
    (first,) = [p for p in step.contributions if p.consumer.left == x_hat]
    assert refused(program.zero("wrong", Equation(total, (first.term,))))


@pytest.mark.parametrize(
    ("scale", "shift", "at"),
    [(sqrt(var), mean, eps), (sqrt(var + eps), Integer(0), eps), (var, mean, Integer(0)), (Integer(1), mean, eps)],
)
def test_what_is_not_the_identity_is_refused(scale, shift, at):
    forward = substituted(DERIVATION.forward, {gamma: scale, beta: shift})
    undone = Stated(forward if at == eps else substituted(forward, {eps: at}))
    assert refused(undone.equal("wrong", y, x))


def test_scaled_weights_matter_at_a_fixed_eps():
    """And so does a power of a that is wrong, or a scale of eps."""
    k = axes("k")
    u, W, z, a = data("u", i, k), parameter("W", k, c), values("x", i, c), constant("a")
    forward = composed(Program((u, W), (Eq(z, Sum(u * W, k)),), (z,)), batch_norm.program, x)
    plain = Stated(forward)
    for new in ({W: a * W}, {W: a * W, eps: a * eps}, {W: a**2 * W, eps: a**2 * eps}, {W: W + 1}):
        assert refused(plain.equal("wrong", y, y, at=Stated(substituted(forward, new), beside=plain)))


def test_a_gradient_that_is_not_divided_by_a_is_refused():
    k = axes("k")
    u, W, z, a = data("u", i, k), parameter("W", k, c), values("x", i, c), constant("a")
    forward = composed(Program((u, W), (Eq(z, Sum(u * W, k)),), (z,)), batch_norm.program, x)
    backward = reverse(forward, (W,))
    plain = Stated(substituted(backward.program, {eps: Integer(0)}))
    scaled = Stated(substituted(backward.program, {eps: Integer(0), W: a * W}), beside=plain)
    dW = backward.gradients[W]
    assert refused(plain.equal("wrong", dW, dW, at=scaled))
    assert plain.equal("right", dW, Eq(values("s", k, c), dW / a), at=scaled).holds


def test_a_shift_after_the_normalization_is_not_dropped():
    b = parameter("b", c)
    shifted = substituted(DERIVATION.forward, {beta: beta + b})
    plain = Stated(DERIVATION.forward)
    assert refused(plain.equal("wrong", y, y, at=Stated(shifted, beside=plain)))


def wrong_definition(var_is=None, x_hat_is=None, mean_is=None):
    changed = {mean: mean_is, var: var_is, x_hat: x_hat_is}
    equations = tuple(changed.get(e.left) or e for e in batch_norm.program.equations)
    return derive(replace(batch_norm, program=replace(batch_norm.program, equations=equations)))


@pytest.mark.parametrize(
    "derivation",
    [
        wrong_definition(var_is=Eq(var, Sum((x - mean) ** 2, i) / (m - 1))),
        wrong_definition(x_hat_is=Eq(x_hat, (x - mean) / (sqrt(var) + eps))),
        wrong_definition(x_hat_is=Eq(x_hat, (x - mean) / (var + eps))),
        wrong_definition(x_hat_is=Eq(x_hat, x / sqrt(var + eps))),
        wrong_definition(mean_is=Eq(mean, Sum(x, i) / (m + 1))),
    ],
    ids=["m - 1", "eps outside", "no root", "not centred", "m + 1"],
)
def test_the_paper_s_claims_do_not_hold_of_another_definition(derivation):
    assert any(refused(proof) for proof in claims.claims(derivation))


def test_a_wrong_fold_is_refused():
    fold = DERIVATION.fold
    scale, shift = fold.outputs
    dropped = Program(fold.inputs, (fold.equation(scale), Eq(shift, beta)), fold.outputs)
    assert all(refused(proof) for proof in some(general.folding(replace(DERIVATION, fold=dropped))))


@pytest.mark.parametrize("program", ["population", "update_running"])
def test_a_biased_statistic_is_refused_by_each_method(program):
    """Left as it is, the variance of a mini-batch is too small by (m - 1)/m."""
    right = getattr(DERIVATION, program)
    count = next(q for q in right.inputs if q.name == "count")
    equations = tuple(
        Equation(
            e.left, tuple(Term(t.body.xreplace({count / (count - 1): 1, count: count + 1}), t.axes) for t in e.terms)
        )
        for e in right.equations
    )
    derivation = replace(DERIVATION, **{program: Program(right.inputs, equations, right.outputs)})
    proofs = [*general.unbiased(derivation, var)]
    assert len(proofs) == 10
    assert all(refused(proof) == proof.claim.startswith(program) for proof in proofs)


def test_of_a_statistic_whose_expectation_is_not_found_nothing_is_claimed():
    """The normal form knows no expectation over m - 1: what is averaged is then left as it is."""
    derivation = wrong_definition(var_is=Eq(var, Sum((x - mean) ** 2, i) / (m - 1)))
    assert expectation(derivation.definition, var) is None
    assert [*general.unbiased(derivation, var)] == []
    variances = derivation.population.inputs[1]
    assert derivation.population.equation(var).terms[0].body == variances / Size("batches", variances.axes[0])


def test_a_side_that_states_nothing_new_is_an_error():
    program = Stated(DERIVATION.backward.program)
    with pytest.raises(ValueError, match="nothing new"):
        program.holds("circular", Eq(dvar, Sum(dx_hat, i)), Eq(dx, dvar * x))


def test_a_power_that_sympy_would_have_to_guess_is_refused():
    """sqrt(var)^2 = var, while sqrt(var + eps)^2 is not var."""
    program, root = Stated(DERIVATION.forward), Quantity("root", (c,))
    assert program.equal("right", (Eq(root, sqrt(var)), Eq(total, root**2)), var).holds
    assert refused(program.equal("wrong", (Eq(root, (var + eps) ** Rational(1, 2)), Eq(total, root**2)), var))


def changed(derivative, name, change):
    """A derivative with one equation's terms changed."""
    equations = tuple(
        replace(e, terms=change(e.terms)) if e.left.name == name else e for e in derivative.program.equations
    )
    return replace(derivative, program=replace(derivative.program, equations=equations))


def doubled(terms):
    return tuple(Term(2 * t.body, t.axes) for t in terms)


def negated(terms):
    return tuple(Term(-t.body, t.axes) for t in terms)


def dropped_term(terms):
    return terms[1:]


WRONG = [
    (batch_norm, "jvp", "ty", doubled), (batch_norm, "jvp", "tvar", negated), (batch_norm, "backward", "dx", doubled),
    (batch_norm, "backward", "dmean", dropped_term), (batch_norm, "backward_jvp", "tdx", doubled),
    (batch_norm, "backward_jvp", "tdvar", dropped_term), (batch_norm, "double_backward", "g_x", negated),
    (batch_norm, "double_backward", "g_gamma", doubled), (batch_norm, "double_backward", "g_dy", dropped_term),
    (rms.rms_norm, "jvp", "ty", doubled), (rms.rms_norm, "backward", "dx", dropped_term),
    (rms.rms_norm, "backward_jvp", "tdx", negated), (rms.rms_norm, "double_backward", "g_x", doubled),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "program", "left", "change"), WRONG, ids=lambda v: getattr(v, "name", getattr(v, "__name__", v))
)
def test_what_is_no_transpose_is_refused(made, program, left, change):
    derivation = derive(made)
    wrong = changed(getattr(derivation, program), left, change)
    proofs = [*adjoint.claims(replace(derivation, **{program: wrong}))]
    which = "it is the transpose of " + ("backward" if program in ("jvp", "backward") else "backward_jvp")
    assert [refused(p) for p in proofs if p.claim.endswith(which)] == [True]


@pytest.mark.parametrize(
    ("program", "left"), [("backward_jvp", "tdx"), ("double_backward", "g_x"), ("double_backward", "g_gamma")]
)
def test_second_derivatives_that_are_not_symmetric_are_refused(program, left):
    wrong = replace(DERIVATION, **{program: changed(getattr(DERIVATION, program), left, doubled)})
    about = {"tdx": "g_x = tdx"}.get(left, f"{left} = ")
    (proof,) = [p for p in adjoint.claims(wrong) if p.claim.startswith(f"double_backward: {about}")]
    assert refused(proof)


def test_root_mean_square_has_no_shift_invariance():
    data = Data(derive(rms.rms_norm))
    moved = Stated(substituted(data.forward, {rms.x: rms.x + data.number("b")}), beside=data.plain)
    assert refused(data.plain.equal("wrong", rms.y, rms.y, at=moved))
    assert refused(data.backward.zero("wrong", data.total(data.derivation.backward.gradients[rms.x])))
    assert [*shifted(data)] == []


@pytest.mark.parametrize("degree", [0, 1, 3, -2])
def test_a_scale_is_seen_where_eps_does_not_go_along_as_it_must(degree):
    """With the wrong degree of eps; 0 is eps left as it is, the claim without its condition."""
    data = Data(DERIVATION)
    known = degrees(data.forward)
    scale = Scale(data, known | {eps: Integer(degree)})
    assert not degree or all(refused(p) for p in some(scale.outputs()))
    assert refused(data.plain.equal("wrong", y, y, at=Scale(data, known).kept_constants))
    assert refused(scale.along_the_data()) or degree == 0


def test_a_wrong_power_of_the_gradient_is_refused():
    data = Data(DERIVATION)
    scale = Scale(data, degrees(data.forward))
    scale.degrees = scale.degrees | {x: Integer(2)}
    found = [p for p in scale.gradients() if p.claim.startswith("backward: dx")]
    assert all(refused(p) for p in some(found))


@pytest.mark.parametrize("change", [{"degree": Integer(1)}, {"exponent": Integer(-1)}, {"constants": ()}])
def test_a_wrong_factor_is_refused(change):
    data = Data(DERIVATION)
    (right,) = quotients(DERIVATION.forward.equation(x_hat), degrees(data.forward), [eps])
    moved = Scale(data, degrees(data.forward))
    for quotient, holds in ((right, True), (replace(right, **change), False)):
        stated = Eq(values("wrong", i, c), quotient.factor(moved.a) * x_hat)
        proof = data.plain.equal("factor", x_hat, stated, at=moved.kept_constants)
        assert proof.holds if holds else refused(proof)
