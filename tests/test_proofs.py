"""What is proved of batch normalization, and that two programs are compared for what they compute."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from sympy import Rational

from bnsym.calculus.derive import derive
from bnsym.calculus.equality import same_outputs
from bnsym.calculus.evaluate import Evaluation
from bnsym.definitions.batch_norm import batch_norm, c, eps, gamma, i, m, mean, var, x, x_hat, y
from bnsym.language import Definition, Eq, Max, Sum, data, sqrt, statistics, stop_gradient, values
from bnsym.model import Program, Quantity
from bnsym.proofs import prove

DERIVATION = derive(batch_norm)
PROOFS = prove(DERIVATION)

CLAIMS = [
    "backward: dx is the derivative with respect to x",
    "backward: dgamma is the derivative with respect to gamma",
    "backward: dbeta is the derivative with respect to beta",
    "inference_backward: dx is the derivative with respect to x",
    "fold: scale x + shift is inference's y",
    "population: the expectation of var is sigma2",
    "update_running: the expectation of what var moves towards is sigma2",
    "y = x for gamma = sqrt(var + eps), beta = mean",
    "y = x for gamma = sqrt(var), beta = mean, at eps = 0",
    "backward: the paper's equation 1, for dx_hat, is the chain rule's step",
    "backward: the paper's equation 2, for dvar, is the chain rule's step",
    "backward: the paper's equation 3, for dmean, is the chain rule's step",
    "backward: the paper's equation 4, for dx, is the chain rule's step",
    "backward: the paper's equation 5, for dgamma, is the chain rule's step",
    "backward: the paper's equation 6, for dbeta, is the chain rule's step",
    "backward: dx = gamma r (dy - mean(dy) - x_hat mean(dy x_hat)), r = 1 / sqrt(var + eps)",
    "backward: the second term of dmean, through var, is identically 0",
    "backward: the sum of dx over i is 0",
    "backward: the sum of dx x_hat is gamma r eps r^2 times the sum of dy x_hat: 0 only at eps = 0",
    "backward: the sum of dx x_hat is 0, at eps = 0",
    "BN(Wu + b) = BN(Wu)",
    "BN((aW)u) = BN(Wu), for a > 0, at eps = 0",
    "d BN((aW)u)/du = d BN(Wu)/du, for a > 0, at eps = 0",
    "d BN((aW)u)/d(aW) = (1/a) d BN(Wu)/dW, for a > 0, with eps scaled by a^2",
]


def test_everything_that_is_claimed_of_batch_norm_is_proved():
    assert [(proof.claim, proof.residual) for proof in PROOFS if not proof.holds or proof.residual != "0"] == []


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_claim_is_among_them(claim):
    assert claim in {proof.claim for proof in PROOFS}


def test_each_gradient_is_proved_for_symbolic_sizes_and_for_two_to_five_examples():
    methods = [proof.method for proof in PROOFS if proof.claim == CLAIMS[0]]
    assert methods == ["SymPy's total derivative, symbolic sizes", *(f"written out, m = {n}" for n in (2, 3, 4, 5))]


def test_no_claim_is_made_twice_and_none_needs_a_premise():
    assert len({(proof.claim, proof.method) for proof in PROOFS}) == len(PROOFS)
    assert all(proof.premises == () for proof in PROOFS)


def test_proving_is_quick():
    assert sum(proof.seconds for proof in PROOFS) < 5


def test_the_paper_is_asked_about_its_own_definition_only():
    """A definition that a user calls batch_norm is not the paper's: what the paper claims is not claimed of it."""
    eps_outside = batch_norm.program.replace({1 / sqrt(var + eps): 1 / (sqrt(var) + eps)})
    claims = [proof.claim for proof in prove(derive(replace(batch_norm, program=eps_outside)))]
    assert claims
    assert not [claim for claim in claims if "paper" in claim]
    copied = prove(derive(replace(batch_norm, file="elsewhere.py")))
    assert [proof.claim for proof in copied] == [proof.claim for proof in PROOFS]


