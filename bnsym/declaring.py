"""From equations to a checked definition: its inputs in order, and what `correction` computes apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bnsym.checks import DefinitionError, check_equations, check_name, check_one_meaning
from bnsym.layouts import LAYOUTS, check_given_back, check_layout
from bnsym.model import Definition, Equation, Origin, Premise, Program, Quantity, Size, quantities

ROLES = ("data", "mask", "fixed", "parameter", "constant")
"""The order in which inputs come."""

DERIVED = {"d{}": "gradient", "t{}": "tangent", "g_{}": "second gradient", "dd{}": "gradient of the gradient",
           "td{}": "tangent of the gradient", "g_d{}": "second gradient"}  # fmt: skip
"""How quantities that are derived from others are called."""


def declared(made: Definition, namespace: Mapping[str, Any], origin: Origin) -> Definition:
    """A definition with inputs in the order its file declares them, checked, its sizes named as in the file."""
    place = {v: (n, v) for n, v in reversed(list(enumerate(namespace.values()))) if isinstance(v, Quantity)}
    whole, outputs = made.program.equations, made.program.outputs
    aside = tuple(e for e in whole if e.left.role == "fixed")
    rest = tuple(e for e in whole if e not in aside)
    ready = replace(
        made,
        program=_with_inputs(rest, outputs, place),
        correction=_with_inputs(aside, tuple(e.left for e in aside), place) if aside else None,
    )
    check_definition(ready, whole, origin)
    sizes: dict[Any, Any] = {v: Size(k, v.axis) for k, v in namespace.items() if isinstance(v, Size)}
    return replace(ready, program=ready.program.replace(sizes))


def _with_inputs(
    equations: tuple[Equation, ...], outputs: tuple[Quantity, ...], place: dict[Quantity, tuple[int, Quantity]]
) -> Program:
    """Inputs come in the order a reader met them: data, then parameters, then constants, as the file declares them.

    They are the file's own objects: SymPy's cache may have put another file's, of that name, into an expression.
    """
    computed = {e.left for e in equations}
    found = {q for e in equations for q in e.inputs} - computed
    last = max((n for n, _ in place.values()), default=0) + 1

    def order(q: Quantity) -> tuple[int, int, str]:
        return ((*ROLES, q.role).index(q.role), place.get(q, (last, q))[0], q.name)

    return Program(tuple(place.get(q, (0, q))[1] for q in sorted(found, key=order)), equations, outputs)


def check_definition(made: Definition, whole: tuple[Equation, ...], origin: Origin) -> None:
    """Refuse a definition that could not be derived, lowered or printed, and say where."""
    check_name(made.name, "definition")
    if made.layout not in LAYOUTS:
        raise DefinitionError(f"{origin}: layout {made.layout!r} is not known; choose from {', '.join(LAYOUTS)}")
    if not isinstance(made.source, str):
        raise DefinitionError(f"{origin}: source says in words where {made.name} is from, and is {made.source!r}")
    if not made.program.equations:
        raise DefinitionError(f"{origin}: {made.name} has no equations")
    inputs = (*made.program.inputs, *(made.correction.inputs if made.correction else ()))
    known: dict[str, Quantity] = {}
    for q in inputs:
        check_one_meaning(q, known, origin)
        _check_input(q, origin)
    _check_derived_names((*inputs, *(e.left for e in whole)), origin)
    check_equations(whole, known, {a for q in inputs for a in q.axes})
    _check_counts(made, origin)
    check_given_back(made, origin)
    _check_correction(made, origin)
    for premise in made.premises:
        _check_premise(premise, made, origin)
    check_layout(made, origin)


def _check_input(q: Quantity, origin: Origin) -> None:
    """A constant's default and least value are numbers, and what an omitted input stands for is a whole one."""
    for number in (q.default, q.at_least):
        plain = isinstance(number, (int, float)) and not isinstance(number, bool)
        if q.role == "constant" and number is not None and not (plain and math.isfinite(number)):
            raise DefinitionError(f"{origin}: {q} is a constant, a number, and is given {number!r}")
    if q.absent is not None and type(q.absent) is not int:
        raise DefinitionError(f"{origin}: an omitted {q} stands for a whole number such as 0 or 1, not {q.absent!r}")


def _check_derived_names(named: Iterable[Quantity], origin: Origin) -> None:
    names = dict.fromkeys(q.name for q in named)
    for name in names:
        for derived, what in DERIVED.items():
            if derived.format(name) in names:
                raise DefinitionError(
                    f"{origin}: {derived.format(name)} is what the {what} of {name} is called; rename it"
                )


def _check_counts(made: Definition, origin: Origin) -> None:
    counts = [e for e in made.program.equations if e.left.role == "count"]
    for e in counts[1:]:
        raise DefinitionError(f"{e.origin}: a definition has one count, and {counts[0].left} is computed above")
    for e in counts:
        same = [o for o in made.program.equations if o.left != e.left and any(t in e.terms for t in o.terms)]
        if same:
            raise DefinitionError(f"{same[0].origin}: {same[0].left} holds the sum that counts() is; write {e.left}")


def _check_correction(made: Definition, origin: Origin) -> None:
    """What derivatives hold fixed is computed element by element, from what forward saved and what is given."""
    if made.correction is None:
        return
    kinds = {"statistic": "statistics", "fixed": "fixed inputs", "constant": "constants"}
    for e in made.correction.equations:
        if not e.held:
            raise DefinitionError(f"{e.origin}: {e.left} is declared as held fixed; write stop_gradient(...)")
        found = [q for t in e.terms for q in quantities(t.body)]
        wrong = [f"the {q.role} {q}" for q in found if q.role not in kinds] + ["a sum" for t in e.terms if t.axes]
        if wrong:
            raise DefinitionError(
                f"{e.origin}: {e.left} is held fixed, and may be computed from {', '.join(kinds.values())} alone,"
                f" element by element; its equation holds {wrong[0]}"
            )
    if not any(q.role == "fixed" for q in made.correction.inputs):
        raise DefinitionError(
            f"{made.correction.equations[0].origin}: {made.correction.outputs[0]} is held fixed, and computed from no"
            " array that is given; declare one, such as a running mean, by fixed()"
        )


def _check_premise(premise: Premise, made: Definition, origin: Origin) -> None:
    known = [premise.term.body] if isinstance(premise, Premise) and premise.value == 1 else []
    if not any(q in made.program.inputs and q.role in ("data", "mask") for q in known):
        raise DefinitionError(f"{origin}: a premise says that an input is one-hot, as premise(Sum(t, k), 1) does")
