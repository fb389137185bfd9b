"""Both independent routes: they prove what is right, whatever the definition, and refuse what is not."""

from dataclasses import replace

import numpy as np
import pytest

from bnsym.calculus.chain import differentiable, reverse
from bnsym.calculus.derive import derive
from bnsym.calculus.elements import evaluate
from bnsym.calculus.routes import total_derivative, written_out
from bnsym.calculus.routes.case import Case
from bnsym.definitions.batch_norm import batch_norm
from bnsym.language import (
    Abs,
    Definition,
    Eq,
    Max,
    Sum,
    axes,
    constant,
    data,
    erf,
    exp,
    log,
    mask,
    parameter,
    premise,
    size,
    sqrt,
    statistics,
    stop_gradient,
    tanh,
    values,
)
from bnsym.lowering import second_order
from bnsym.lowering.lower import lower
from bnsym.model import Equation, Program, Term
from bnsym.proofs import cases

ROUTES = (total_derivative.proofs, written_out.proofs)

i, c, n, d = axes("i c n d")
m, D = size(i), size(d)
x, z = data("x", i, c), data("z", n, d)
gamma, beta = parameter("gamma", c), parameter("beta", c)
eps = constant("eps")
mean, var, p, q, s = statistics("mean var p q s", c)
x_hat, y = values("x_hat y", i, c)
normalized = [Eq(mean, Sum(x, i) / m), Eq(var, Sum((x - mean) ** 2, i) / m)]


def layer_norm():
    g, b = parameter("g", d), parameter("b", d)
    mu, sigma2 = statistics("mu sigma2", n)
    z_hat, z_out = values("z_hat z_out", n, d)
    equations = [
        Eq(mu, Sum(z, d) / D),
        Eq(sigma2, Sum((z - mu) ** 2, d) / D),
        Eq(z_hat, (z - mu) / sqrt(sigma2 + eps)),
        Eq(z_out, g * z_hat + b),
    ]
    return Definition("layer_norm", source="", layout="trailing", equations=equations)


def three_sums():
    equations = [
        Eq(s, Sum(x**2, i) / m),
        Eq(p, Sum(x, i) / m),
        Eq(q, Sum((x - p) ** 4, i) / m),
        Eq(x_hat, (x - p) * s / sqrt(q + eps)),
        Eq(y, gamma * x_hat + beta * s),
    ]
    return Definition("three_sums", source="", layout="channels", equations=equations)


def with_functions():
    equations = [
        Eq(p, Sum(x, i) / m),
        Eq(q, Sum(Abs(x - p), i) / m),
        Eq(s, Sum(exp(-(x**2)), i)),
        Eq(x_hat, (x - p) / (q + eps)),
        Eq(y, gamma * tanh(x_hat) + erf(beta * s)),
    ]
    return Definition("with_functions", source="", layout="channels", equations=equations)


def masked():
    w = mask("w", i, c)
    equations = [
        Eq(s, Sum(w, i)),
        Eq(p, Sum(w * x, i) / s),
        Eq(q, Sum(w * (x - p) ** 2, i) / s),
        Eq(y, w * (gamma * (x - p) / sqrt(q + eps) + beta)),
    ]
    return Definition("masked", source="", layout="channels", equations=equations)


def relu():
    equations = [*normalized, Eq(y, Max(gamma * (x - mean) / sqrt(var + eps) + beta, 0))]
    return Definition("relu", source="", layout="channels", equations=equations)


def many_outputs():
    """The mean and the variance are outputs as well, and y is computed from them."""
    equations = [*normalized, Eq(x_hat, (x - mean) / sqrt(var + eps)), Eq(y, gamma * x_hat)]
    return Definition("many_outputs", source="", layout="channels", equations=equations, outputs=[mean, var, x_hat, y])


def cross_entropy():
    t, shift, total, loss = data("t", n, d), *values("shift total loss", n)
    e = values("e", n, d)
    equations = [
        Eq(shift, stop_gradient(Max(z, d))),
        Eq(e, exp(z - shift)),
        Eq(total, Sum(e, d)),
        Eq(loss, log(total) - Sum(t * (z - shift), d)),
    ]
    ones = [premise(Sum(t, d), 1)]
    return Definition("cross_entropy", source="", layout="arrays", equations=equations, premises=ones)


DEFINITIONS = [layer_norm, three_sums, with_functions, masked, relu, many_outputs, cross_entropy]


@pytest.mark.parametrize("definition", [lambda: batch_norm, *DEFINITIONS])
@pytest.mark.parametrize("route", ROUTES)
def test_every_gradient_is_proved(definition, route):
    for case in cases(derive(definition())):
        proofs = route(case)
        assert {proof.claim for proof in proofs} == {claim for claim, _, _ in case.claims()}
        assert all(proof.holds and proof.residual == "0" for proof in proofs), proofs


def test_a_program_that_centres_late_has_one_spelling():
    """s is computed from x before the mean is; both routes need x to be written one way throughout."""
    case = next(iter(cases(derive(three_sums()))))
    assert all(proof.holds for proof in total_derivative.proofs(case))


def mutants(case):
    """The derived program with one term of one derived equation doubled, or left out."""
    derived = [step.equation for step in case.derivative.steps]
    for equation in derived:
        for n, term in enumerate(equation.terms):
            for factor in (2, -1, 0):
                terms = [*equation.terms]
                terms[n] = Term(factor * term.body, term.axes)
                yield equation, n, factor, with_equation(case, equation, Equation(equation.left, tuple(terms)))


