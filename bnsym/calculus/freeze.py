"""What follows from a definition once its statistics are given: inference, and folding into scale and shift."""

from __future__ import annotations

import sympy

from bnsym.model import Axis, Definition, Equation, Program, Quantity, Size, Term


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

    The scale is the derivative of y to x, and the shift is y at x = 0. Both are numbers per channel, whatever the size
    of the data.
    """
    expression = inlined(frozen)
    x = next((q for q in frozen.inputs if q.role == "data"), None)
    if x is None or expression is None or len(frozen.outputs) != 1 or expression.has(Size):
        return None
    slope, rest = _affine(expression, x)
    if slope is None:
        return None
    inputs = tuple(q for q in frozen.inputs if slope.has(q) or rest.has(q))
    axes = _channels(x, inputs)
    if axes is None:
        return None
    scale, shift = (Quantity(name, axes, "value") for name in ("scale", "shift"))
    return Program(inputs, (Equation(scale, (Term(slope),)), Equation(shift, (Term(rest),))), (scale, shift))


def _affine(expression: sympy.Expr, x: Quantity) -> tuple[sympy.Expr | None, sympy.Expr]:
    """The slope by x, None where it is not constant, and the value at 0."""
    slope, rest = sympy.diff(expression, x), expression.xreplace({x: sympy.Integer(0)})
    if slope.has(x):
        slope = sympy.expand(slope)
    # A step has slope 0 and is not constant: what is affine is a polynomial first.
    return (slope if expression.is_polynomial(x) and not slope.has(x) else None), rest


def _channels(x: Quantity, inputs: tuple[Quantity, ...]) -> tuple[Axis, ...] | None:
    """The axes of all the other arrays, one of which is always given; None where they are not alike, or per example."""
    arrays = [q for q in inputs if q.role != "constant"]
    axes = arrays[0].axes if arrays else ()
    if any(q.axes != axes or q.role in ("data", "mask") for q in arrays) or all(q.absent is not None for q in arrays):
        return None
    return axes if axes and set(axes) <= set(x.axes[1:]) else None
