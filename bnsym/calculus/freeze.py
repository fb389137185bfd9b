"""What follows from a definition once its statistics are given: inference, and folding into scale and shift."""

from __future__ import annotations

import sympy

from bnsym.model import Definition, Equation, Program, Quantity, Term


def batch_statistics(definition: Definition) -> tuple[Quantity, ...]:
    """The statistics that are taken over the examples: those that do not vary along the data's first axis."""
    example = definition.program.inputs[0].axes[:1]
    return tuple(
        e.left
        for e in definition.program.equations
        if e.left.role in ("statistic", "count") and not set(example) & set(e.left.axes)
    )


def freeze(definition: Definition) -> Program | None:
    """The forward program with the statistics as inputs, in the order they are declared.

    None where there is nothing to freeze: statistics of each example alone are computed at inference as in training.
    What derivatives hold fixed is at inference what an omitted one stands for: batch renormalization's r is 1, d is 0.
    """
    program = definition.program
    statistics = batch_statistics(definition)
    outputs = tuple(y for y in program.outputs if y not in statistics)
    if not statistics or not outputs:
        return None
    given = {q: sympy.Integer(q.absent) for q in program.inputs if q.role == "fixed" and q.absent is not None}
    equations = tuple(e.replace(dict(given)) for e in program.equations if e.left not in statistics)
    inputs = tuple(q for q in program.inputs if q not in given)
    frozen = Program((*inputs, *statistics), equations, outputs).needed(outputs)
    constants = tuple(q for q in frozen.inputs if q.role == "constant")
    inputs = tuple(q for q in frozen.inputs if q not in constants)
    return Program((*inputs, *constants), frozen.equations, frozen.outputs)


def inlined(program: Program) -> sympy.Expr | None:
    """The output as one elementwise expression of the inputs; None where a sum stands in the way."""
    known: dict[Quantity, sympy.Expr] = {}
    for e in program.equations:
        if any(t.axes for t in e.terms):
            return None
        known[e.left] = e.right.xreplace(known)
    return known[program.outputs[0]]


def fold(frozen: Program) -> Program | None:
    """`y = scale * x + shift` where the frozen forward is affine in its data; None where it is not.

    The scale is the derivative of y to x, and the shift is y at x = 0.
    """
    x = next((q for q in frozen.inputs if q.role == "data"), None)
    expression = inlined(frozen)
    if x is None or expression is None:
        return None
    slope = sympy.diff(expression, x)
    rest = expression.xreplace({x: sympy.Integer(0)})
    if slope.has(x):
        return None
    inputs = tuple(q for q in frozen.inputs if q != x)
    if any(q.role in ("data", "mask") for q in inputs):
        return None
    axes = tuple(a for a in x.axes if any(a in q.axes for q in inputs))
    if any(set(q.axes) - set(axes) for q in inputs):
        return None
    scale, shift = (Quantity(name, axes, "value") for name in ("scale", "shift"))
    return Program(inputs, (Equation(scale, (Term(slope),)), Equation(shift, (Term(rest),))), (scale, shift))
