"""Batch normalization of a mini-batch in shards, as several processes hold it: what they must tell each other.

What the whole gives is the definition over both shards at once. Of each shard its count, mean and sum of squares are
enough for the forward (Chan, Golub & LeVeque 1979), and two sums for the backward.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, sqrt

from bnsym.calculus.chain import differentiable, reverse
from bnsym.calculus.derive import Derivation
from bnsym.claims.alike import alike
from bnsym.claims.sharded import Sharded
from bnsym.claims.stating import Stated
from bnsym.definitions.batch_norm import beta, c, eps, gamma, i, m, mean, var, x, x_hat, y
from bnsym.language import Eq, Sum, axes, constant, size, statistics
from bnsym.model import Equation, Program, Proof, Quantity

j = axes("j")
n = size(j)

MEANS = statistics("mean_1 mean_2 mean_3", c)
SQUARES = statistics("M2_1 M2_2 M2_3", c)
COUNTS = (constant("n_1"), constant("n_2"), constant("n_3"))
merged, sum_dy, sum_dy_x_hat = statistics("merged sum_dy sum_dy_x_hat", c)
dy = Quantity("dy", y.axes, "gradient")

Statistics = tuple[Expr, Expr, Expr]
"""Count, mean, and the sum of squares of what is left when the mean is subtracted."""


def claims(derivation: Derivation) -> Iterator[Proof]:
    """The forward's statistics, then the backward's sums."""
    yield from statistics_merge(Sharded(derivation.forward, i, j))
    yield from in_any_order()
    yield from sums_add_up(derivation)


def merge(a: Statistics, b: Statistics) -> Statistics:
    """The statistics of two shards together."""
    (n_a, mean_a, m2_a), (n_b, mean_b, m2_b) = a, b
    delta, count = mean_b - mean_a, n_a + n_b
    return count, mean_a + delta * n_b / count, m2_a + m2_b + delta**2 * n_a * n_b / count


def statistics_merge(whole: Sharded) -> Iterator[Proof]:
    """Two shards of any sizes m and n."""
    (mean_1, mean_2, _), (m2_1, m2_2, _), (_, x_2) = MEANS, SQUARES, whole.both(x)
    own = (
        Eq(mean_1, Sum(x, i) / m),
        Eq(mean_2, Sum(x_2, j) / n),
        Eq(m2_1, Sum((x - mean_1) ** 2, i)),
        Eq(m2_2, Sum((x_2 - mean_2) ** 2, j)),
    )
    program = whole.program.needed((mean, var))
    stated = Stated(Program(program.inputs, (*own, *program.equations), (mean, var)))
    count, mean_of, m2_of = merge((m, mean_1, m2_1), (n, mean_2, m2_2))
    of = "of the shards' count, mean and M2"
    yield stated.equal(f"shards: the merged mean {of} is the mini-batch's", mean, Eq(merged, mean_of))
    yield stated.equal(
        f"shards: the merged M2 {of}, divided by the count, is the mini-batch's var", var, Eq(merged, m2_of / count)
    )


def in_any_order() -> Iterator[Proof]:
    """Merging is associative and commutative, so that any tree of shards gives the same."""
    first, second, third = zip(COUNTS, MEANS, SQUARES, strict=True)
    stated = Stated(Program((*COUNTS, *MEANS, *SQUARES), (), ()))
    orders = [("(1 2) 3 is 1 (2 3)", merge(merge(first, second), third), merge(first, merge(second, third))),
              ("1 2 is 2 1", merge(first, second), merge(second, first))]  # fmt: skip
    for order, left, right in orders:
        for name, one, other in zip(("count", "mean", "M2"), left, right, strict=True):
            yield stated.equal(f"shards: the {name} merged as {order}", Eq(merged, one), (Eq(merged, other),))


def sums_add_up(derivation: Derivation) -> Iterator[Proof]:
    """With the sums of dy and dy x_hat over all shards, each shard computes its own dx."""
    whole, forward = Sharded(derivation.backward.program, i, j), Sharded(derivation.forward, i, j).program
    claim = "shards: {output} is what the chain rule gives of both shards' y"
    again = reverse(forward, differentiable(forward)).program
    yield from alike(again, whole.program, ("dx", "dx_2", "dgamma", "dbeta"), claim)
    stated, d, sums = Stated(whole.program), derivation.backward.gradients, _sums(whole)
    for gradient, total in ((d[gamma], sum_dy_x_hat), (d[beta], sum_dy)):
        yield stated.holds(f"shards: {gradient} is {total}, added up over shards", *sums, Eq(gradient, total))
    for dx, of, hat in zip(whole.both(d[x]), whole.both(dy), whole.both(x_hat), strict=True):
        right = gamma / sqrt(var + eps) * (of - sum_dy / (m + n) - hat * sum_dy_x_hat / (m + n))
        yield stated.holds(f"shards: {dx} takes no more of the other shard than both sums", *sums, Eq(dx, right))


def _sums(whole: Sharded) -> tuple[Equation, Equation]:
    (dy_1, dy_2), (hat_1, hat_2) = whole.both(dy), whole.both(x_hat)
    return (
        Eq(sum_dy, Sum(dy_1, i) + Sum(dy_2, j)),
        Eq(sum_dy_x_hat, Sum(dy_1 * hat_1, i) + Sum(dy_2 * hat_2, j)),
    )
