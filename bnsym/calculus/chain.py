"""The chain rule, backwards and forwards, on programs: the result is a program, and the steps that led to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy

from bnsym.model import Axis, Contribution, Equation, Program, Quantity, Step, Term

Naming = Callable[[Quantity], str]

RULE = "chain rule"


@dataclass(frozen=True)
class Derivative:
    """A derived program (its own part included), the steps that added to it, its seeds, and what it is a derivative by.

    `gradients` are the gradients, or the tangents, by what they belong to.
    """

    program: Program
    steps: tuple[Step, ...]
    seeds: tuple[Quantity, ...]
    gradients: dict[Quantity, Quantity]
    wrt: tuple[Quantity, ...]


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
    return Derivative(whole, tuple(steps), tuple(seeds.values()), gradients, wrt)


def forward(program: Program, wrt: tuple[Quantity, ...], name: Naming = lambda q: f"t{q.name}") -> Derivative:
    """Forward accumulation: the tangent of each output, for tangents of `wrt`.

    For v[I] = sum_K h(u, ...): the tangent of v is the sum over K of dh/du times the tangent of u, for every u. The
    outputs are the program's, each followed by its tangent.
    """
    tangents = {u: Quantity(name(u), u.axes, "gradient") for u in wrt}
    seeds = tuple(tangents.values())
    steps: list[Step] = []
    equations: list[Equation] = []
    for e in program.equations:
        equations.append(e)
        paths = () if e.held else tuple(_pushed(e, tangents))
        if paths or e.left in program.outputs:
            tangents[e.left] = Quantity(name(e.left), e.left.axes, "gradient")
            terms = tuple(p.term for p in paths) or (Term(sympy.Integer(0)),)
            equations.append(Equation(tangents[e.left], terms))
            steps.append(Step(equations[-1], _rule(paths), e.left, paths))
    outputs = tuple(q for y in program.outputs for q in (y, tangents[y]))
    whole = Program((*program.inputs, *seeds), tuple(equations), outputs)
    return Derivative(whole, tuple(steps), seeds, tangents, wrt)


def _pushed(e: Equation, tangents: dict[Quantity, Quantity]) -> Iterator[Contribution]:
    """What each quantity that an equation uses adds to the tangent of its left side."""
    for term in e.terms:
        for u in (q for q in e.inputs if q in tangents):
            local = sympy.diff(term.body, u)
            if local != 0:
                yield Contribution(e, tangents[u], local, Term(local * tangents[u], term.axes))


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
