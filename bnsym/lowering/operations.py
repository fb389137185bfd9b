"""Equations as operations: which is a pass over the data, which a sum, which a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Collection

import sympy

from bnsym.lowering.kernel import Kind, Operation
from bnsym.model import Axis, Equation, Program, Quantity, Size, Term, outside_and_inside, quantities


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
    """A matrix product: two arrays of two axes that share the summed one; a number may stand outside."""
    if len(term.axes) != 1 or term.largest:
        return False
    outside, inside = outside_and_inside(term)
    factors = list(inside.args) if inside.is_Mul else []
    if len(factors) != 2 or not all(isinstance(q, Quantity) and len(q.axes) == 2 for q in factors):
        return False
    shared = set(factors[0].axes) & set(factors[1].axes)
    return shared == set(term.axes) and all(isinstance(q, Size) for q in quantities(outside))


def split_sums(e: Equation, is_wide: Callable[[Quantity], bool]) -> list[Equation]:
    """Sums that stand beside other terms of an elementwise equation, each as an equation of its own.

    One matrix product may stay: the other terms are added into its array.
    """
    summed = [t for t in e.terms if t.axes]
    bare = len(e.terms) == 1 and not (summed and outside_and_inside(e.terms[0])[0].free_symbols)
    if not summed or bare or not is_wide(e.left) or (len(summed) == 1 and is_product(summed[0])):
        return [e]
    made, body = [], sympy.Add(*(t.body for t in e.terms if not t.axes))
    for n, t in enumerate(summed, start=1):
        outside, inside = outside_and_inside(t)
        axes = tuple(a for a in e.left.axes if any(a in q.axes for q in quantities(inside)))
        part = Quantity(f"sum_{e.left.name}" if len(summed) == 1 else f"sum_{e.left.name}_{n}", axes, "sum")
        made.append(Equation(part, (Term(inside, t.axes, t.largest),), e.held))
        body += outside * part
    return [*made, Equation(e.left, (Term(body),), e.held, e.origin)]


def counted(e: Equation, sizes: dict[Axis, Size]) -> Equation:
    """Sums over axes that nothing varies along as products with their sizes."""
    terms = []
    for t in e.terms:
        idle = [a for a in t.axes if not any(a in q.axes for q in quantities(t.body)) and not t.largest]
        many = sympy.Mul(*(sizes.get(a, Size(f"size_{a.name}", a)) for a in idle))
        terms.append(Term(many * t.body, tuple(a for a in t.axes if a not in idle), t.largest))
    return Equation(e.left, tuple(terms), e.held, e.origin)


def sizes_of(program: Program) -> dict[Axis, Size]:
    """The sizes that a program uses, by axis."""
    return {q.axis: q for e in program.equations for t in e.terms for q in t.body.atoms(Size)}
