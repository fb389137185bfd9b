"""The scale of its data that a normalization does not see: where eps goes along, or at eps = 0.

How eps must go along, its degree says. For a fixed eps what is left is stated: of x_hat as a factor, of the gradient as
the derivative by eps. A definition that sees the scale of its data gets no claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import sympy

from bnsym.calculus.chain import reverse
from bnsym.calculus.homogeneity import Degrees, degrees
from bnsym.claims.invariance import Data
from bnsym.claims.quotient import quotients
from bnsym.claims.stating import Stated, listed, powered, substituted
from bnsym.model import Equation, Program, Proof, Quantity, Term


def scaled(data: Data) -> Iterator[Proof]:
    """The claims of a definition that has degrees, where its outputs are found unchanged."""
    known = degrees(data.forward)
    if known is not None:
        scale = Scale(data, known)
        proofs = [*scale.outputs()]
        if all(proof.holds for proof in proofs):
            yield from proofs
            yield from scale.without_constants()
            yield from scale.fixed_constants()
            yield from scale.gradients()
            yield scale.along_the_data()


class Scale:
    """The data multiplied by a > 0, which may differ as the statistics do, and constants by powers of a."""

    def __init__(self, data: Data, known: Degrees):
        self.data, self.degrees = data, known
        self.a, self.a_is = data.number("a"), data.each("a")
        self.moving = [q for q in data.forward.inputs if q.role == "data" and known[q] != 0]
        self.constants = [q for q in data.forward.inputs if q.role == "constant" and known[q] != 0]
        alike = [q.name for q in self.moving if known[q] == 1]
        are = "are" if len(alike) > 1 else "is"
        apart = [f", {q} by {powered(self.a_is, known[q])}" for q in self.moving if known[q] != 1]
        self.when = f"when {listed(alike)} {are} multiplied by {self.a_is} > 0{''.join(apart)}"
        along = [f"{q} by {powered(self.a_is, known[q])}" for q in self.constants]
        self.along = " and ".join([self.when, *along]) + data.fixed
        self.vanishing = " = ".join([*(q.name for q in self.constants), "0"])

    @cached_property
    def kept_constants(self) -> Stated:
        """The forward of data that are scaled, constants left as they are."""
        return Stated(self._moved(self.data.forward, ()), beside=self.data.plain)

    def outputs(self) -> Iterator[Proof]:
        """Constants go along."""
        moved = Stated(self._moved(self.data.forward, self.constants), beside=self.data.plain)
        for y in self.data.forward.outputs:
            yield self.data.plain.equal(f"forward: {y} is unchanged {self.along}", y, y, at=moved)

    def without_constants(self) -> Iterator[Proof]:
        """No constants at all: they are 0 in the program itself."""
        if self.constants:
            program = substituted(self.data.forward, dict.fromkeys(self.constants, sympy.Integer(0)))
            plain = Stated(program)
            moved = Stated(self._moved(program, ()), beside=plain)
            for y in program.outputs:
                claim = f"forward: {y} is unchanged {self.when}, at {self.vanishing}{self.data.fixed}"
                yield plain.equal(claim, y, y, at=moved)

    def fixed_constants(self) -> Iterator[Proof]:
        """What is divided by a root of statistics and constants gets a factor, which is stated."""
        for e in self.data.forward.equations if self.constants else ():
            for quotient in quotients(e, self.degrees, self.constants):
                claim = f"forward: {e.left} is multiplied by s {self.when}, {quotient.text}: 1 only at {self.vanishing}"
                right = Equation(Quantity("(multiplied)", e.left.axes), (Term(quotient.factor(self.a) * e.left),))
                yield self.data.plain.equal(claim, e.left, right, at=self.kept_constants)

    def gradients(self) -> Iterator[Proof]:
        """The gradients go along; those of a composition are made of its parts'."""
        backward, plain = self.data.derivation.backward, self.data.backward
        if not self.data.derivation.definition.parts:
            moved = Stated(self._moved(backward.program, self.constants), beside=plain)
            for u in backward.wrt:
                d, degree = backward.gradients[u], self.degrees[u]
                becomes = f"multiplied by {powered(self.a_is, -degree)}" if degree else "unchanged"
                right = Equation(Quantity("(divided)", d.axes), (Term(d / self.a**degree),))
                yield plain.equal(f"backward: {d} is {becomes} {self.along}", d, right, at=moved)

    def along_the_data(self) -> Proof:
        """Euler's equation: what the gradient has along the data is what the constants take up."""
        d, x_dx = self.data.derivation.backward.gradients, [(q, self.degrees[q]) for q in self.moving]
        each = {q: Quantity(f"({q})", self.data.kept, "constant", positive=True) for q in self.constants}
        by = reverse(substituted(self.data.forward, each), tuple(each.values()))
        program = substituted(by.program, {one: q for q, one in each.items()})
        rest = tuple(Term(-self.degrees[q] * q * by.gradients[one]) for q, one in each.items())
        what = " + ".join(f"{'' if p == 1 else f'({p}) '}{q} {d[q]}" for q, p in x_dx)
        claim = f"backward: the sum of {what} over {self.data.over} is {self._taken_up()}{self.data.fixed}"
        return Stated(program, beside=self.data.backward).equal(
            claim,
            self.data.total(*(p * q * d[q] for q, p in x_dx)),
            Equation(Quantity("(rest)", self.data.kept), rest or (Term(sympy.Integer(0)),)),
            at=self.data.backward,
        )

    def _taken_up(self) -> str:
        """The derivative of the weighted outputs by each constant."""
        seeds = zip(self.data.derivation.backward.seeds, self.data.forward.outputs, strict=True)
        loss = " + ".join(f"{seed} {y}" for seed, y in seeds)
        over = self.data.over
        parts = [f"{-self.degrees[q]} {q} d/d{q} of the sum of {loss} over {over}" for q in self.constants]
        return f"{' + '.join(parts)}: 0 only at {self.vanishing}" if parts else "0"

    def _moved(self, program: Program, constants: Sequence[Quantity]) -> Program:
        return substituted(program, {q: self.a ** self.degrees[q] * q for q in (*self.moving, *constants)})
