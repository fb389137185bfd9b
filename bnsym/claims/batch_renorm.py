"""What Ioffe (2017) states of batch renormalization: its gradients, and when it is something simpler."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Integer, sqrt

from bnsym.calculus.chain import differentiable, reverse
from bnsym.calculus.derive import Derivation
from bnsym.claims.alike import alike, backward_of
from bnsym.claims.stating import Stated, substituted
from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.batch_renorm import (
    batch_renorm,
    beta,
    c,
    d,
    eps,
    gamma,
    i,
    m,
    mean,
    r,
    running_mean,
    running_var,
    var,
    x,
    x_hat,
    y,
)
from bnsym.functions import maximum, minimum
from bnsym.language import Eq, Sum, values
from bnsym.model import Equation, Program, Proof, Quantity, Term

DEFINITION = batch_renorm

sigma, stated, one = values("sigma", c), values("stated", i, c), values("one", c)
dy = Quantity("dy", y.axes, "gradient")

PAPER = Program(
    (x, r, d, gamma, beta, eps),
    (
        Eq(mean, Sum(x, i) / m),
        Eq(var, Sum((x - mean) ** 2, i) / m),
        Eq(sigma, sqrt(var + eps)),
        Eq(x_hat, (x - mean) / sigma * r + d),
        Eq(y, gamma * x_hat + beta),
    ),
    (y,),
)
"""Algorithm 1 with the paper's own sigma, the root of var + eps."""


def claims(derivation: Derivation) -> Iterator[Proof]:
    """The paper's claims, in its order."""
    yield from unclipped(derivation)
    yield from equations(derivation)
    yield from without_correction(derivation)


def unclipped(derivation: Derivation) -> Iterator[Proof]:
    """Section 3: with r and d as they are before they are clipped, x is normalized by the running statistics."""
    correction, forward = derivation.correction, derivation.forward
    if correction is not None:
        before = Program(correction.inputs, tuple(_unclipped(e) for e in correction.equations), (r, d))
        batch = forward.needed((mean, var))
        equations = tuple(dict.fromkeys([*batch.equations, *before.equations, *forward.equations]))
        whole = Stated(Program((x, gamma, beta, running_mean, running_var, eps), equations, forward.outputs))
        running = Eq(stated, (x - running_mean) / sqrt(running_var + eps))
        yield whole.equal("forward: with r and d before clipping, x_hat is inference's", x_hat, running)
        same = Stated(substituted(before, {running_mean: mean, running_var: var}))
        where = "before clipping where the running statistics are the batch's"
        yield same.equal(f"correction: r is 1 {where}", r, Eq(one, Integer(1)))
        yield same.zero(f"correction: d is 0 {where}", Eq(one, d))


def _unclipped(e: Equation) -> Equation:
    """What is clipped is the first argument of each Min and Max."""
    (term,) = e.terms
    body = term.body.replace(minimum, lambda inner, _: inner).replace(maximum, lambda inner, _: inner)
    return Equation(e.left, (Term(body),))


def equations(derivation: Derivation) -> Iterator[Proof]:
    """The gradients that the paper gives after Algorithm 1."""
    back = reverse(PAPER, differentiable(PAPER))
    g, program = back.gradients, Stated(back.program)
    paper = [
        Eq(g[x_hat], dy * gamma),
        Eq(g[sigma], Sum(g[x_hat] * (x - mean) * (-r / sigma**2), i)),
        Eq(g[mean], Sum(g[x_hat] * (-r / sigma), i)),
        Eq(g[x], g[x_hat] * r / sigma + g[sigma] * (x - mean) / (m * sigma) + g[mean] / m),
        Eq(g[gamma], Sum(dy * x_hat, i)),
        Eq(g[beta], Sum(dy, i)),
    ]
    for equation in paper:
        yield program.holds(f"backward: the paper's equation for {equation.left} is the chain rule's step", equation)
    yield from alike(
        derivation.backward.program,
        back.program,
        ("dx", "dgamma", "dbeta"),
        "backward: {output} is that of the paper's",
    )


def without_correction(derivation: Derivation) -> Iterator[Proof]:
    """With r = 1 and d = 0 it is batch normalization."""
    program = substituted(derivation.backward.program, {r: Integer(1), d: Integer(0)})
    for prefix, names in (("forward", ("y",)), ("backward", ("dx", "dgamma", "dbeta"))):
        yield from alike(
            program, backward_of(batch_norm), names, f"{prefix}: {{output}} is batch norm's for r = 1, d = 0"
        )
