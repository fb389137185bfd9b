"""Gradients and tangents centred as the data are, where their mean is needed anyway.

Where sum x_hat = 0, sum dy x_hat equals sum (dy - mean(dy)) x_hat. The first is wrong by as much as x_hat is off, times
the sum of dy: a mean that was rounded when it was saved is off by that. The second is not; and the closed form in
dy - mean(dy) is shorter.
"""

from __future__ import annotations

from dataclasses import replace

from bnsym.calculus.evaluate import Evaluation, atom
from bnsym.calculus.monomials import Monomial, bound_labels
from bnsym.lowering.sequence import ordered
from bnsym.model import Program, Quantity


def recentred(program: Program, evaluation: Evaluation) -> Program:
    """The program with the mean of each array that is summed by itself over the axes that the data are centred over."""
    forms = [evaluation.cuts.get(q, evaluation.forms[q]) for q in (*program.outputs, *evaluation.cuts)]
    arrays = [q for q in (*program.inputs, *(e.left for e in program.equations)) if q.role == "gradient"]
    masks = evaluation.context.zero_one
    means = []
    for x, mean in evaluation.centres.values():
        pattern = program.equation(mean)
        if pattern is None or x.role == "gradient":
            continue
        pattern = replace(pattern, held=False)
        summed = {a.name for t in pattern.terms for a in t.axes}
        for u in (q for q in arrays if q.axes == x.axes and evaluation.forms[q] == atom(q)):
            if any(_sums_alone(u.name, summed, monomial, masks) for form in forms for monomial in form):
                means.append(pattern.replace({x: u, mean: Quantity(f"mean_{u}", mean.axes, "sum")}))
    if not means:
        return program
    return Program(program.inputs, tuple(ordered([*means, *program.equations], set(program.inputs))), program.outputs)


def _sums_alone(name: str, summed: set[str], monomial: Monomial, masks: set[str]) -> bool:
    """Whether a monomial holds the sum of one array, and nothing but a mask under it."""
    for f, _ in monomial:
        labels = bound_labels([(f, 1)])
        if f[0] == name and {axis for axis, _ in labels} == summed:
            touching = [g[0] for g, _ in monomial if g != f and bound_labels([(g, 1)]) & labels]
            if set(touching) <= masks:
                return True
    return False
