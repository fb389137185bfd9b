"""Derivatives at any shape, by numbers: a complex step, exact to rounding, and differences of that for second order.

It takes one evaluation to see what a direction does to y, so a gradient is checked by its product with directions:
<dx, t> + <dgamma, tgamma> + ... = <dy, ty>. The same number, differentiated once more, is what the results of double
backward and of backward's jvp add up to.
"""

import numpy as np

from bnsym.calculus.elements import FLOATS, evaluate
from tests.complex_step import COMPLEX

H = 1e-30j


class Steps:
    def __init__(self, problem):
        self.problem, self.subject, self.shapes = problem, problem.subject, problem.shapes
        self.inputs = problem.values()
        self.dy, self.tdy = (self._argument(f"{kind}{self.subject.output.name}") for kind in ("d", "td"))
        held = [e.left for e in self.subject.program.equations if e.held]
        with np.errstate(all="ignore"):
            found = evaluate(self.subject.program, self.inputs, FLOATS)
        self.y, self.held = found[self.subject.output], {q: found[q] for q in held}

    def _argument(self, name):
        return self.shapes.to_program(self.subject.of(name), self.problem.arrays[name]).astype(float)

    def tangents(self, prefix):
        return {q: self._argument(prefix + q.name) for q in self.subject.differentiated}

    def along(self, direction, inputs=None):
        """The derivative of y in a direction."""
        inputs = self.inputs if inputs is None else inputs
        moved = self.held | {q: v + H * direction[q] if q in direction else v for q, v in inputs.items()}
        with np.errstate(all="ignore"):
            return evaluate(self.subject.program, moved, COMPLEX)[self.subject.output].imag / H.imag

    def second(self):
        """The derivative of <dy, derivative of y along dd> along the tangents, to some ten digits."""
        along, tangents = self.tangents("dd"), self.tangents("t")

        def first(s):
            moved = {q: v + s * tangents[q] if q in tangents else v for q, v in self.inputs.items()}
            return np.sum((self.dy + s * self.tdy) * self.along(along, moved))

        h = 2e-4
        near, far = ((first(s) - first(-s)) / (2 * s) for s in (h, 2 * h))
        return (4 * near - far) / 3

    def product(self, results, prefix, directions):
        """The sum over results such as `g_x`, each with its direction such as `tx`; and the sum of magnitudes."""
        total = magnitude = 0.0
        for name, value in results.items():
            if name.startswith(prefix) and value is not None:
                terms = np.asarray(value, float) * self.problem.arrays[directions + name.removeprefix(prefix)]
                total, magnitude = total + terms.sum(), magnitude + np.abs(terms).sum()
        return total, magnitude