def with_equation(case, old, new):
    program = case.derivative.program
    equations = tuple(new if e == old else e for e in program.equations)
    changed = Program(program.inputs, equations, program.outputs)
    return replace(case, derivative=replace(case.derivative, program=changed))


BACKWARD, JVP, INFERENCE = cases(derive(batch_norm))
MUTANTS = [*mutants(BACKWARD), *mutants(JVP), *mutants(INFERENCE)]
# dvar times the sum of x - mean, which is 0, and the same times tmean: nothing that is done to them can be seen
EQUIVALENT = {("dmean", 1), ("tvar", 0)}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("equation", "n", "factor", "mutant"), MUTANTS, ids=[f"{e.left}-{n}-{f}" for e, n, f, _ in MUTANTS]
)
def test_a_mutant_of_the_backward_is_refused_unless_it_is_equivalent(route, equation, n, factor, mutant):
    proofs = route(mutant)
    if (equation.left.name, n) in EQUIVALENT:
        assert all(proof.holds for proof in proofs)
    else:
        refused = [proof for proof in proofs if not proof.holds]
        assert refused
        assert all(proof.residual != "0" for proof in refused)


def test_the_equivalent_mutants_are_known():
    held = [(e.left.name, n) for e, n, _, mutant in MUTANTS if all(proof.holds for proof in ROUTES[0](mutant))]
    assert set(held) == EQUIVALENT


DERIVATION = derive(batch_norm)
SECOND = [m for case in second_order.cases(DERIVATION, lower(DERIVATION)) for m in [*mutants(case)][::5]]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("equation", "n", "factor", "mutant"), SECOND, ids=[f"{e.left}-{n}-{f}" for e, n, f, _ in SECOND]
)
def test_a_mutant_of_a_second_derivative_is_refused_unless_it_changes_nothing(route, equation, n, factor, mutant):
    """Whether it changes anything is told by random numbers: the terms that are identically zero are many here."""
    program, rng = mutant.derivative.program, np.random.default_rng(5)
    inputs = {q: rng.uniform(0.5, 1.5, [4 for _ in q.axes]) for q in program.inputs}
    source = getattr(DERIVATION, mutant.name).program
    right, wrong = (evaluate(p, inputs) for p in (source, program))
    same = all(np.allclose(right[q], wrong[q], rtol=1e-9) for q in program.outputs)
    assert all(proof.holds for proof in route(mutant)) == same


@pytest.mark.parametrize("route", ROUTES)
def test_a_path_that_is_forgotten_is_refused(route):
    """A gradient that the chain rule does not have must be zero."""
    derivative = BACKWARD.derivative
    without = {u: g for u, g in derivative.gradients.items() if u.name != "beta"}
    proofs = route(replace(BACKWARD, derivative=replace(derivative, gradients=without)))
    assert [p.claim for p in proofs if not p.holds and "zero" in p.claim]


@pytest.mark.parametrize("route", ROUTES)
def test_a_missing_stop_gradient_is_refused(route):
    """The gradient of a held quantity's program is not that of the same program with nothing held."""
    equations = [Eq(p, Sum(x, i) / m), Eq(q, stop_gradient(p**2 + 1)), Eq(y, x * q)]
    held = Definition("held", source="", layout="channels", equations=equations).program
    free = Program(held.inputs, tuple(replace(e, held=False) for e in held.equations), held.outputs)
    derivatives = [reverse(program, differentiable(program)) for program in (held, free)]
    assert all(proof.holds for proof in route(Case("held", held, derivatives[0])))
    assert all(proof.holds for proof in route(Case("free", free, derivatives[1])))
    assert not all(proof.holds for proof in route(Case("crossed", free, derivatives[0])))


@pytest.mark.parametrize("route", ROUTES)
def test_a_premise_that_is_not_stated_is_not_used(route):
    """p - t is softmax cross-entropy's gradient only where the targets sum to 1."""
    definition = cross_entropy()
    case = next(iter(cases(derive(definition))))
    dz = case.derivative.gradients[z]
    program = case.derivative.program
    known = {v.name: v for v in (*program.inputs, *(equation.left for equation in program.equations))}
    t, e, total, dloss = (known[name] for name in ("t", "e", "total", "dloss"))
    old = case.derivative.program.equation(dz)
    short = with_equation(case, old, Equation(dz, (Term(dloss * (e / total - t)),)))
    assert all(proof.holds for proof in route(short))
    at_large = with_equation(case, old, Equation(dz, (Term(dloss * (e / total - t)), Term(dloss * (1 - t), (d,)))))
    assert not all(proof.holds for proof in route(at_large))


def test_a_root_under_a_sum_is_undecided_for_symbolic_sizes_only():
    """dw is the sum of a root over c; x^2 / root + eps / root is the same, but no rule says so under a sum."""
    w, total = parameter("w", i), values("total", i)
    equations = [Eq(total, Sum(w * sqrt(x**2 + eps), c))]
    case = next(iter(cases(derive(Definition("root", source="", layout="arrays", equations=equations)))))
    dw, dtotal = case.derivative.gradients[w], case.derivative.seeds[0]
    root = sqrt(x**2 + eps)
    spelled = Equation(dw, (Term(dtotal * x**2 / root + dtotal * eps / root, (c,)),))
    other = with_equation(case, case.derivative.program.equation(dw), spelled)
    assert [proof.residual for proof in total_derivative.proofs(other)] == ["0", "undecided"]
    assert all(proof.holds for proof in written_out.proofs(other))
