"""What Ioffe & Szegedy (2015) state of batch normalization, proved of what was derived.

The paper's own gradient formulas stand here, and nowhere else. They are claims: each is proved equal to what the
chain rule gave, and nothing is ever derived from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sympy import Integer, Rational

from bnsym.calculus.chain import Derivative, reverse
from bnsym.calculus.derive import Derivation
from bnsym.calculus.judge import SYMBOLIC, judged
from bnsym.claims import shards
from bnsym.claims.stating import Stated, composed, substituted
from bnsym.claims.weights import Weights, a, k
from bnsym.definitions.batch_norm import batch_norm, beta, c, eps, gamma, i, m, mean, var, x, x_hat, y
from bnsym.language import Eq, Sum, data, parameter, sqrt, values
from bnsym.model import Program, Proof, Quantity

DEFINITION = batch_norm

u, W, z = data("u", i, k), parameter("W", k, c), values("x", i, c)
own, b, change = data("u", i, c), parameter("b", c), parameter("change", c)
dy = Quantity("dy", y.axes, "gradient")
total, mean_dy, mean_dy_x_hat = values("total mean_dy mean_dy_x_hat", c)
stated, stated_u, stated_w, stated_b = values("stated", i, c), values("su", i, k), values("sW", k, c), values("sb", c)

MEANS = (Eq(mean_dy, Sum(dy, i) / m), Eq(mean_dy_x_hat, Sum(dy * x_hat, i) / m))


def claims(derivation: Derivation) -> Iterator[Proof]:
    """The paper's claims, in its order."""
    yield from ignored_mean(derivation.definition.program)
    yield from identity(derivation.definition.program)
    yield from six_equations(derivation.backward)
    yield from consequences(derivation.backward)
    yield from invariances(derivation)
    yield from shards.claims(derivation)


def invariances(derivation: Derivation) -> Iterator[Proof]:
    """What the output does not see, of these claims; and what is left of it where eps is not 0."""
    yield from orthogonal(derivation.backward)
    yield from dropped_bias(derivation.definition.program)
    yield from scaled_weights(derivation.definition.program)


def ignored_mean(forward: Program) -> Iterator[Proof]:
    """Section 2: a step that takes the mean for a constant changes b by something, and the output by nothing."""
    bias = Program((own, b), (Eq(z, own + b),), (z,))
    before = Stated(composed(bias, forward, x))
    after = Stated(composed(substituted(bias, {b: b + change}), forward, x), beside=before)
    left = right = Eq(stated, z - mean)
    claim = "u + (b + db) - E[u + (b + db)] = u + b - E[u + b], for any step db"
    yield before.equal(claim, left, right, at=after)
    yield before.equal("BN(u + (b + db)) = BN(u + b), and so the loss, for any step db", y, y, at=after)


def identity(forward: Program) -> Iterator[Proof]:
    """Section 3: the transform can represent the identity."""
    undone = Stated(substituted(forward, {gamma: sqrt(var + eps), beta: mean}))
    yield undone.equal("y = x for gamma = sqrt(var + eps), beta = mean", y, x)
    papers = Stated(substituted(forward, {gamma: sqrt(var), beta: mean}))
    rest = Eq(stated, mean + (x - mean) * sqrt(var) / sqrt(var + eps))
    yield papers.equal("y = mean + (x - mean) sqrt(var / (var + eps)) for gamma = sqrt(var), beta = mean", y, rest)
    exact = Stated(substituted(forward, {eps: Integer(0), gamma: sqrt(var), beta: mean}))
    yield exact.equal("y = x for gamma = sqrt(var), beta = mean, at eps = 0", y, x)


def six_equations(backward: Derivative) -> Iterator[Proof]:
    """Section 3's backward equations, each against the chain rule's step."""
    d, program = backward.gradients, Stated(backward.program)
    dx_hat, dvar, dmean = d[x_hat], d[var], d[mean]
    paper = [
        Eq(dx_hat, dy * gamma),
        Eq(dvar, Sum(dx_hat * (x - mean) * Rational(-1, 2) * (var + eps) ** Rational(-3, 2), i)),
        Eq(dmean, Sum(dx_hat * (-1 / sqrt(var + eps)), i) + dvar * Sum(-2 * (x - mean), i) / m),
        Eq(d[x], dx_hat / sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m),
        Eq(d[gamma], Sum(dy * x_hat, i)),
        Eq(d[beta], Sum(dy, i)),
    ]
    for n, equation in enumerate(paper, start=1):
        yield program.holds(
            f"backward: the paper's equation {n}, for {equation.left}, is the chain rule's step", equation
        )