def test_proofs_do_not_depend_on_the_hash_seed():
    code = (
        "from bnsym.calculus.derive import derive\nfrom bnsym.proofs import prove\n"
        "from bnsym.definitions.batch_norm import batch_norm\n"
        "for p in prove(derive(batch_norm)): print(p.claim, p.method, p.holds, p.residual, p.premises)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


inv_std, mean_dy, mean_dy_x_hat = statistics("inv_std mean_dy mean_dy_x_hat", c)
dy, dx = (Quantity(name, (i, c), "gradient") for name in ("dy", "dx"))
GIVEN = {mean: mean, inv_std: (var + eps) ** Rational(-1, 2)}


def kernel(dx_is):
    """What a careful engineer would write for dx, from what forward saved."""
    equations = (
        Eq(x_hat, (x - mean) * inv_std),
        Eq(mean_dy, Sum(dy, i) / m),
        Eq(mean_dy_x_hat, Sum(dy * x_hat, i) / m),
        Eq(dx, dx_is),
    )
    return Program((dy, x, gamma, mean, inv_std), equations, (dx,))


def reference():
    return DERIVATION.backward.program.needed((dx,))


def test_a_kernel_that_computes_the_gradient_is_proved():
    (proof,) = same_outputs(reference(), kernel(gamma * inv_std * (dy - mean_dy - x_hat * mean_dy_x_hat)), GIVEN)
    assert (proof.holds, proof.residual) == (True, "0")
    assert proof.claim == "dx is what the chain rule's program computes"


@pytest.mark.parametrize(
    "wrong",
    [
        gamma * inv_std * (dy - mean_dy + x_hat * mean_dy_x_hat),
        gamma * inv_std * (dy - x_hat * mean_dy_x_hat),
        gamma * inv_std**3 * (dy - mean_dy - x_hat * mean_dy_x_hat),
        inv_std * (dy - mean_dy - x_hat * mean_dy_x_hat),
        gamma * inv_std * (dy - mean_dy * m / (m - 1) - x_hat * mean_dy_x_hat),
    ],
    ids=["sign", "term", "power", "gamma", "m"],
)
def test_a_kernel_that_does_not_is_refused(wrong):
    (proof,) = same_outputs(reference(), kernel(wrong), GIVEN)
    assert not proof.holds
    assert proof.residual not in ("0", "undecided")


def test_what_saved_quantities_stand_for_matters():
    right = kernel(gamma * inv_std * (dy - mean_dy - x_hat * mean_dy_x_hat))
    for wrong in ({mean: 2 * mean}, {inv_std: (var + eps) ** Rational(-3, 2)}, {inv_std: var ** Rational(-1, 2)}):
        assert not same_outputs(reference(), right, GIVEN | wrong)[0].holds


@pytest.mark.parametrize("missing", [mean, inv_std])
def test_a_name_alone_does_not_say_what_an_input_is(missing):
    right = kernel(gamma * inv_std * (dy - mean_dy - x_hat * mean_dy_x_hat))
    with pytest.raises(ValueError, match=f"{missing} is no input of the reference"):
        same_outputs(reference(), right, {q: e for q, e in GIVEN.items() if q != missing})


def test_what_a_program_computes_cannot_be_given_to_it():
    with pytest.raises(ValueError, match="mean_dy cannot be given"):
        same_outputs(reference(), kernel(mean_dy), GIVEN | {mean_dy: mean})


def test_a_program_beside_another_computes_everything_itself():
    """Had it taken y from the first evaluation, the second program's own y would never be looked at."""
    evaluation = Evaluation().run(batch_norm.program)
    other = Program(batch_norm.program.inputs, (Eq(y, 0 * x),), (y,))
    assert evaluation.beside().run(other).forms[y] == {}


def test_one_name_for_two_held_quantities_is_refused():
    z, peak = data("z", i, c), values("peak", c)
    first, second = (Definition("held", source="", layout="arrays", equations=[Eq(peak, stop_gradient(Max(e, i)))])
                     for e in (z, 2 * z))  # fmt: skip
    assert same_outputs(first.program, first.program)[0].holds
    with pytest.raises(ValueError, match="peak is held twice"):
        same_outputs(first.program, second.program)
