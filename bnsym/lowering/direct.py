"""Programs lowered as they stand: powers under names, what is affine in the data as scale and shift."""

from __future__ import annotations

import sympy

from bnsym.calculus.evaluate import Evaluation
from bnsym.lowering.hoist import Hoist
from bnsym.lowering.names import Hoisted
from bnsym.lowering.operations import counted, is_element, sizes_of, split_sums
from bnsym.lowering.sequence import Lowered, ordered, pruned
from bnsym.model import Equation, Program, Quantity, Term, quantities

Centres = tuple[tuple[Quantity, Quantity], ...]
"""Data, each with the mean that the program subtracts from it."""


def direct(program: Program, centres: Centres) -> Lowered:
    """A program evaluated as it stands: powers hoisted, what is affine in the data written as scale and shift."""
    evaluation = Evaluation().run(program)
    hoisted = hoisted_powers(evaluation, program.inputs)
    mapped = (with_powers(counted(e, sizes_of(program)), hoisted) for e in program.equations)
    split = (part for e in mapped for part in split_sums(e, lambda q: is_element(q, program.inputs)))
    equations = [*hoisted.equations.values(), *split]
    affine = _affine(ordered(equations, set(program.inputs)), program.inputs, centres)
    hoist = Hoist(lambda q: is_element(q, program.inputs), {})
    done = hoist.equations_of(pruned(affine, program.outputs))
    return Lowered(tuple(ordered(done, set(program.inputs))))


def _affine(equations: list[Equation], inputs: tuple[Quantity, ...], centres: Centres) -> list[Equation]:
    """Elementwise steps run together where the whole is affine in one array, with per-channel coefficients.

    An array that is summed over is left alone: centring it is what keeps digits.
    """
    summed = {q for e in equations for t in e.terms if t.axes for q in quantities(t.body)}
    inline: dict[Quantity, sympy.Expr] = {}
    done: list[Equation] = []
    for e in equations:
        body = None
        if is_element(e.left, inputs) and not any(t.axes for t in e.terms) and e.left not in summed:
            body = _as_affine(e.right.xreplace(inline), inputs, centres) or _as_affine(e.right, inputs, centres)
        if body is not None:
            inline[e.left] = body
        done.append(e if body is None else Equation(e.left, (Term(body),), e.held, e.origin))
    return done


def _as_affine(body: sympy.Expr, inputs: tuple[Quantity, ...], centres: Centres) -> sympy.Expr | None:
    """`coefficient * array + rest`, both per channel; x - mean counts as one array, so that no digits are lost."""
    for x, mean in centres:
        centred = Quantity(f"{x}_centred", x.axes, "data")
        form = _as_affine(body.xreplace({x: centred + mean}), inputs, ()) if body.has(x) else None
        if form is not None and not form.has(mean):
            return form.xreplace({centred: x - mean})
    arrays = [q for q in quantities(body) if is_element(q, inputs)]
    if len(arrays) != 1:
        return None
    poly = sympy.Poly(sympy.expand(body), arrays[0]) if sympy.expand(body).is_polynomial(arrays[0]) else None
    if poly is None or poly.degree() != 1:
        return None
    slope, rest = poly.all_coeffs()
    if any(is_element(Quantity("_", tuple({a for q in quantities(e) for a in q.axes})), inputs) for e in (slope, rest)):
        return None
    return sympy.Add(sympy.Mul(slope, arrays[0], evaluate=True), rest)


def hoisted_powers(evaluation: Evaluation, inputs: tuple[Quantity, ...]) -> Hoisted:
    """Every inverse power of a per-channel sum under a name."""
    hoisted = Hoisted(evaluation.context)
    for name, base in evaluation.context.written.items():
        found = [q for q in quantities(base) if q.role not in ("constant", "size")]
        if found and not any(is_element(q, inputs) for q in found):
            hoisted.power(name, sympy.Integer(1))
    return hoisted


def with_powers(equation: Equation, hoisted: Hoisted) -> Equation:
    """An equation with every hoisted power under its name."""
    terms = tuple(Term(hoisted.rewrite(t.body), t.axes, t.largest) for t in equation.terms)
    return Equation(equation.left, terms, equation.held, equation.origin)
