"""What a route of proof is given: a program, and the derivative of it that is to be checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bnsym.calculus.chain import Derivative
from bnsym.model import Axis, Premise, Program, Quantity, Size

Claim = tuple[str, Quantity, Quantity | None]


@dataclass(frozen=True)
class Case:
    """A program and its derivative under one name; `sizes` are the names that the definition gives to sizes.

    The derivative is one in the direction of tangents, where it was taken `forwards`; `order` says how many
    derivatives the claim is about, and `few` that other claims leave little to be shown. Of a second derivative,
    `program` is the first in whatever form that was proved.
    """

    name: str
    program: Program
    derivative: Derivative
    premises: tuple[Premise, ...] = ()
    sizes: dict[Axis, str] = field(default_factory=dict)
    forwards: bool = False
    order: int = 1
    few: bool = False

    def claims(self) -> Iterator[Claim]:
        """The claim, what it is about, and its gradient or tangent; None where no path leads there."""
        about = self.program.outputs if self.forwards else self.derivative.wrt
        for u in about:
            found = self.derivative.gradients.get(u)
            if self.forwards:
                yield f"{self.name}: {found} is the derivative of {u} in the direction of the tangents", u, found
            else:
                what = f"{found} is the derivative" if found is not None else "the derivative is zero"
                yield f"{self.name}: {what} with respect to {u}", u, found


def size_names(program: Program) -> dict[Axis, str]:
    """The names of sizes that a program's equations use."""
    sizes = {s for e in program.equations for t in e.terms for s in t.body.atoms(Size)}
    return {s.axis: s.name for s in sorted(sizes, key=lambda s: s.name)}
