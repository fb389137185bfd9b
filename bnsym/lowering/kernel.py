"""What a backend prints: a kernel is a program in which each equation is one operation, and says which."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import sympy

from bnsym.model import Axis, Equation, Program, Quantity

FAR = 4
"""Standard deviations from the mean, of a pivot or of 0, beyond which digits are lost."""


class Kind(Enum):
    """What an operation does to the data."""

    MAP = "map"  # element by element over the data
    REDUCE = "reduce"  # sums over the data, combined per channel
    CONTRACT = "contract"  # a matrix product
    SCALAR = "scalar"  # arithmetic per channel


@dataclass(frozen=True)
class Operation:
    """One equation of a kernel. `nonnegative`: rounding may not take the result below zero.

    Where `where` holds in no channel it need not be done: it would change nothing but rounding.
    """

    kind: Kind
    equation: Equation
    nonnegative: bool = False
    where: sympy.Rel | None = None

    @property
    def left(self) -> Quantity:
        """What it computes."""
        return self.equation.left


@dataclass(frozen=True)
class Pivot:
    """A value that stands in for the mean of `data`, free to choose, and what is computed over it.

    A pivot further from the mean than a few standard deviations costs digits: offset^2 is then far above var.
    """

    pivot: Quantity
    data: Quantity
    axes: tuple[Axis, ...]
    offset: Quantity
    mean: Quantity
    var: Quantity
    source: sympy.Expr  # what the data are: themselves, or what they are computed from

    @property
    def excess(self) -> sympy.Expr:
        """Positive where the pivot lies too far out, and is to be taken again."""
        return self.offset**2 - FAR**2 * self.var


@dataclass(frozen=True)
class Steadied:
    """A saved mean that any number may stand in for.

    `shifted` is x - mean, `rounding` the mean of that, and `centred` what is left without it.
    """

    mean: Quantity
    shifted: Quantity
    rounding: Quantity
    centred: Quantity


@dataclass(frozen=True)
class Kernel:
    """One generated function. With `after_forward` it calls forward itself, and its results follow forward's.

    `arguments` are in the order of its signature; `takes_saved` are the fields of a `Saved` tuple that it
    reads, each with the quantity it stands for, `gives_saved` what it puts into one; `pivots` are values that it may
    choose, and `steadied` saved means whose rounding it makes up for; `degrees` say how its quantities scale with the
    data. `optional` arguments are zero where they are omitted, and where a mask is 0 what `masked` arrays hold is of no
    consequence.
    """

    name: str
    arguments: tuple[Quantity, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[Quantity, ...]
    takes_saved: tuple[tuple[str, Quantity], ...] = ()
    gives_saved: tuple[Quantity, ...] = ()
    pivots: tuple[Pivot, ...] = ()
    steadied: tuple[Steadied, ...] = ()
    degrees: dict[Quantity, int] | None = field(default=None, hash=False)
    after_forward: bool = False
    optional: tuple[Quantity, ...] = ()
    masked: tuple[Quantity, ...] = ()

    @property
    def program(self) -> Program:
        """The kernel as a program, for proofs."""
        inputs = (*self.arguments, *(q for _, q in self.takes_saved), *(p.pivot for p in self.pivots))
        return Program(inputs, tuple(o.equation for o in self.operations), (*self.outputs, *self.gives_saved))

    def reads(self, q: Quantity) -> bool:
        """Whether any operation needs a quantity."""
        return any(q in o.equation.inputs for o in self.operations)
