"""Equations in an order in which they can be computed, nothing missing and nothing idle."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from bnsym.lowering.operations import is_element
from bnsym.model import Equation, Program, Quantity


@dataclass(frozen=True)
class Lowered:
    """Equations in order, one operation each, and the saved quantities they read."""

    equations: tuple[Equation, ...]
    saved: tuple[Quantity, ...] = ()

    def cost(self, inputs: tuple[Quantity, ...]) -> int:
        """Arithmetic on whole arrays; an exponential or the like costs as much as ten products."""
        wide = [e for e in self.equations if any(is_element(q, inputs) for q in e.inputs)]
        functions = sum(len(t.body.atoms(sympy.Function)) for e in wide for t in e.terms)
        return 9 * functions + sum(1 + sum(int(t.body.count_ops()) for t in e.terms) for e in wide)


def completed(equations: list[Equation], chain: Program, available: set[Quantity]) -> list[Equation]:
    """Equations of the chain rule's program that the others still need, taken in before them."""
    computed = {e.left for e in equations}
    while True:
        missing = {q for e in equations for q in e.inputs} - computed - available
        found = [e for q in sorted(missing, key=lambda q: q.name) if (e := chain.equation(q)) is not None]
        if not found:
            return equations
        equations = [*found, *equations]
        computed |= {e.left for e in found}


def ordered(equations: list[Equation], available: set[Quantity]) -> list[Equation]:
    """Each after what it uses, otherwise in the order given."""
    done, todo, known = [], list(equations), set(available)
    while todo:
        ready = next((e for e in todo if all(q in known or all(o.left != q for o in todo) for q in e.inputs)), None)
        if ready is None:
            raise ValueError(f"equations depend on each other: {', '.join(str(e.left) for e in todo)}")
        done.append(ready)
        todo.remove(ready)
        known.add(ready.left)
    return done


def pruned(equations: list[Equation], outputs: tuple[Quantity, ...]) -> tuple[Equation, ...]:
    """What the outputs need."""
    return Program((), tuple(equations), outputs).needed(outputs).equations
