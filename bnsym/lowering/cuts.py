"""Intermediates that lowering keeps under their names, for a shorter result: z of relu(z), and with it dz.

A fused backward recomputes z, takes the activation's derivative there, and is the plain norm's backward from dz on. A
norm whose gamma varies along the axes that are summed is the one without gamma from dx_hat on.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from bnsym.calculus.chain import Derivative
from bnsym.lowering.operations import is_element
from bnsym.model import Definition, Equation, Program, Quantity, quantities


@dataclass(frozen=True)
class Cuts:
    """What is kept: `values` and whatever is derived of them, and of `operands` only what is derived."""

    values: frozenset[Quantity]
    operands: frozenset[Quantity]

    def of(self, derivative: Derivative) -> Cuts:
        """The cuts of a derivative of the program: gradients or tangents of these."""
        found = {derivative.gradients[q] for q in self.values | self.operands if q in derivative.gradients}
        derived = {q for q in found if not _is_copy(q, derivative.program)}
        return Cuts(self.values | (derived - set(derivative.seeds)), self.operands)


def _is_copy(q: Quantity, program: Program) -> bool:
    """Whether a quantity is another's copy, or is computed for one copy alone, as dz of z - shift is."""
    own, readers = program.equation(q), [e for e in program.equations if q in e.inputs]
    return (own is not None and isinstance(own.right, Quantity)) or (len(readers) == 1 and readers[0].right == q)


def cuts(definition: Definition) -> Cuts:
    """The computed arrays that a function is taken of, those summed as if they were inputs, and operands of gamma.

    In a composition, what stands between its parts as well.
    """
    program = definition.program
    computed = {e.left: e for e in program.equations if is_element(e.left, program.inputs) and not e.held}
    kept: set[Quantity] = set(definition.parts[0].program.outputs) if definition.parts else set()
    for e in program.equations:
        for term in e.terms:
            for function in term.body.atoms(sympy.Function):
                arrays = [q for q in quantities(function) if is_element(q, program.inputs)]
                kept |= set(arrays) if len(arrays) == 1 else set()
            if term.axes:
                kept |= {q for q in quantities(term.body) if q in computed and _is_affine(computed[q], program)}
    return Cuts(frozenset(kept & computed.keys()), _operands(program, computed))


def _is_affine(e: Equation, program: Program) -> bool:
    """Whether an array is a sum of inputs."""
    return all(a in program.inputs for a in sympy.Add.make_args(e.right)) and e.right.is_Add


def _operands(program: Program, computed: dict[Quantity, Equation]) -> frozenset[Quantity]:
    """The computed arrays that are multiplied with a parameter along an axis that statistics are sums over."""
    summed = {a for e in program.equations if e.left.role == "statistic" for t in e.terms for a in t.axes}
    found = set()
    for e in computed.values():
        for product in e.right.atoms(sympy.Mul):
            if any(q.role == "parameter" and set(q.axes) & summed for q in product.args if isinstance(q, Quantity)):
                found |= {q for q in product.args if q in computed}
    return frozenset(found)
