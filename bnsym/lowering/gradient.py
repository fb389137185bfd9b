"""Gradients lowered: the closed form where it is smaller, the chain rule's own program where not."""

from __future__ import annotations

from bnsym.calculus.evaluate import Evaluation
from bnsym.lowering.closed import ClosedForm
from bnsym.lowering.direct import hoisted_powers, with_powers
from bnsym.lowering.hoist import Hoist
from bnsym.lowering.names import Hoisted
from bnsym.lowering.operations import counted, is_element, sizes_of, split_sums
from bnsym.lowering.sequence import Lowered, completed, ordered, pruned
from bnsym.lowering.shared import functions_shared, in_two_stages
from bnsym.lowering.spelling import NoClosedForm
from bnsym.model import Program, Quantity

MOST = 1.5
"""How much more a closed form may cost than the chain rule's program: it is the one that is right in every range."""


def smaller(
    chain: Program,
    saved: tuple[Quantity, ...],
    evaluation: Evaluation,
    *,
    extend: bool = False,
) -> Lowered:
    """The closed form, or the chain rule's program where there is no closed form or it costs much more.

    With `extend`, powers of statistics that it needs are saved too: inv_std beside var.
    """
    try:
        closed = _closed(chain, saved, evaluation, extend)
    except NoClosedForm:
        return _raw(chain, saved, evaluation, extend)
    as_it_stands = Lowered(chain.needed(chain.outputs).equations)
    if closed.cost(chain.inputs) <= as_it_stands.cost(chain.inputs):
        return closed
    raw = _raw(chain, saved, evaluation, extend)
    return closed if closed.cost(chain.inputs) <= MOST * raw.cost(chain.inputs) else raw


def _closed(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation, extend: bool) -> Lowered:
    hoisted = Hoisted(evaluation.context)
    closed = ClosedForm(chain, evaluation, hoisted)
    elementwise = [e.left for e in chain.equations if e.left.role == "value"]
    closed.express((*(q for q in saved if q.role == "value"), *elementwise))
    outputs = closed.equations(chain.outputs, saved)
    reductions = {e.left: e for e in in_two_stages(list(closed.reductions.values()))}
    rest = [e for e in outputs if e.left not in reductions]
    recomputed = []
    for q in closed.recomputed:
        form_of = chain.equation(q)
        if q not in saved and form_of is not None:
            mapped = with_powers(form_of, hoisted)
            recomputed.append(closed.with_centred(mapped) if closed.centred else mapped)
    shared = functions_shared([*recomputed, *reductions.values(), *rest], lambda q: is_element(q, chain.inputs))
    split, sums = len(shared) - len(rest), len(reductions)
    rest, recomputed = shared[split:], shared[: split - sums]
    reductions = {e.left: e for e in shared[split - sums : split]}
    hoist = Hoist(lambda q: is_element(q, chain.inputs), reductions)
    kept = tuple(e for e in hoisted.equations.values() if _is_kept(e.left, chain.inputs, saved, extend))
    more = [e for e in hoisted.equations.values() if e not in kept]
    equations = [*more, *closed.centred.values(), *recomputed, *reductions.values(), *hoist.equations_of(rest)]
    available = {*chain.inputs, *saved, *(e.left for e in kept)}
    equations = ordered(completed(equations, chain, available), available)
    return Lowered(pruned(equations, chain.outputs), tuple(dict.fromkeys([*saved, *(e.left for e in kept)])))


def _is_kept(q: Quantity, inputs: tuple[Quantity, ...], saved: tuple[Quantity, ...], extend: bool) -> bool:
    """Whether a hoisted power is taken from what forward saved."""
    return q in saved or (extend and bool(saved) and not is_element(q, inputs))


def _raw(chain: Program, saved: tuple[Quantity, ...], evaluation: Evaluation, extend: bool) -> Lowered:
    """The program as it is: one sum an equation, per-channel arithmetic under names of its own."""
    hoisted = hoisted_powers(evaluation, chain.inputs)
    program = Program(chain.inputs, tuple(e for e in chain.equations if e.left not in saved), chain.outputs)
    program = program.needed(chain.outputs)
    equations = [counted(e, sizes_of(program)) for e in program.equations]
    mapped = functions_shared([with_powers(e, hoisted) for e in equations], lambda q: is_element(q, chain.inputs))
    equations = [x for e in mapped for x in split_sums(e, lambda q: is_element(q, chain.inputs))]
    hoist = Hoist(lambda q: is_element(q, chain.inputs), {e.left: e for e in equations if e.terms[0].axes})
    kept = [e for e in hoisted.equations.values() if _is_kept(e.left, chain.inputs, saved, extend)]
    own = [e for e in hoisted.equations.values() if e not in kept]
    available = {*chain.inputs, *saved}
    equations = ordered([*own, *hoist.equations_of(equations)], available)
    used = tuple(e.left for e in kept if any(e.left in o.inputs for o in equations))
    return Lowered(pruned(equations, chain.outputs), tuple(dict.fromkeys([*saved, *used])))
