"""How wrong a variance comes out in single precision: by two passes, over a pivot, and as E[x^2] - E[x]^2.

All three are the definition's and the kernel's own equations, evaluated on the same numbers. These come from a small
generator of whole numbers, so that every machine has the same ones, and the exact variance is taken in fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from bnsym.calculus.elements import Array, Numbers, evaluate
from bnsym.calculus.fractions import FRACTIONS
from bnsym.calculus.singles import SINGLES
from bnsym.lowering.kernel import Kernel, Pivot
from bnsym.model import Program, Quantity

COUNT = 256
"""So many numbers have the variance that is looked for: a power of two, so that dividing by it rounds nothing."""
MEANS = (*(k * 10**n for n in range(6) for k in (1, 3)), 10**6)
STEPS = 4096
"""The numbers lie at multiples of 1 / STEPS around their mean: up to a mean of 4096 they are exact."""


@dataclass(frozen=True)
class Found:
    """What each way finds for the variance of numbers around one mean, and the exact one."""

    mean: int
    exact: Fraction
    passes: float
    pivoted: float
    shortcut: float

    def error(self, found: float) -> float:
        """How far off a variance is, in units of the right one."""
        return float(abs(Fraction(found) - self.exact) / self.exact)


def experiment(forward: Program, kernel: Kernel) -> tuple[Found, ...]:
    """One row for each mean."""
    return tuple(_found(forward, kernel, mean) for mean in MEANS)


def _found(forward: Program, kernel: Kernel, mean: int) -> Found:
    data = _Data(forward, kernel.pivots[0], mean)
    return Found(
        mean,
        data.variance(forward, FRACTIONS),
        data.variance(forward, SINGLES),
        data.variance(kernel.program, SINGLES, over=data.numbers[0]),
        data.variance(kernel.program, SINGLES, over=np.float32(0)),
    )


class _Data:
    """Numbers along the axes that a statistic is taken over, one position along the rest."""

    def __init__(self, forward: Program, pivot: Pivot, mean: int):
        self.forward, self.pivot = forward, pivot
        self.numbers = (mean + _spread()).astype(np.float32)
        self.sizes = dict.fromkeys(forward.axes, 1) | {pivot.axes[0]: COUNT}

    def variance(self, program: Program, numbers: Numbers, over: np.float32 | None = None) -> Any:
        """What a program finds; a kernel's takes a pivot."""
        needed = program.needed((self.pivot.var,))
        given = {q: self._array(q, numbers) for q in needed.inputs if q != self.pivot.pivot}
        if over is not None:
            given[self.pivot.pivot] = np.full([1] * len(self.pivot.pivot.axes), over)
        found = evaluate(needed, given, numbers)[self.pivot.var].flat[0]
        return found if numbers is FRACTIONS else float(found)

    def _array(self, q: Quantity, numbers: Numbers) -> Array:
        """The first data are the numbers, masks are one, and what is added to the data is zero."""
        shape = [self.sizes[a] for a in q.axes]
        if q == self.forward.inputs[0]:
            values = [Fraction(float(n)) for n in self.numbers] if numbers is FRACTIONS else self.numbers
            array = np.empty(COUNT, numbers.dtype)
            array[:] = values
            return array.reshape(shape)
        return np.full(shape, int(q.role != "data"), numbers.dtype)


@cache
def _spread() -> Array:
    """Numbers of mean near 0 and standard deviation near 1, evenly spread: a multiplicative generator."""
    state, drawn = 1, []
    for _ in range(COUNT):
        state = state * 48271 % (2**31 - 1)
        drawn.append(state % 14189 - 7094)
    return np.array(drawn) / STEPS
