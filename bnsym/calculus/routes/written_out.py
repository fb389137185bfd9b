"""The elements written out one by one, for a few small sizes, and differentiated by SymPy.

No index, no sum sign, no rule about sums: every element is a symbol of its own, and both the program and the chain
rule's derivative are evaluated on the same symbols. Programs treat all positions alike, and derivatives are linear in
their seeds: so one element of each result speaks for all, and seeds at the first two positions of each axis for every
seed. An axis that nothing is summed over gets one position, for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

import numpy as np
import sympy

from bnsym.calculus.context import Context
from bnsym.calculus.elements import SYMBOLS, Array, evaluate
from bnsym.calculus.evaluate import Evaluation
from bnsym.calculus.forms import Form, add, factor, scale, subtract
from bnsym.calculus.judge import judged
from bnsym.calculus.normalise import Normaliser
from bnsym.calculus.routes.case import Case
from bnsym.model import Axis, Equation, Premise, Program, Proof, Quantity, Term, quantities

Sizes = dict[Axis, int]
Elements = dict[Quantity, Array]

MOVED = sympy.Symbol("h", real=True)
"""How far the inputs are moved along their tangents."""


def proofs(case: Case) -> tuple[Proof, ...]:
    """Each gradient, or tangent, against SymPy's derivative of the program, at a few sizes."""
    apart = not any(t.axes for e in case.program.equations for t in e.terms)  # no position knows of another
    several = small_sizes(case.derivative.program, few=case.few or case.order > 1 or apart)
    return tuple(p for sizes in several for p in _at(case, sizes))


def small_sizes(program: Program, *, few: bool = False) -> Iterator[Sizes]:
    """2 to 5 along one summed axis; along several 1 to 3, no two neighbours alike. A `few` are the first two.

    A mask leaves at least one position: of one position it would leave that, so there are two or three then.
    """
    summed = [a for a in program.axes if any(a in t.axes for e in program.equations for t in e.terms)]
    masked = any(q.role == "mask" for q in program.inputs)
    if len(summed) == 1:
        choices = [{summed[0]: n} for n in ((2, 3) if few else (2, 3, 4, 5))]
    elif masked:
        choices = [{a: 2 + (n + k) % 2 for k, a in enumerate(summed)} for n in range(2)]
    else:
        choices = (
            [{a: 1 + (n + k) % 3 for k, a in enumerate(summed)} for n in range(2 if few else 3)] if summed else [{}]
        )
    for sizes in choices:
        yield {a: sizes.get(a, 1) for a in program.axes}


def symbols(program: Program, sizes: Sizes, seeds: Sequence[Quantity] = ()) -> Elements:
    """A symbol for each element of each input, and of each quantity that derivatives hold fixed.

    Seeds are zero from the third position on, as said above. Masks of norms are one there: a position that one leaves
    out takes no part, so that zeros would make the case of a smaller size.
    """
    held = [e.left for e in program.equations if e.held]
    counted = any(e.left.role == "count" for e in program.equations)
    few = {q: sympy.Integer(0) for q in seeds}
    few |= {q: sympy.Integer(1) for q in program.inputs if q.role == "mask" and counted}
    nothing = sympy.Integer(0)
    return {q: _symbols(q, sizes, 2 if q in few else math.inf, few.get(q, nothing)) for q in (*program.inputs, *held)}


def _at(case: Case, sizes: Sizes) -> Iterator[Proof]:
    derivative, seeds = case.derivative, case.derivative.seeds
    elements = symbols(derivative.program, sizes, seeds)
    given = {q: elements[q] for q in symbols(case.program, sizes)}
    if case.forwards:
        given |= {u: given[u] + MOVED * elements[t] for u, t in zip(derivative.wrt, seeds, strict=True)}
    found = evaluate(case.program, given, SYMBOLS)
    weighted = () if case.forwards else zip(seeds, case.program.outputs, strict=True)
    loss = sympy.Add(*(t for dy, y in weighted for t in np.asarray(elements[dy] * found[y]).flat))
    if any(e.has(sympy.zoo, sympy.nan) for e in (loss, *(found[y].flat[0] for y in case.program.outputs))):
        return  # nothing to differentiate at this size, as for a division by m - 1 at m = 1
    chain = evaluate(derivative.program, elements, SYMBOLS)
    written = Written(elements, case.premises, centred_axes(case.program))

    def difference(u: Quantity, result: Quantity | None) -> Form:
        by_sympy = sympy.diff(found[u].flat[0], MOVED) if case.forwards else sympy.diff(loss, elements[u].flat[0])
        of_chain = chain[result].flat[0] if result is not None else sympy.Integer(0)
        return subtract(written.form(by_sympy), written.form(of_chain))

    for claim, u, result in case.claims():
        yield judged(claim, counted(sizes, case.sizes), written.context, partial(difference, u, result))


def counted(sizes: Sizes, names: dict[Axis, str]) -> str:
    """The method, with the sizes that it was used for."""
    counts = [f"{names.get(a, f'size of {a}')} = {n}" for a, n in sizes.items() if n > 1]
    return "written out, " + (", ".join(counts) or "one element")


class Written:
    """A context in which every element is an atom of its own."""

    def __init__(self, elements: Elements, premises: Sequence[Premise], centred: Sequence[Axis] = ()):
        self.context = Context()
        self.known: dict[sympy.Basic, Form] = {}
        self.form = Normaliser(self.context, self._leaf)
        for q, array in elements.items():
            if q.role == "data" and centred and set(centred) <= set(q.axes):
                self._centre(q, array, centred)
        for q, array in elements.items():
            names = {e.name for e in array.flat if e.is_Symbol}
            self.context.positive |= names if q.role == "constant" else set()
            self.context.zero_one |= names if q.role == "mask" else set()
        for premise in premises:
            self._assume(premise, elements)

    def _leaf(self, e: sympy.Basic) -> Form | None:
        if e == MOVED:
            return {}
        return self.known.get(e, factor(e.name)) if isinstance(e, sympy.Symbol) else None

    def _centre(self, q: Quantity, array: Array, axes: Sequence[Axis]) -> None:
        """Other free variables for the same elements: their mean, and how far each but the last lies from it.

        Nothing is assumed by it, and what a norm subtracts the mean from is short.
        """
        places = [q.axes.index(a) for a in axes]
        rows = np.moveaxis(array, places, range(len(places)))
        for row in rows.reshape(math.prod(rows.shape[: len(places)]), -1).T:
            mean = factor(f"mean of {row[0].name}")
            apart = [factor(f"{e.name} centred") for e in row[:-1]]
            apart.append(scale(add(*apart), -1))
            self.known |= {e: add(mean, c) for e, c in zip(row, apart, strict=True)}

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


def centred_axes(program: Program) -> tuple[Axis, ...]:
    """The axes over which the program subtracts a mean."""
    centres = Evaluation().run(program).centres.values()
    means = [program.equation(mean) for _, mean in centres]
    plain = [e for e in means if e is not None and not any(q.role in ("mask", "count") for q in e.inputs)]
    return plain[0].terms[0].axes if plain else ()


def _symbols(q: Quantity, sizes: Sizes, most: float, beyond: sympy.Integer) -> Array:
    """An array of symbols; one number from the position `most` on, along any axis."""
    array = np.empty([sizes[a] for a in q.axes], dtype=object)
    for place in product(*(range(n) for n in array.shape)):
        name = f"{q.name}[{','.join(map(str, place))}]"  # no identifier, so that no quantity can have it
        array[place] = sympy.Symbol(name, real=True, zero=False) if max(place, default=0) < most else beyond
    return array
