"""The data every part of bnsym reads: axes, quantities, equations, programs, steps, proofs, kernels.

A program is an ordered tuple of equations. Each right side is a sum of terms, and each term is an elementwise
body, perhaps summed over named axes. Symbols carry no indices: a quantity knows its axes, so `x - mean` says all
there is to say. Nothing here is ever changed after it is made, and a gradient is a program like the one it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy


class Axis(sympy.Symbol):
    """A named axis, such as `i` for the examples of a mini-batch or `c` for its features."""

    __slots__ = ()

    def __new__(cls, name: str) -> Axis:
        """An axis by its name."""
        return sympy.Symbol.__xnew__(cls, name, integer=True)


class Quantity(sympy.Symbol):
    """A named array: its name, the axes it varies along, and the part it plays.

    `role` is one of "data", "parameter", "constant", "statistic", "value", "gradient", "sum" or "size".
    `default` is a constant's default; `absent` is the number an omitted parameter stands for.
    """

    __slots__ = ("absent", "axes", "default", "role")

    def __new__(
        cls,
        name: str,
        axes: tuple[Axis, ...] = (),
        role: str = "value",
        *,
        default: float | None = None,
        absent: int | None = None,
        **assumptions: bool,
    ) -> Quantity:
        """A quantity; assumptions are SymPy's own."""
        # Symbol's own cache is passed by: it knows nothing of axes.
        self = sympy.Symbol.__xnew__(cls, name, **({"real": True} | assumptions))
        self.axes, self.role, self.default, self.absent = axes, role, default, absent
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        # One name with two axis tuples is two quantities; names, not Axis objects, so that SymPy can order them.
        return (*super()._hashable_content(), tuple(a.name for a in self.axes), self.role)


class Size(Quantity):
    """The number of positions along an axis: the paper's m is the size of the batch axis."""

    __slots__ = ("axis",)

    def __new__(cls, name: str, axis: Axis) -> Size:
        """The size of an axis."""
        self = Quantity.__new__(cls, name, (), "size", integer=True, positive=True)
        self.axis = axis
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.axis.name)


class Reduction(sympy.Expr):
    """A body reduced over named axes: `Sum(body, i)`, or the largest value, `Max(body, i)`.

    An expression only so that a definition can be written as its paper writes it; programs hold `Term`s.
    """

    def __new__(cls, body: Any, *axes: Axis) -> Reduction:
        """A body over axes."""
        return sympy.Expr.__new__(cls, sympy.sympify(body), *axes)

    @property
    def body(self) -> sympy.Expr:
        """What is reduced."""
        return self.args[0]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes it runs over."""
        return self.args[1:]

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        """The quantities in the body: an axis is bound."""
        return self.body.free_symbols

    def _eval_is_real(self) -> bool:
        return True

    def _sympystr(self, printer: Any) -> str:
        name = "Sum" if isinstance(self, Sum) else "Max"
        return f"{name}({printer.doprint(self.body)}, {', '.join(a.name for a in self.axes)})"


class Sum(Reduction):
    """`Sum(body, i, ...)`: the body added up over the axes."""


class Largest(Reduction):
    """`Max(body, i, ...)` over axes: the largest value. It has no derivative here, only a held value."""


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
        outside, inside = self.body.as_independent(*varying(self.body, self.axes), as_Add=False)
        return outside * Sum(inside, *self.axes)


def varying(expression: sympy.Expr, axes: tuple[Axis, ...]) -> list[Quantity]:
    """The quantities of an expression that vary along one of the axes, by name."""
    found = (q for q in quantities(expression) if set(q.axes) & set(axes))
    return list(found)


def quantities(expression: sympy.Expr) -> list[Quantity]:
    """Every quantity in an expression, sizes included, sorted by name."""
    return sorted((s for s in expression.free_symbols if isinstance(s, Quantity)), key=lambda q: (q.name, str(q.axes)))


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

    @property
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
    and `premises` what may be taken for granted of the inputs.
    """

    name: str
    source: str
    layout: str
    program: Program
    saved: tuple[Quantity, ...] = ()
    premises: tuple[Premise, ...] = ()
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