def consequences(backward: Derivative) -> Iterator[Proof]:
    """What follows from the six equations."""
    d, program = backward.gradients, Stated(backward.program)
    r = 1 / sqrt(var + eps)
    yield program.holds(
        "backward: dx = gamma r (dy - mean(dy) - x_hat mean(dy x_hat)), r = 1 / sqrt(var + eps)",
        *MEANS,
        Eq(d[x], gamma * r * (dy - mean_dy - x_hat * mean_dy_x_hat)),
    )
    for path in (p for s in backward.steps if s.of == mean for p in s.contributions if p.consumer.left == var):
        yield judged(
            "backward: the second term of dmean, through var, is identically 0",
            SYMBOLIC,
            program.evaluation.context,
            partial(program.evaluation.term, path.term),
        )


def orthogonal(backward: Derivative) -> Iterator[Proof]:
    """The gradient to x has next to no part along x_hat, and none at eps = 0, which is put into the program itself."""
    d, program, r = backward.gradients, Stated(backward.program), 1 / sqrt(var + eps)
    yield program.equal(
        "backward: the sum of dx x_hat is gamma r eps r^2 times the sum of dy x_hat: 0 only at eps = 0",
        Eq(total, Sum(d[x] * x_hat, i)),
        Eq(total, gamma * eps * r**3 * Sum(dy * x_hat, i)),
    )
    exact = Stated(substituted(backward.program, {eps: Integer(0)}))
    yield exact.zero("backward: the sum of dx x_hat is 0, at eps = 0", Eq(total, Sum(d[x] * x_hat, i)))


def scaled_weights(forward: Program) -> Iterator[Proof]:
    """Section 3.3: what becomes of BN(W u), and of its gradients, when W is scaled by a > 0."""
    weights = Weights(forward, x, "BN")
    yield from weights.unchanged()
    yield from _changed(weights.backward, weights.plain, weights.scaled({}))


def dropped_bias(forward: Program) -> Iterator[Proof]:
    """Section 3.2: the bias b of W u + b has no effect, since the mean removes it."""
    dense = Program((u, W, b), (Eq(z, Sum(u * W, k) + b),), (z,))
    backward = reverse(composed(dense, forward, x), (u, W, b))
    program = Stated(backward.program)
    plain = Stated(substituted(backward.program, {b: Integer(0)}), beside=program)
    yield program.equal("BN(Wu + b) = BN(Wu)", y, y, at=plain)
    yield program.zero("d BN(Wu + b)/db is 0", Eq(stated_b, backward.gradients[b]))


def _changed(backward: Derivative, plain: Stated, scaled: Stated) -> Iterator[Proof]:
    """For a fixed eps: by how much, in closed form. With x = W u, s = 1 would leave everything as it is."""
    du, dW = backward.gradients[u], backward.gradients[W]
    s = a * sqrt(var + eps) / sqrt(a**2 * var + eps)
    e = gamma / sqrt(var + eps) * ((s - 1) * (dy - mean_dy) - (s**3 - 1) * x_hat * mean_dy_x_hat)
    where = "s = a sqrt(var + eps) / sqrt(a^2 var + eps)"
    which = f"e = gamma r ((s - 1) (dy - mean(dy)) - (s^3 - 1) x_hat mean(dy x_hat)), {where}"
    yield plain.equal(
        f"BN((aW)u) differs from BN(Wu) by (s - 1) gamma x_hat, {where}",
        y, Eq(stated, y + (s - 1) * gamma * x_hat), at=scaled,
    )  # fmt: skip
    yield plain.equal(
        f"d BN((aW)u)/du differs from d BN(Wu)/du by the sum of e W over features, {which}",
        du, (*MEANS, Eq(stated, e), Eq(stated_u, du + Sum(stated * W, c))), at=scaled,
    )  # fmt: skip
    yield plain.equal(
        f"a d BN((aW)u)/d(aW) differs from d BN(Wu)/dW by the sum of u e over examples, {which}",
        (Eq(stated_w, a * dW),), (*MEANS, Eq(stated, e), Eq(stated_w, dW + Sum(u * stated, i))), at=scaled,
    )  # fmt: skip
