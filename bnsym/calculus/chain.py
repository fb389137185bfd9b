"""The chain rule, backwards and forwards, on programs: the result is a program, and the steps that led to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from bnsym.model import Axis, Contribution, Equation, Program, Quantity, Step, Term

Naming = Callable[[Quantity], str]

RULE = "chain rule"


@dataclass(frozen=True)
class Derivative:
    """A derived program (its forward part included), the steps that added to it, and its seeds by quantity."""

    program: Program
    steps: tuple[Step, ...]
    seeds: tuple[Quantity, ...]
    gradients: dict[Quantity, Quantity]


def differentiable(program: Program) -> tuple[Quantity, ...]:
    """The inputs that a gradient is taken to."""
    return tuple(q for q in program.inputs if q.role in ("data", "parameter"))


def reverse(program: Program, wrt: tuple[Quantity, ...], name: Naming = lambda q: f"d{q.name}") -> Derivative:
    """Reverse accumulation: the gradient of sum(seed * output) to each of `wrt`.

    For v[I] = sum_K h(u, ...), with u[J]: the gradient of u gets sum over (I and K without J) of dv[I] * dh/du.
    """
    active = _depending(program, wrt)
    seeds = {y: Quantity(name(y), y.axes, "gradient") for y in program.outputs}
    gradients: dict[Quantity, Quantity] = dict(seeds)
    steps: list[Step] = []
    inner = [e.left for e in reversed(program.equations) if e.left in active]
    for u in (*inner, *wrt):
        step = _step(u, program, gradients, name)
        if step is not None:
            gradients[u] = step.equation.left
            steps.append(step)
    wanted = tuple(gradients[u] for u in wrt if u in gradients)
    equations = (*program.equations, *(s.equation for s in steps))
    whole = Program((*seeds.values(), *program.inputs), equations, wanted)
    return Derivative(whole, tuple(steps), tuple(seeds.values()), gradients)


def _depending(program: Program, wrt: tuple[Quantity, ...]) -> set[Quantity]:
    """The quantities that change when one of `wrt` does, held ones left out."""
    active = set(wrt)
    for e in program.equations:
        if not e.held and active & set(e.inputs):
            active.add(e.left)
    return active


def _step(u: Quantity, program: Program, gradients: dict[Quantity, Quantity], name: Naming) -> Step | None:
    contributions = tuple(
        c for e in reversed(program.equations) if not e.held and e.left in gradients for c in _paths(u, e, gradients)
    )
    if not contributions:
        return None
    seed = gradients.get(u)  # an output that other equations use as well: its own seed counts too
    left = Quantity(name(u) if seed is None else f"{name(u)}_total", u.axes, "gradient")
    own = () if seed is None else (Term(seed),)
    equation = Equation(left, (*own, *(c.term for c in contributions)))
    return Step(equation, _rule(contributions), u, contributions)


def _rule(contributions: tuple[Contribution, ...]) -> str:
    """The chain rule, and whether several uses are added up, or positions summed."""
    several = [f"{len(contributions)} uses added up"] if len(contributions) > 1 else []
    axes = sorted({a.name for c in contributions for a in c.term.axes})
    summed = [f"summed over {' and '.join(axes)}"] if axes else []
    return ", ".join([RULE, *several, *summed])


def _paths(u: Quantity, consumer: Equation, gradients: dict[Quantity, Quantity]) -> list[Contribution]:
    """What flows back to u through each term of one equation."""
    upstream, found = gradients[consumer.left], []
    for term in consumer.terms:
        local = sympy.diff(term.body, u)
        if local != 0:
            axes = _without((*consumer.left.axes, *term.axes), u.axes)
            found.append(Contribution(consumer, upstream, local, Term(upstream * local, axes)))
    return found


def _without(axes: tuple[Axis, ...], taken: tuple[Axis, ...]) -> tuple[Axis, ...]:
    return tuple(dict.fromkeys(a for a in axes if a not in taken))
