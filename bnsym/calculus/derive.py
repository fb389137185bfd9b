"""From a definition to every program that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from bnsym.calculus.chain import Derivative, differentiable, reverse
from bnsym.calculus.freeze import fold, freeze
from bnsym.calculus.population import population, update_running
from bnsym.checks import DefinitionError
from bnsym.model import Definition, Program, Step


@dataclass(frozen=True)
class Derivation:
    """A definition and what was derived from it. A program that does not exist for the definition is None."""

    definition: Definition
    backward: Derivative
    parameter_backward: Derivative | None
    inference: Program | None
    inference_backward: Derivative | None
    fold: Program | None
    population: Program | None
    update_running: Program | None

    @property
    def forward(self) -> Program:
        """The program that the definition states."""
        return self.definition.program

    @property
    def steps(self) -> tuple[Step, ...]:
        """The chain rule's steps, in order."""
        return self.backward.steps


def derive(definition: Definition) -> Derivation:
    """Apply the chain rule to a definition, and to the same with its statistics frozen."""
    program = definition.program
    backward = reverse(program, differentiable(program))
    for q in differentiable(program):
        if q not in backward.gradients:
            raise DefinitionError(f"{definition.name}: {definition.program.outputs[0]} has no derivative by {q}")
    frozen = freeze(definition)
    parameters = tuple(q for q in program.inputs if q.role == "parameter")
    return Derivation(
        definition,
        backward=backward,
        # A network's first layer needs no gradient to its data; where statistics are shared, nothing would be saved.
        parameter_backward=reverse(program, parameters) if parameters and not definition.saved else None,
        inference=frozen,
        inference_backward=reverse(frozen, differentiable(frozen)) if frozen else None,
        fold=fold(frozen) if frozen else None,
        population=population(definition),
        update_running=update_running(definition),
    )
