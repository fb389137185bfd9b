"""From equations to a checked definition: its inputs in order, what `correction` computes apart, and compositions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bnsym.checks import DefinitionError, check_definition
from bnsym.model import Axis, Definition, Equation, Origin, Program, Quantity, Size

ROLES = ("data", "mask", "fixed", "parameter", "constant")
"""The order in which inputs come."""


def declared(made: Definition, namespace: Mapping[str, Any], origin: Origin) -> Definition:
    """A definition with inputs in the order its file declares them, checked, its sizes named as in the file."""
    place = {v: n for n, v in reversed(list(enumerate(namespace.values()))) if isinstance(v, Quantity)}
    whole, outputs = made.program.equations, made.program.outputs
    aside = tuple(e for e in whole if e.left.role == "fixed")
    for e in aside:
        if not e.held:
            raise DefinitionError(f"{e.origin}: {e.left} is declared as held fixed; write stop_gradient(...)")
    rest = tuple(e for e in whole if e not in aside)
    ready = replace(
        made,
        program=_with_inputs(rest, outputs, place),
        correction=_with_inputs(aside, tuple(e.left for e in aside), place) if aside else None,
    )
    check_definition(ready, origin)
    sizes: dict[Any, Any] = {v: Size(k, v.axis) for k, v in namespace.items() if isinstance(v, Size)}
    return replace(ready, program=ready.program.replace(sizes))


def _with_inputs(equations: tuple[Equation, ...], outputs: tuple[Quantity, ...], place: dict[Quantity, int]) -> Program:
    """Inputs come in the order a reader met them: data, then parameters, then constants, as the file declares them."""
    computed = {e.left for e in equations}
    found = {q for e in equations for q in e.inputs} - computed

    def order(q: Quantity) -> tuple[int, int, str]:
        return ((*ROLES, q.role).index(q.role), place.get(q, len(place)), q.name)

    return Program(tuple(sorted(found, key=order)), equations, outputs)


def composition(
    name: str, first: Definition, then: Definition, source: str, between: str, doc: str, origin: Origin
) -> Definition:
    """The second definition's first input is the first one's output; the elementwise one takes the other's axes."""
    if "elementwise" not in (first.layout, then.layout):
        raise DefinitionError(f"{origin}: {first.name} and {then.name} cannot be composed: one must be elementwise")
    (output,), x = first.program.outputs, then.program.inputs[0]
    main = first if then.layout == "elementwise" else then
    axes = output.axes if main is first else x.axes
    z = Quantity(between, axes, "value")
    before = _lifted(first.program, axes, first is not main).replace({_along(output, axes, first is not main): z})
    after = _lifted(then.program, axes, then is not main).replace({_along(x, axes, then is not main): z})
    inputs = dict.fromkeys([*before.inputs, *(q for q in after.inputs if q != z)])
    ordered = tuple(sorted(inputs, key=lambda q: ROLES.index(q.role)))
    made = Definition(
        name,
        source,
        main.layout,
        Program(ordered, (*before.equations, *after.equations), after.outputs),
        main.saved,
        (*first.premises, *then.premises),
        main.correction,
        (replace(first, program=before), replace(then, program=after)),
        doc,
        origin.file,
    )
    check_definition(made, origin)
    return made


def _lifted(program: Program, axes: tuple[Axis, ...], lift: bool) -> Program:
    """An elementwise program over arrays with other axes."""
    if not lift:
        return program
    found = [*program.inputs, *(e.left for e in program.equations)]
    return program.replace({q: _along(q, axes, True) for q in found if q.axes})


def _along(q: Quantity, axes: tuple[Axis, ...], lift: bool) -> Quantity:
    return Quantity(q.name, axes, q.role, default=q.default, absent=q.absent) if lift else q
