"""What a definition gives and its derivatives to second order, by differences in sixty digits and nothing else.

F = <dy, y> is a function of everything. A step of 1e-15, a quarter of the digits, leaves central differences, and the
mixed ones that second order takes, right to some 29 digits. So no derivative is typed in, and none is the engine's.
"""

from functools import cache, cached_property

import mpmath
import numpy as np

from bnsym.calculus.elements import DIGITS, evaluate

from .problems import Problem

DPS = 60
_digits = np.frompyfunc(lambda v: mpmath.mpf(float(v)), 1, 1)
_float = np.frompyfunc(float, 1, 1)


def digits(a):
    return np.asarray(_digits(np.asarray(a)), object)


def floats(a):
    with np.errstate(over="ignore"):
        return np.asarray(_float(np.asarray(a, object)), float)


class Exact:
    """The exact results of one problem. `given` holds quantities that are not computed, as inference has it."""

    def __init__(self, problem, given=(), dps=DPS):
        self.dps = dps
        self.problem, self.subject, self.shapes = problem, problem.subject, problem.shapes
        quantities = {q.name: q for q in self.subject.definition.saved}
        with mpmath.workdps(self.dps):
            self.inputs = {q: digits(v) for q, v in problem.values().items()}
            if given:  # `fixed` inputs belong to the batch
                self.inputs |= {
                    q: digits(np.full_like(v, q.absent, float)) for q, v in self.inputs.items() if q.role == "fixed"
                }
            self.inputs |= {quantities[n]: self.argument(quantities[n], n) for n in given}
            self.dy = self.argument(self.subject.output, f"d{self.subject.output.name}")
            held = [e.left for e in self.subject.program.equations if e.held]
            self.held = {q: v for q, v in evaluate(self.subject.program, self.inputs, DIGITS).items() if q in held}

    def argument(self, q, name):
        return digits(self.shapes.to_program(q, self.problem.arrays[name]))

    def run(self, moves):
        """Every quantity with inputs moved; `moves` is (how far, direction by quantity), any number of them."""
        inputs = self.inputs | self.held
        for far, direction in moves:
            inputs = inputs | {q: inputs[q] + far * v for q, v in direction.items()}
        return evaluate(self.subject.program, inputs, DIGITS)

    def y(self, *moves):
        return self.run(moves)[self.subject.output]

    def slope(self, function, *directions):
        """The mixed derivative of function(*moves) along one or two directions."""
        h = mpmath.mpf(10) ** (-self.dps // 4)
        if not directions:
            return function()
        first, *rest = directions
        ahead, behind = (self.slope(lambda *moves, s=s: function((s * h, first), *moves), *rest) for s in (1, -1))
        return (ahead - behind) / (2 * h)

    def loss(self, *moves, dy=None):
        return np.sum(np.asarray((self.dy if dy is None else dy) * self.y(*moves), object))

    def units(self, q):
        """One direction for each element of an input, as long as the input is large."""
        for index in np.ndindex(self.inputs[q].shape):
            unit = np.full(self.inputs[q].shape, mpmath.mpf(0), object)
            unit[index] = self.length(q)
            yield {q: unit}

    def length(self, q):
        """A power of two near the largest value."""
        return mpmath.mpf(2) ** int(mpmath.nint(mpmath.log(max(map(abs, self.inputs[q].flat)) or 1, 2)))

    def each(self, q, value):
        """An array of value(direction), for each element of an input, as a user has it."""
        found = [value(unit) / self.length(q) for unit in self.units(q)]
        return self.shapes.to_user(q, floats(found).reshape(self.inputs[q].shape))

    def direction(self, prefix):
        """The tangents of the inputs, or what gradients are multiplied with."""
        q_s = self.subject.differentiated
        return {q: self.argument(q, prefix + q.name) for q in q_s if self.problem.arrays[prefix + q.name] is not None}

    @cached_property
    def forward(self):
        """y and what is saved of the definition's own quantities."""
        with mpmath.workdps(self.dps):
            found = self.run(())
            wanted = (self.subject.output, *self.subject.definition.saved)
            return {q.name: self.shapes.to_user(q, floats(found[q])) for q in wanted}

    @cached_property
    def backward(self):
        with mpmath.workdps(self.dps):
            gradient = lambda unit: self.slope(self.loss, unit)  # noqa: E731
            return {f"d{q.name}": self.each(q, gradient) for q in self.subject.differentiated}

    def _tangent(self, prefix):
        return self.shapes.to_user(self.subject.output, floats(self.slope(self.y, self.direction(prefix))))

    @cached_property
    def jvp(self):
        y = self.subject.output.name
        with mpmath.workdps(self.dps):
            return {y: self.forward[y], f"t{y}": self._tangent("t")}

    @cached_property
    def double_backward(self):
        """The gradients of sum(ddx * dx) + ..., which is the derivative of F along dd."""
        with mpmath.workdps(self.dps):
            along = self.direction("dd")
            found = {f"g_d{self.subject.output.name}": self._tangent("dd")}
            second = lambda unit: self.slope(self.loss, along, unit)  # noqa: E731
            return found | {f"g_{q.name}": self.each(q, second) for q in self.subject.differentiated}

    @cached_property
    def backward_jvp(self):
        with mpmath.workdps(self.dps):
            along, tdy = self.direction("t"), self.argument(self.subject.output, f"td{self.subject.output.name}")
            first = lambda *moves: self.loss(*moves, dy=tdy)  # noqa: E731
            tangent = lambda unit: self.slope(self.loss, along, unit) + self.slope(first, unit)  # noqa: E731
            return self.backward | {f"td{q.name}": self.each(q, tangent) for q in self.subject.differentiated}

    @property
    def parameter_backward(self):
        return self.backward


@cache
def exact(subject, form, seed=0, **options):
    """The exact results of a problem, which all dtypes have in common, and the problem in float64."""
    return Exact(Problem(subject, form, seed, **options))
