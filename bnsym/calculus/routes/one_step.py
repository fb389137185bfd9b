"""One step of the chain rule by itself: with the quantity as an input, its gradient is an ordinary derivative."""

from __future__ import annotations

from dataclasses import replace

from bnsym.calculus.derive import Derivation
from bnsym.calculus.routes import total_derivative, written_out
from bnsym.calculus.routes.case import Case, size_names
from bnsym.model import Program, Proof, Quantity, Step


def proofs(derivation: Derivation, step: Step) -> tuple[Proof, ...]:
    """That SymPy finds the same gradient to the quantity, in both ways that a whole derivative is proved."""
    backward, u = derivation.backward, step.of
    program = _given(derivation.forward, u)
    alone = replace(
        backward, program=_given(backward.program, u), gradients={u: step.equation.left}, wrt=(u,), steps=(step,)
    )
    premises, sizes = derivation.definition.premises, size_names(derivation.forward)
    case = Case("backward", program, alone, premises, sizes, few=True)
    return (*total_derivative.proofs(case), *written_out.proofs(case))


def _given(program: Program, u: Quantity) -> Program:
    """The program with a quantity given that it computes."""
    inputs = tuple(dict.fromkeys((*program.inputs, u)))
    return Program(inputs, tuple(e for e in program.equations if e.left != u), program.outputs)
