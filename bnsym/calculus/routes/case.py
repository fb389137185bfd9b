"""What a route of proof is given: a program, and the derivative of it that is to be checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bnsym.calculus.chain import Derivative, differentiable
from bnsym.model import Axis, Premise, Program, Quantity, Size


@dataclass(frozen=True)
class Case:
    """A program and its derivative under one name; `sizes` are the names that the definition gives to sizes."""

    name: str
    program: Program
    derivative: Derivative
    premises: tuple[Premise, ...] = ()
    sizes: dict[Axis, str] = field(default_factory=dict)

    def claims(self) -> Iterator[tuple[str, Quantity, Quantity | None]]:
        """For each input: the claim, the input, and its gradient; None where no path leads to the input."""
        for u in differentiable(self.program):
            gradient = self.derivative.gradients.get(u)
            what = f"{gradient} is the derivative" if gradient is not None else "the derivative is zero"
            yield f"{self.name}: {what} with regard to {u}", u, gradient


def size_names(program: Program) -> dict[Axis, str]:
    """The names of sizes that a program's equations use."""
    sizes = {s for e in program.equations for t in e.terms for s in t.body.atoms(Size)}
    return {s.axis: s.name for s in sorted(sizes, key=lambda s: s.name)}
