"""From a definition to every program that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy

from bnsym.calculus.chain import Derivative, differentiable, forward, reverse
from bnsym.calculus.freeze import fold, freeze
from bnsym.calculus.population import population, update_running
from bnsym.checks import DefinitionError
from bnsym.model import Definition, Equation, Program, Quantity, Step, Term


@dataclass(frozen=True, eq=False)
class Derivation:
    """A definition and what was derived from it. A program that does not exist for the definition is None."""

    definition: Definition
    backward: Derivative
    jvp: Derivative
    double_backward: Derivative
    backward_jvp: Derivative
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
    def correction(self) -> Program | None:
        """The program for what forward is given and derivatives hold fixed."""
        return self.definition.correction

    @property
    def steps(self) -> tuple[Step, ...]:
        """The chain rule's steps, in order."""
        return self.backward.steps


def derive(definition: Definition) -> Derivation:
    """Apply the chain rule to a definition, to its own result, and to the definition with its statistics frozen.

    Raises DefinitionError where the output has no derivative by one of the inputs, or what is divided by is zero.
    """
    program = definition.program
    backward = _backward(definition)
    frozen = freeze(definition)
    parameters = tuple(q for q in program.inputs if q.role == "parameter")
    return Derivation(
        definition,
        backward=backward,
        jvp=forward(program, differentiable(program)),
        double_backward=double_backward(backward),
        backward_jvp=forward(backward.program, arguments(backward)),
        # A network's first layer needs no gradient to its data; where statistics are shared, nothing would be saved.
        parameter_backward=reverse(program, parameters) if parameters and not definition.saved else None,
        inference=frozen,
        inference_backward=reverse(frozen, differentiable(frozen)) if frozen else None,
        fold=fold(frozen) if frozen else None,
        population=population(definition),
        update_running=update_running(definition),
    )


def _backward(definition: Definition) -> Derivative:
    """The gradient to every input that a gradient is taken to; an input without one has no business there."""
    program = definition.program
    backward = reverse(program, differentiable(program))
    for q in differentiable(program):
        if q not in backward.gradients:
            raise DefinitionError(f"{definition.name}: {program.outputs[0]} has no derivative by {q}")
    return backward


def double_backward(backward: Derivative) -> Derivative:
    """The chain rule applied to the backward; an argument that no path leads back to has gradient zero."""
    program, wrt = backward.program, arguments(backward)
    again = reverse(program, wrt, lambda q: f"{'d' if q in program.outputs else 'g_'}{q.name}")
    gradients = {q: again.gradients.get(q, Quantity(f"g_{q.name}", q.axes, "gradient")) for q in wrt}
    zeros = [Equation(g, (Term(sympy.Integer(0)),)) for q, g in gradients.items() if q not in again.gradients]
    equations = (*again.program.equations, *zeros)
    whole = Program(again.program.inputs, equations, tuple(gradients.values()))
    return replace(again, program=whole, gradients=again.gradients | gradients, wrt=wrt)


def arguments(backward: Derivative) -> tuple[Quantity, ...]:
    """What the gradients are computed from and vary with: the seeds, the data, and the parameters that occur."""
    used = backward.program.needed(backward.program.outputs).inputs
    return tuple(q for q in used if q in (*backward.seeds, *backward.wrt))
