"""Whether two programs compute the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, subtract
from bnsym.calculus.judge import SYMBOLIC, judged
from bnsym.model import Premise, Program, Proof, Quantity


def same_outputs(
    reference: Program,
    other: Program,
    given: Mapping[Quantity, sympy.Expr] | None = None,
    *,
    premises: Iterable[Premise] = (),
    at: Iterable[Quantity] = (),
    claim: str = "{output} is what the chain rule's program computes",
    method: str = SYMBOLIC,
) -> tuple[Proof, ...]:
    """Two programs with outputs in one order compute the same, for all sizes: a proof an output.

    `given` says what inputs of `other` stand for that `reference` computes or does not have, as expressions in the
    reference's quantities: {mean: mean, inv_std: (var + eps)**Rational(-1, 2)}. Inputs of both are the same thing.

    `at` are quantities that both compute, such as z of relu(z). They are proved equal; what follows is then proved for
    any value of theirs, which is shorter. Where that is not enough, all is written out in the inputs.
    """
    given, premises = given or {}, tuple(premises)
    _check(reference, other, given)
    shared = [q for q in at if reference.equation(q) and other.equation(q)]
    short = _Compared(reference, other, given, premises, shared).if_all_hold(claim, method) if shared else ()
    return short or _Compared(reference, other, given, premises, ()).outputs(claim, method)


class _Compared:
    """Two programs evaluated side by side, what is in `at` left as a symbol in both."""

    def __init__(
        self,
        reference: Program,
        other: Program,
        given: Mapping[Quantity, sympy.Expr],
        premises: Iterable[Premise],
        at: Sequence[Quantity],
    ):
        self.other, self.at = other, at
        self.ends = tuple(zip(reference.outputs, other.outputs, strict=True))
        self.ours = Evaluation(cut=at).assume(premises).run(reference)
        self.theirs = self.ours.beside({q: self.ours.expression(e) for q, e in given.items()}, cut=at)

    def outputs(self, claim: str, method: str) -> tuple[Proof, ...]:
        """A proof for each output."""
        return tuple(self.proof(claim.format(output=a), method, a, b) for a, b in self.ends)

    def if_all_hold(self, claim: str, method: str) -> tuple[Proof, ...]:
        """The same where every one holds, and where what is left as symbols is the same in both; else none."""
        if not all(self.proof("", method, q, q).holds for q in self.at):
            return ()
        proofs = self.outputs(claim, method)
        return proofs if all(p.holds for p in proofs) else ()

    def proof(self, claim: str, method: str, a: Quantity, b: Quantity) -> Proof:
        """The difference of one quantity of the reference and one of the other program."""
        return judged(claim, method, self.ours.context, partial(self._difference, a, b))

    def _difference(self, a: Quantity, b: Quantity) -> Form:
        theirs = self.theirs.run(self.other)
        return subtract(theirs.cuts.get(b, theirs.forms[b]), self.ours.cuts.get(a, self.ours.forms[a]))


def _check(reference: Program, other: Program, given: Mapping[Quantity, sympy.Expr]) -> None:
    """Every input of `other` has one meaning: a name alone is none."""
    for e in other.equations:
        if e.left in given:
            raise ValueError(f"{e.left} cannot be given: the program computes it")
    for q in other.inputs:
        if q not in given and q not in reference.inputs:
            raise ValueError(f"{q} is no input of the reference: say in `given` what it stands for")
