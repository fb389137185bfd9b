"""How claims are stated: programs put together and substituted into, and equations written as a paper writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, subtract
from bnsym.calculus.judge import SYMBOLIC, judged
from bnsym.model import Axis, Equation, Program, Proof, Quantity, Size, quantities


def substituted(program: Program, new: Mapping[Quantity, sympy.Expr]) -> Program:
    """A program with expressions in the place of some of its inputs."""
    equations = tuple(e.replace(dict(new)) for e in program.equations)
    kept = [q for q in program.inputs if q not in new]
    computed = {e.left for e in equations}
    brought = [q for e in new.values() for q in quantities(e) if not isinstance(q, Size) and q not in computed]
    return Program(tuple(dict.fromkeys([*kept, *brought])), equations, program.outputs)


def composed(first: Program, second: Program, into: Quantity) -> Program:
    """The second program with the first one's output for its input `into`."""
    (output,) = first.outputs
    renamed = second.replace({into: output})
    inputs = dict.fromkeys([*first.inputs, *(q for q in renamed.inputs if q != output)])
    return Program(tuple(inputs), (*first.equations, *renamed.equations), renamed.outputs)


def listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def powered(base: str, exponent: sympy.Rational) -> str:
    """`a`, `a^2`."""
    return base if exponent == 1 else f"{base}^{exponent}"


Views = Mapping[Axis, tuple[Axis, ...]]


def viewed(program: Program, views: Views) -> Program:
    """A program along other axes: each may be renamed, be several at once, or have one position only, `()`."""
    new: dict[sympy.Basic, sympy.Expr] = {}
    for q in (*program.inputs, *(e.left for e in program.equations)):
        new[q] = view(q, views)
    for size in {s for e in program.equations for t in e.terms for s in t.body.atoms(Size) if s.axis in views}:
        new[size] = sympy.Mul(*(Size(f"size_{a}", a) for a in views[size.axis]))
    moved = program.replace(new)
    terms = (tuple(replace(t, axes=_along(t.axes, views)) for t in e.terms) for e in moved.equations)
    equations = tuple(replace(e, terms=t) for e, t in zip(moved.equations, terms, strict=True))
    return Program(moved.inputs, equations, moved.outputs)


def view(q: Quantity, views: Views) -> Quantity:
    """A quantity along other axes."""
    axes = _along(q.axes, views)
    assumed = {"positive": True} if q.is_positive else {"nonnegative": True} if q.is_nonnegative else {}
    return q if axes == q.axes else Quantity(q.name, axes, q.role, absent=q.absent, **assumed)


def _along(axes: tuple[Axis, ...], views: Views) -> tuple[Axis, ...]:
    return tuple(b for a in axes for b in views.get(a, (a,)))


Side = Quantity | Equation | tuple[Quantity | Equation, ...]


class Stated:
    """The quantities of a program, and what is claimed of them.

    A side of a claim is a quantity of the program, or equations whose last right side is meant; they may use every
    quantity of the program. No equations at all are zero.
    """

    def __init__(self, program: Program, beside: Stated | None = None):
        self.evaluation: Evaluation = beside.evaluation.beside() if beside else Evaluation()
        self.evaluation.run(program)

    def form(self, side: Side) -> Form:
        """The normal form of one side."""
        *before, last = side if isinstance(side, tuple) else (side,)
        evaluation = self.evaluation.beside(self.evaluation.forms)
        for e in before:
            if not isinstance(e, Equation) or e.left in evaluation.forms:
                raise ValueError(f"{e} states nothing new on the way to the last equation")
            evaluation.forms[e.left] = evaluation.right(e)
        return evaluation.right(last) if isinstance(last, Equation) else evaluation.forms[last]

    def holds(self, claim: str, *equations: Equation) -> Proof:
        """The last equation, whose left side is the program's own."""
        return self.equal(claim, equations[-1].left, equations)

    def zero(self, claim: str, *side: Equation) -> Proof:
        """The last right side is identically zero."""
        return judged(claim, SYMBOLIC, self.evaluation.context, lambda: self.form(side))

    def equal(self, claim: str, left: Side, right: Side, *, at: Stated | None = None) -> Proof:
        """Both sides are equal; the left one is stated of another program where `at` says so."""
        return judged(
            claim, SYMBOLIC, self.evaluation.context, lambda: subtract((at or self).form(left), self.form(right))
        )
