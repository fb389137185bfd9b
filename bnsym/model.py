"""The data every part of bnsym reads: equations, programs, definitions, steps, proofs; and the symbols they hold.

A program is an ordered tuple of equations. Each right side is a sum of terms, and each term is an elementwise
body, perhaps summed over named axes. Nothing here is ever changed after it is made, and a gradient is a program like
the one it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import sympy

from bnsym.symbols import Axis, Largest, Quantity, Reduction, Size, Sum, quantities

__all__ = [
    "Axis",
    "Contribution",
    "Definition",
    "Equation",
    "Largest",
    "Origin",
    "Premise",
    "Program",
    "Proof",
    "Quantity",
    "Reduction",
    "Size",
    "Step",
    "Sum",
    "Term",
    "outside_and_inside",
    "quantities",
]


@dataclass(frozen=True)
class Term:
    """One term of a right side: `body`, reduced over `axes` where there are any."""

    body: sympy.Expr
    axes: tuple[Axis, ...] = ()
    largest: bool = False

    @property
    def expression(self) -> sympy.Expr:
        """The term as one expression, with what does not vary along the axes outside the sum."""
        if not self.axes:
            return self.body
        if self.largest:
            return Largest(self.body, *self.axes)
        outside, inside = outside_and_inside(self)
        return outside * Sum(inside, *self.axes)


def outside_and_inside(term: Term) -> tuple[sympy.Expr, sympy.Expr]:
    """What of a term does not vary along its axes, and what does: their product is its body.

    Out of a maximum nothing is taken: it would be a minimum for what is negative.
    """
    if term.largest:
        return sympy.Integer(1), term.body
    varying = [q for q in quantities(term.body) if set(q.axes) & set(term.axes)]
    outside, inside = term.body.as_independent(*varying, as_Add=False)
    return outside, inside


@dataclass(frozen=True)
class Origin:
    """Where an equation was written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Equation:
    """`left = sum of terms`. A `held` equation is passed by when derivatives are taken (stop-gradient)."""

    left: Quantity
    terms: tuple[Term, ...]
    held: bool = False
    origin: Origin | None = field(default=None, compare=False)

    @property
    def right(self) -> sympy.Expr:
        """The right side as one expression."""
        return sympy.Add(*(t.expression for t in self.terms))

    def replace(self, new: dict[sympy.Basic, sympy.Expr]) -> Equation:
        """The equation with other quantities in the place of some."""
        terms = tuple(Term(t.body.xreplace(new), t.axes, t.largest) for t in self.terms)
        return Equation(new.get(self.left, self.left), terms, self.held, self.origin)

    @cached_property
    def inputs(self) -> list[Quantity]:
        """The quantities on the right, sizes left out, sorted by name."""
        found = {q for t in self.terms for q in quantities(t.body) if not isinstance(q, Size)}
        return sorted(found, key=lambda q: q.name)


@dataclass(frozen=True)
class Program:
    """Equations in an order in which they can be computed, from `inputs` to `outputs`."""

    inputs: tuple[Quantity, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Quantity, ...]

    def equation(self, left: Quantity) -> Equation | None:
        """The equation that computes a quantity, or None for an input."""
        return next((e for e in self.equations if e.left == left), None)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Every axis in it, in order of first appearance."""
        seen: dict[Axis, None] = {}
        for e in self.equations:
            bodies = [q for t in e.terms for q in quantities(t.body)]
            for axis in [a for q in (*self.inputs, e.left, *bodies) for a in q.axes]:
                seen.setdefault(axis)
        return tuple(seen)

    def replace(self, new: dict[sympy.Basic, sympy.Expr]) -> Program:
        """The program with quantities renamed or put in each other's place, on both sides."""
        equations = tuple(e.replace(new) for e in self.equations)
        inputs, outputs = (tuple(new.get(q, q) for q in qs) for qs in (self.inputs, self.outputs))
        return Program(inputs, equations, outputs)

    def needed(self, outputs: tuple[Quantity, ...]) -> Program:
        """The part of the program that the outputs need."""
        wanted, kept = set(outputs), []
        for e in reversed(self.equations):
            if e.left in wanted:
                kept.append(e)
                wanted.update(e.inputs)
        return Program(tuple(q for q in self.inputs if q in wanted), tuple(reversed(kept)), outputs)


@dataclass(frozen=True)
class Premise:
    """What may be taken for granted of the inputs: a sum and its value, such as a one-hot row's 1."""

    term: Term
    value: sympy.Expr


@dataclass(frozen=True)
class Definition:
    """A normalization, or another layer, as its paper states it: a forward program and what belongs to it.

    `layout` decides the signature of the generated functions, `saved` what forward keeps for backward,
    `premises` what may be taken for granted of the inputs, and `correction` computes the inputs that derivatives hold
    fixed, where the definition says how. `parts` are the definitions that it was composed of.
    """

    name: str
    source: str
    layout: str
    program: Program
    saved: tuple[Quantity, ...] = ()
    premises: tuple[Premise, ...] = ()
    correction: Program | None = None
    parts: tuple[Definition, ...] = ()
    doc: str = field(default="", compare=False)
    file: str = field(default="", compare=False)


@dataclass(frozen=True)
class Contribution:
    """One path a gradient takes: from `consumer`'s gradient back through one equation."""

    consumer: Equation
    upstream: Quantity
    local: sympy.Expr
    term: Term


@dataclass(frozen=True)
class Step:
    """One step of a derivation: an equation, the rule it came from, and the paths that were added up."""

    equation: Equation
    rule: str
    of: Quantity
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True)
class Proof:
    """A claim and what became of it. `residual` is exactly "0" when `holds`; "undecided" is its own answer."""

    claim: str
    method: str
    holds: bool
    residual: str
    seconds: float = field(compare=False)
    premises: tuple[str, ...] = ()
