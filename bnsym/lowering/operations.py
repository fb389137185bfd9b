"""Equations as operations: which is a pass over the data, which a sum, which a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Collection

import sympy

from bnsym.lowering.kernel import Kind, Operation
from bnsym.model import Equation, Quantity, Term, quantities


def is_element(q: Quantity, inputs: tuple[Quantity, ...]) -> bool:
    """Whether a quantity has an entry for each element of the data, rather than one for each channel."""
    if q.role == "size":
        return False
    widest = max((len(i.axes) for i in inputs if i.role in ("data", "gradient", "mask") or len(i.axes) > 1), default=0)
    return 0 < widest <= len(q.axes)


def operations(
    equations: tuple[Equation, ...], inputs: tuple[Quantity, ...], nonnegative: Collection[Quantity] = ()
) -> tuple[Operation, ...]:
    """Each equation with its kind."""
    return tuple(Operation(_kind(e, inputs), e, e.left in nonnegative) for e in equations)


def _kind(e: Equation, inputs: tuple[Quantity, ...]) -> Kind:
    if any(is_product(t) for t in e.terms):
        return Kind.CONTRACT
    if any(t.axes for t in e.terms):
        return Kind.REDUCE
    return Kind.MAP if is_element(e.left, inputs) else Kind.SCALAR


def is_product(term: Term) -> bool:
    """A sum over a product of two arrays, each with an axis that the other lacks: a matrix product."""
    if not term.axes or term.largest or not term.body.is_Mul:
        return False
    found = [set(q.axes) for q in quantities(term.body) if q.axes]
    return len(found) == 2 and bool(found[0] - found[1]) and bool(found[1] - found[0])


def split_sums(e: Equation, is_wide: Callable[[Quantity], bool]) -> list[Equation]:
    """Sums that stand beside other terms of an elementwise equation, each as an equation of its own."""
    summed = [t for t in e.terms if t.axes and not is_product(t)]
    if not summed or (len(e.terms) == 1 and not t_outside(e.terms[0])[0].free_symbols) or not is_wide(e.left):
        return [e]
    made, body = [], sympy.Add(*(t.expression for t in e.terms if t not in summed))
    for n, t in enumerate(summed):
        outside, inside = t_outside(t)
        axes = tuple(a for a in e.left.axes if any(a in q.axes for q in quantities(inside)))
        name = f"sum_{e.left.name}" if len(summed) == 1 else f"sum_{e.left.name}_{n + 1}"
        part = Quantity(name, axes, "sum")
        made.append(Equation(part, (Term(inside, t.axes, t.largest),), e.held))
        body += outside * part
    return [*made, Equation(e.left, (Term(body),), e.held, e.origin)]


def t_outside(term: Term) -> tuple[sympy.Expr, sympy.Expr]:
    """What of a term does not vary along its axes, and what does."""
    varying = [q for q in quantities(term.body) if set(q.axes) & set(term.axes)]
    outside, inside = term.body.as_independent(*varying, as_Add=False)
    return outside, inside
