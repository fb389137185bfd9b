"""What holds for every normalization: folding changes nothing, and corrected statistics are unbiased.

The expectation is that over independent, identically distributed examples with mean mu and variance sigma2. Once it is
taken for symbolic sizes, and once, independently, from a mini-batch whose elements are written out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import sympy

from bnsym.calculus.derive import Derivation
from bnsym.calculus.elements import SYMBOLS, evaluate
from bnsym.calculus.equality import same_outputs
from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import subtract
from bnsym.calculus.judge import SYMBOLIC, UNDECIDED, judged
from bnsym.calculus.monomials import Monomial
from bnsym.calculus.population import MU, SIGMA2, averaged, bias, expectation, number
from bnsym.calculus.routes.case import size_names
from bnsym.calculus.routes.written_out import Written, counted, small_sizes, symbols
from bnsym.claims import adjoint
from bnsym.claims.invariance import Data, shifted
from bnsym.claims.scaling import scaled
from bnsym.model import Axis, Definition, Equation, Program, Proof, Quantity, Term

MOMENTS = {MU: Quantity("mu", (), "constant"), SIGMA2: Quantity("sigma2", (), "constant")}


def claims(derivation: Derivation) -> Iterator[Proof]:
    """The claims that any definition comes with."""
    yield from adjoint.claims(derivation)
    yield from invariances(derivation)
    yield from folding(derivation)
    for statistic in averaged(derivation.definition):
        yield from unbiased(derivation, statistic)


def invariances(derivation: Derivation) -> Iterator[Proof]:
    """The shift and the scale of its data that a definition with statistics does not see, if it does not.

    What is held is a symbol, of which nobody knows what becomes of it when the data change: then nothing is claimed.
    """
    data = Data(derivation)
    if data.statistics and data.summed and not any(e.held for e in derivation.forward.equations):
        # These are looked for, not stated by anybody: what cannot be decided is not claimed.
        yield from (p for p in (*shifted(data), *scaled(data)) if p.residual != UNDECIDED)


def folding(derivation: Derivation) -> Iterator[Proof]:
    """Inference is scale * x + shift."""
    inference, fold = derivation.inference, derivation.fold
    if inference is not None and fold is not None:
        x = next(q for q in inference.inputs if q.role == "data")
        slope, shift = fold.outputs
        y = Quantity(f"folded_{inference.outputs[0]}", inference.outputs[0].axes)
        folded = Program((x, *fold.inputs), (*fold.equations, Equation(y, (Term(slope * x + shift),))), (y,))
        yield from same_outputs(inference, folded, claim=f"fold: {slope} {x} + {shift} is inference's {y.name[7:]}")


def unbiased(derivation: Derivation, statistic: Quantity) -> Iterator[Proof]:
    """The population's statistic, and what the running one takes up, have the moment itself for expectation."""
    definition, population, running = derivation.definition, derivation.population, derivation.update_running
    expected, found = expectation(definition, statistic), bias(definition, statistic)
    if found is None or population is None or running is None:
        return
    moment = MOMENTS[found[0]]
    n, count = population.outputs.index(statistic), len(population.outputs)
    momentum, old = next(q for q in running.inputs if q.name == "momentum"), running.inputs[n]
    masked = any(q.role == "mask" for q in definition.program.inputs)
    written_out = () if masked else _written_out(definition, statistic)
    for mini_batch in (_symbolic(definition, statistic, expected), *written_out):
        claim = f"population: the expectation of {statistic} is {moment}"
        yield _judged(claim, population, (population.inputs[n], population.outputs[n]), mini_batch, moment)
        claim = f"update_running: the expectation of what {statistic} moves towards is {moment}"
        mixed = (1 - momentum) * old + momentum * moment
        yield _judged(claim, running, (running.inputs[count + n], running.outputs[n]), mini_batch, mixed)


@dataclass(frozen=True)
class MiniBatch:
    """The expectation of a statistic over one mini-batch of `count` examples, and how it was found."""

    method: str
    expected: sympy.Expr
    count: sympy.Expr


def _judged(
    claim: str, program: Program, ends: tuple[Quantity, Quantity], mini_batch: MiniBatch, target: sympy.Expr
) -> Proof:
    """A program's output, given the expectation for its input, is the target."""
    given, output = ends
    evaluation = Evaluation()
    needed = program.needed((output,))
    count = {q: evaluation.expression(mini_batch.count) for q in needed.inputs if q.name == "count"}
    beside = evaluation.beside({given: evaluation.expression(mini_batch.expected), **count})
    return judged(
        claim,
        mini_batch.method,
        evaluation.context,
        lambda: subtract(beside.run(needed).forms[output], evaluation.expression(target)),
    )


def _symbolic(definition: Definition, statistic: Quantity, expected: sympy.Expr) -> MiniBatch:
    return MiniBatch(SYMBOLIC, expected.xreplace(MOMENTS), number(definition, statistic))


def _written_out(definition: Definition, statistic: Quantity) -> Iterator[MiniBatch]:
    """The expectation from the statistic of elements that are symbols, monomial by monomial."""
    program = definition.program.needed((statistic,))
    for sizes in small_sizes(program):
        elements = symbols(program, sizes)
        written = Written(elements, ())
        value = written.form(evaluate(program, elements, SYMBOLS)[statistic].flat[0])
        expected = sympy.Add(*(_expected(m, c) for m, c in value.items()))
        count = math.prod(sizes[a] for a in _reduced(definition, statistic))
        yield MiniBatch(counted(sizes, size_names(program)), expected, sympy.Integer(count))


def _expected(monomial: Monomial, coefficient: Fraction) -> sympy.Expr:
    """Independent examples: the expectation of a product is the product of mu and mu^2 + sigma2."""
    mu, sigma2 = MOMENTS.values()
    of_powers = {1: mu, 2: mu**2 + sigma2}
    number = sympy.Rational(coefficient.numerator, coefficient.denominator)
    return number * sympy.Mul(*(of_powers[int(e)] for _, e in monomial))


def _reduced(definition: Definition, statistic: Quantity) -> list[Axis]:
    return [a for a in definition.program.inputs[0].axes if a not in statistic.axes]
