"""The data of a normalization, changed: how such claims are stated; and the shift that it does not see."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import sympy

from bnsym.calculus.derive import Derivation
from bnsym.claims.stating import Stated, listed, substituted
from bnsym.model import Equation, Proof, Quantity, Term


class Data:
    """A derivation, its first data x, and the axes that its statistics have: along them a change may differ."""

    def __init__(self, derivation: Derivation):
        self.derivation, self.forward = derivation, derivation.forward
        self.x = self.forward.inputs[0]
        self.statistics = [e.left for e in self.forward.equations if e.left.role == "statistic"]
        self.kept = tuple(a for a in self.x.axes if all(a in s.axes for s in self.statistics))
        self.summed = tuple(a for a in self.x.axes if a not in self.kept)
        fixed = [q.name for q in self.forward.inputs if q.role == "fixed"]
        self.fixed = f", for fixed {listed(fixed)}" if fixed else ""

    @cached_property
    def plain(self) -> Stated:
        """The forward as it is."""
        return Stated(self.forward)

    @cached_property
    def backward(self) -> Stated:
        """The backward as it is."""
        return Stated(self.derivation.backward.program)

    def each(self, name: str) -> str:
        """`a[c]`: one number for each c."""
        return f"{name}[{', '.join(a.name for a in self.kept)}]" if self.kept else name

    def number(self, name: str) -> Quantity:
        """A positive number for each position along the kept axes; nothing in a definition can have its name."""
        return Quantity(f"({name})", self.kept, "constant", positive=True)

    def total(self, *bodies: sympy.Expr) -> Equation:
        """What is added up over the other axes."""
        return Equation(Quantity("(total)", self.kept), tuple(Term(b, self.summed) for b in bodies))

    @property
    def over(self) -> str:
        """The names of the other axes."""
        return listed(a.name for a in self.summed)


def shifted(data: Data) -> Iterator[Proof]:
    """A shift that is the same along the other axes, where no output sees it; and what dx then adds up to.

    Where one does see it, nothing is claimed.
    """
    x, dx = data.x, data.derivation.backward.gradients[data.x]
    moved = Stated(substituted(data.forward, {x: x + data.number("b")}), beside=data.plain)
    proofs = [
        data.plain.equal(f"forward: {y} is unchanged when {data.each('b')} is added to {x}{data.fixed}", y, y, at=moved)
        for y in data.forward.outputs
    ]
    if all(proof.holds for proof in proofs):
        yield from proofs
        yield data.backward.zero(f"backward: the sum of {dx} over {data.over} is 0{data.fixed}", data.total(dx))
