"""Gradients lowered: the closed form where it is smaller, the chain rule's own program where not."""

from __future__ import annotations

from bnsym.calculus.evaluate import Evaluation
from bnsym.lowering.closed import ClosedForm, NoClosedForm
from bnsym.lowering.direct import hoisted_powers, with_powers
from bnsym.lowering.hoist import Hoist
from bnsym.lowering.names import Hoisted
from bnsym.lowering.operations import is_element, split_sums
from bnsym.lowering.recentre import recentred
from bnsym.lowering.sequence import Lowered, completed, ordered, pruned
from bnsym.model import Program, Quantity


def smaller(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation, *, recentre: bool = True) -> Lowered:
    """The closed form, or the chain rule's program where there is no closed form or it costs more."""
    raw = _raw(chain, saved, evaluation)
    try:
        closed = _closed(chain, saved, evaluation, recentre)
    except NoClosedForm:
        return raw
    return closed if closed.cost(chain.inputs) <= raw.cost(chain.inputs) else raw


def _closed(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation, recentre: bool) -> Lowered:
    hoisted = Hoisted(evaluation.context)
    closed = ClosedForm(chain, evaluation, hoisted)
    elementwise = [e.left for e in chain.equations if e.left.role == "value"]
    closed.express((*(q for q in saved if q.role == "value"), *elementwise))
    # Sums that are outputs get their names first: dx is then written with dbeta and dgamma.
    narrow_first = sorted(chain.outputs, key=lambda q: is_element(q, chain.inputs))
    outputs = [closed.equation(q) for q in narrow_first]
    reductions = {e.left: e for e in closed.reductions.values()}
    rest = [e for e in outputs if e.left not in reductions]
    if recentre:
        reductions, rest = recentred(reductions, rest, evaluation)
    recomputed = []
    for q in closed.recomputed:
        form_of = chain.equation(q)
        if q not in saved and form_of is not None:
            mapped = with_powers(form_of, hoisted)
            recomputed.append(closed.with_centred(mapped) if closed.centred else mapped)
    hoist = Hoist(lambda q: is_element(q, chain.inputs), reductions)
    kept = tuple(e for e in hoisted.equations.values() if not is_element(e.left, chain.inputs)) if saved else ()
    more = [e for e in hoisted.equations.values() if e not in kept]
    equations = [*more, *closed.centred.values(), *recomputed, *reductions.values(), *hoist.equations_of(rest)]
    available = {*chain.inputs, *saved, *(e.left for e in kept)}
    equations = ordered(completed(equations, chain, available), available)
    return Lowered(pruned(equations, chain.outputs), (*saved, *(e.left for e in kept)))


def _raw(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation) -> Lowered:
    """The program as it is: one sum an equation, per-channel arithmetic under names of its own."""
    hoisted = hoisted_powers(evaluation, chain.inputs)
    program = Program(chain.inputs, tuple(e for e in chain.equations if e.left not in saved), chain.outputs)
    program = program.needed(chain.outputs)
    mapped = [with_powers(e, hoisted) for e in program.equations]
    equations = [x for e in mapped for x in split_sums(e, lambda q: is_element(q, chain.inputs))]
    hoist = Hoist(lambda q: is_element(q, chain.inputs), {e.left: e for e in equations if e.terms[0].axes})
    kept = list(hoisted.equations.values())
    available = {*chain.inputs, *saved}
    equations = ordered([*(kept if not saved else ()), *hoist.equations_of(equations)], available)
    used = tuple(e.left for e in kept if saved and any(e.left in o.inputs for o in equations))
    return Lowered(pruned(equations, chain.outputs), (*saved, *used))
