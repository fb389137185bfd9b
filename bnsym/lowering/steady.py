"""Data centred with a saved mean, right whatever the mean was rounded to when it was saved.

A mean in float32 is off by up to 6e-8 of itself: at mean/std = 1e4 that is 6e-4 standard deviations, in every element.
So what is left of the mean of x - mean is taken out again: for *any* number in the place of the mean, which is proved.
Where the mean is within a few standard deviations of 0 nothing is to be gained, and printed kernels leave it.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from bnsym.functions import Abs
from bnsym.lowering.kernel import FAR, Kernel, Kind, Operation, Steadied
from bnsym.lowering.operations import operations
from bnsym.lowering.pivot import mean_of
from bnsym.model import Equation, Program, Quantity, Term, quantities


def steadied(kernel: Kernel, forward: Kernel, program: Program) -> Kernel:
    """The kernel with every saved mean that it centres data with as a mere pivot; `program` is forward as derived."""
    variances = {p.mean: p.var for p in forward.pivots if p.var in forward.gives_saved}
    for _, mean in kernel.takes_saved:
        pattern = program.equation(mean)
        x = mean_of(pattern, program) if pattern else None
        if pattern is not None and x is not None:
            kernel = _steadied(kernel, x, pattern, variances.get(mean))
    return kernel


def unsteadied(kernel: Kernel) -> Kernel:
    """The kernel for people to read, with every saved mean taken for the mean."""
    made = {q for s in kernel.steadied for q in (s.shifted, s.rounding, s.centred)}
    means = {s.centred: o.equation.right for s in kernel.steadied for o in kernel.operations if o.left == s.shifted}
    rest = (o for o in kernel.operations if o.left not in made)
    return replace(kernel, operations=tuple(replace(o, equation=o.equation.replace(means)) for o in rest), steadied=())


def _steadied(kernel: Kernel, x: Quantity, pattern: Equation, var: Quantity | None) -> Kernel:
    mean = pattern.left
    shifted, centred = (Quantity(f"{x}_{word}", x.axes, "value") for word in ("shifted", "centred"))
    rounding = Quantity(f"{mean}_rounding", mean.axes, "statistic")
    first = next((n for n, o in enumerate(kernel.operations) if mean in o.equation.inputs), None)
    rewritten = tuple(replace(o, equation=o.equation.replace({x - mean: centred})) for o in kernel.operations)
    if first is None or any(mean in o.equation.inputs or o.left == centred for o in rewritten):
        return kernel
    steps = (
        Equation(shifted, (Term(x - mean),)),
        pattern.replace({x: shifted, mean: rounding}),
        Equation(centred, (Term(shifted - rounding),)),
    )
    known = {*kernel.program.inputs, *(o.left for o in kernel.operations[:first]), *(e.left for e in steps)}
    if any(q not in known for e in steps for q in e.inputs):
        return kernel
    made = operations(steps, kernel.program.inputs)
    far = sympy.Gt(mean**2, FAR**2 * var) if var is not None else _far(mean, centred, rewritten)
    guarded = (made[0], *(replace(o, where=far) for o in made[1:]))
    return replace(
        kernel,
        operations=(*rewritten[:first], *guarded, *rewritten[first:]),
        takes_saved=tuple(dict.fromkeys([*kernel.takes_saved, *((q.name, q) for q in [var] if q is not None)])),
        steadied=(*kernel.steadied, Steadied(mean, shifted, rounding, centred)),
    )


def _far(mean: Quantity, centred: Quantity, uses: tuple[Operation, ...]) -> sympy.Rel | None:
    """That the mean is far out, in units of what the centred data are multiplied with; None where that is nothing."""
    for o in uses:
        factor = o.equation.right / centred
        if o.kind is Kind.MAP and centred in o.equation.inputs and set(quantities(factor)) and _is_along(factor, mean):
            return sympy.Gt(Abs(mean * factor), FAR)
    return None


def _is_along(factor: sympy.Expr, mean: Quantity) -> bool:
    return all(set(q.axes) <= set(mean.axes) for q in quantities(factor))
