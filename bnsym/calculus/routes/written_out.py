"""The elements written out one by one, for a few small sizes, and differentiated by SymPy.

No index, no sum sign, no rule about sums: every element is a symbol of its own, and both the loss and the chain rule's
program are evaluated on the same symbols. One element of each gradient is compared: programs treat all positions
alike, so one speaks for all. An axis that nothing is summed over gets one position, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

import numpy as np
import sympy

from bnsym.calculus.context import Context
from bnsym.calculus.elements import SYMBOLS, Array, evaluate
from bnsym.calculus.forms import Form, factor, subtract
from bnsym.calculus.judge import judged
from bnsym.calculus.normalise import Normaliser
from bnsym.calculus.routes.case import Case
from bnsym.model import Axis, Equation, Premise, Program, Proof, Quantity, Term, quantities

Sizes = dict[Axis, int]
Elements = dict[Quantity, Array]


def proofs(case: Case) -> tuple[Proof, ...]:
    """Each gradient against SymPy's derivative of the program, at a few sizes."""
    return tuple(p for sizes in small_sizes(case.derivative.program) for p in _at(case, sizes))


def small_sizes(program: Program) -> Iterator[Sizes]:
    """2 to 5 along one summed axis; along several 1 to 3, no two of three neighbours alike."""
    summed = [a for a in program.axes if any(a in t.axes for e in program.equations for t in e.terms)]
    if len(summed) == 1:
        choices = [{summed[0]: n} for n in (2, 3, 4, 5)]
    else:
        choices = [{a: 1 + (n + k) % 3 for k, a in enumerate(summed)} for n in range(3)] if summed else [{}]
    for sizes in choices:
        yield {a: sizes.get(a, 1) for a in program.axes}


def symbols(program: Program, sizes: Sizes) -> Elements:
    """A symbol for each element of each input, and of each quantity that derivatives hold fixed."""
    held = [e.left for e in program.equations if e.held]
    return {q: _symbols(q, sizes) for q in (*program.inputs, *held)}


def _at(case: Case, sizes: Sizes) -> Iterator[Proof]:
    seeds = case.derivative.seeds
    elements = symbols(case.derivative.program, sizes)
    chain = evaluate(case.derivative.program, elements, SYMBOLS)
    forward = evaluate(case.program, {q: elements[q] for q in symbols(case.program, sizes)}, SYMBOLS)
    products = (np.asarray(elements[dy] * forward[y]) for dy, y in zip(seeds, case.program.outputs, strict=True))
    loss = sympy.Add(*(t for product in products for t in product.flat))
    if loss.has(sympy.zoo, sympy.nan):
        return  # no loss at this size, as for a division by m - 1 at m = 1
    written = Written(elements, case.premises)

    def difference(u: Quantity, gradient: Quantity | None) -> Form:
        of_chain = chain[gradient].flat[0] if gradient is not None else sympy.Integer(0)
        return subtract(written.form(sympy.diff(loss, elements[u].flat[0])), written.form(of_chain))

    for claim, u, gradient in case.claims():
        yield judged(claim, counted(sizes, case.sizes), written.context, partial(difference, u, gradient))


def counted(sizes: Sizes, names: dict[Axis, str]) -> str:
    """The method, with the sizes that it was used for."""
    counts = [f"{names.get(a, f'size of {a}')} = {n}" for a, n in sizes.items() if n > 1]
    return "written out, " + (", ".join(counts) or "one element")


class Written:
    """A context in which every element is an atom of its own."""

    def __init__(self, elements: Elements, premises: Sequence[Premise]):
        self.context = Context()
        self.form = Normaliser(self.context, lambda e: factor(e.name) if isinstance(e, sympy.Symbol) else None)
        for q, array in elements.items():
            names = {e.name for e in array.flat}
            self.context.positive |= names if q.role == "constant" else set()
            self.context.zero_one |= names if q.role == "mask" else set()
        for premise in premises:
            self._assume(premise, elements)

    def _assume(self, premise: Premise, elements: Elements) -> None:
        """The premise at every position."""
        term = premise.term
        found = quantities(term.body - premise.value)
        free = tuple(dict.fromkeys(a for q in found for a in q.axes if a not in term.axes))
        difference = Equation(Quantity("difference", free), (term, Term(-premise.value)))
        program = Program(tuple(q for q in found if q in elements), (difference,), (difference.left,))
        at_places = evaluate(program, {q: elements[q] for q in program.inputs}, SYMBOLS)[difference.left]
        for e in at_places.flat:
            self.context.assume(f"premise {term.expression} = {premise.value}", self.form(e))


def _symbols(q: Quantity, sizes: Sizes) -> Array:
    array = np.empty([sizes[a] for a in q.axes], dtype=object)
    for place in product(*(range(n) for n in array.shape)):
        name = f"{q.name}[{','.join(map(str, place))}]"  # no identifier, so that no quantity can have it
        array[place] = sympy.Symbol(name, real=True, positive=q.is_positive, nonnegative=q.is_nonnegative)
    return array
