"""What all derivatives of one program owe each other: forward mode is reverse mode's transpose, second ones commute.

A jvp and a backward are one linear map and its transpose: sum(dy ty) = sum(dx tx) + ... for every dy and every tangent.
So are backward_jvp and double_backward; and where dy is held fixed their map is symmetric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial

import sympy

from bnsym.calculus.context import Context
from bnsym.calculus.derive import Derivation
from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, add, subtract
from bnsym.calculus.judge import SYMBOLIC, judged
from bnsym.claims.hidden import Hidden
from bnsym.model import Program, Proof, Quantity, Term

Pairs = tuple[tuple[Quantity, Quantity], ...]


def claims(derivation: Derivation) -> Iterator[Proof]:
    """The claims that any definition comes with."""
    proofs = [*Maps(derivation).claims()]
    yield from proofs if all(p.holds for p in proofs) else Maps(derivation, short=False).claims()


class Maps:
    """The derivatives of a definition as linear maps, each evaluated when the first claim about it is judged.

    The claims hold whatever functions of one quantity stand for, and what a composed definition's first part gives. So
    both are left as symbols, which is shorter; where that is not enough, all is written out.
    """

    def __init__(self, derivation: Derivation, *, short: bool = True):
        self.derivation, self.context = derivation, Context()
        self.backward, self.jvp = derivation.backward, derivation.jvp
        self.double, self.pushed = derivation.double_backward, derivation.backward_jvp
        self.short, self.hidden = short, Hidden()

    def claims(self) -> Iterator[Proof]:
        """Both orders' transposes, then that the order of derivatives does not matter."""
        yield from self.transposed()
        yield from self.symmetric()

    def transposed(self) -> Iterator[Proof]:
        """Each map pairs with its transpose to one number, for all weights and all tangents."""
        backward, double = self.backward, self.double
        outputs = zip(backward.seeds, self.derivation.forward.outputs, strict=True)
        left = tuple((seed, self.jvp.gradients[y]) for seed, y in outputs)
        right = tuple((backward.gradients[u], self.jvp.gradients[u]) for u in backward.wrt)
        claim = f"jvp: {_text(left)} = {_text(right)}: it is the transpose of backward"
        yield judged(claim, SYMBOLIC, self.context, lambda: self.difference(self.first, left, right))
        gradients = zip(double.seeds, backward.program.outputs, strict=True)
        given = tuple((seed, self.pushed.gradients[g]) for seed, g in gradients)
        back = tuple((double.gradients[u], self.pushed.gradients[u]) for u in double.wrt)
        claim = f"double_backward: {_text(given)} = {_text(back)}: it is the transpose of backward_jvp"
        yield judged(claim, SYMBOLIC, self.context, lambda: self.difference(self.second, given, back))

    def symmetric(self) -> Iterator[Proof]:
        """Forward over reverse is reverse over reverse where dy is fixed: the order of derivatives does not matter."""
        fixed = " = ".join([*(f"t{s}" for s in self.backward.seeds), "0"])
        weights = ", ".join(f"{w} = t{u}" for w, u in zip(self.double.seeds, self.backward.wrt, strict=True))
        for u in self.backward.wrt:
            pushed, twice = self.pushed.gradients[self.backward.gradients[u]], self.double.gradients.get(u)
            equal = (
                f"{twice} = {pushed}, for {weights} and {fixed}" if twice is not None else f"{pushed} = 0, for {fixed}"
            )
            claim = f"double_backward: {equal}: second derivatives are symmetric"
            yield judged(claim, SYMBOLIC, self.context, partial(self._asymmetry, pushed, twice))

    @cached_property
    def plain(self) -> Evaluation:
        """The backward."""
        return Evaluation(self.context, cut=self._cut()).run(self._shortened(self.backward.program))

    def _shortened(self, program: Program) -> Program:
        return self.hidden.program(program) if self.short else program

    def _cut(self) -> list[Quantity]:
        """What a composed definition's first part gives, and what an elementwise second one makes of it."""
        if not self.derivation.definition.parts or not self.short:
            return []
        first, then = self.derivation.definition.parts
        inside = then.program.equations if then.layout == "elementwise" else ()
        return [*first.program.outputs, *(e.left for e in inside)]

    @cached_property
    def first(self) -> Evaluation:
        """The backward and the jvp."""
        return self._beside({}, self.jvp.program)

    @cached_property
    def second(self) -> Evaluation:
        """The double backward and the backward's jvp."""
        return self._beside({}, self.pushed.program, self.double.program)

    @cached_property
    def at_tangents(self) -> Evaluation:
        """As `second`, the seeds held fixed, and tangents in the place of what the gradients are weighted with."""
        fixed = {self.pushed.gradients[s]: sympy.Integer(0) for s in self.backward.seeds if s in self.pushed.gradients}
        tangents = (self.pushed.gradients.get(u, Quantity(f"t{u.name}", u.axes, "gradient")) for u in self.backward.wrt)
        weights = dict(zip(self.double.seeds, tangents, strict=True))
        return self._beside(fixed | weights, self.pushed.program, self.double.program)

    def _beside(self, given: Mapping[Quantity, sympy.Expr], *programs: Program) -> Evaluation:
        known = self.plain.forms | {q: self.plain.expression(e) for q, e in given.items()}
        evaluation = self.plain.beside(known)
        for program in programs:
            evaluation.run(self._shortened(program))
        return evaluation

    def difference(self, evaluation: Evaluation, left: Pairs, right: Pairs) -> Form:
        """The two pairings, summed over all axes, subtracted."""
        return subtract(_pairing(evaluation, left), _pairing(evaluation, right))

    def _asymmetry(self, pushed: Quantity, twice: Quantity | None) -> Form:
        forms = self.at_tangents.forms
        return subtract(forms[pushed], forms[twice] if twice is not None else {})


def _pairing(evaluation: Evaluation, pairs: Pairs) -> Form:
    return add(*(evaluation.term(Term(a * b, a.axes)) for a, b in pairs))


def _text(pairs: Pairs) -> str:
    return " + ".join(f"sum({a} {b})" for a, b in pairs)
