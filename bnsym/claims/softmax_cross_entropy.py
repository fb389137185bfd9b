"""Softmax cross-entropy: no shift changes the loss, and its gradient is the difference of p and t."""

from __future__ import annotations

from collections.abc import Iterator

from bnsym.calculus.chain import reverse
from bnsym.calculus.derive import Derivation
from bnsym.claims.stating import Stated
from bnsym.definitions.softmax_cross_entropy import examples, k, n, p, shift, softmax_cross_entropy, t, z
from bnsym.language import Eq, Sum, data, values
from bnsym.model import Program, Proof, Quantity

DEFINITION = softmax_cross_entropy

other, along = data("other", n), values("along", n)
dloss = Quantity("dloss", (), "gradient")


def claims(derivation: Derivation) -> Iterator[Proof]:
    """The shift is there against overflow alone; the gradient's form needs one-hot targets."""
    yield from any_shift(derivation)
    dz, whole = derivation.backward.gradients[z], Stated(derivation.backward.program)
    whole.evaluation.assume(derivation.definition.premises)
    yield whole.holds("backward: dz = dloss (p - t) / examples", Eq(dz, dloss * (p - t) / examples))
    yield whole.zero("backward: the sum of dz over k is 0: adding b[n] to z changes nothing", Eq(along, Sum(dz, k)))


def any_shift(derivation: Derivation) -> Iterator[Proof]:
    """With the shift an input of any value: the loss has no derivative by it, and p and dz are the same for another."""
    free, dz = _free(derivation.backward.program), derivation.backward.gradients[z]
    by_shift = reverse(_free(derivation.forward), (shift,))
    slope = Stated(by_shift.program)
    claim = "forward: the derivative of loss by shift is 0: it is the same for any shift"
    yield slope.zero(claim, Eq(along, by_shift.gradients[shift]))
    plain = Stated(free)
    moved = Stated(free.replace({shift: other}), beside=plain)
    yield plain.equal("forward: p is the same for any shift", p, p, at=moved)
    yield plain.equal("backward: dz is the same for any shift", dz, dz, at=moved)


def _free(program: Program) -> Program:
    """The shift as an input."""
    return Program((*program.inputs, shift), tuple(e for e in program.equations if e.left != shift), program.outputs)
