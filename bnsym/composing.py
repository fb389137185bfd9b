"""Two definitions put together: the second one's first input is the first one's output."""

from __future__ import annotations

from dataclasses import replace

from bnsym.checks import DefinitionError
from bnsym.declaring import ROLES, check_definition
from bnsym.model import Axis, Definition, Origin, Program, Quantity


def composition(
    name: str, first: Definition, then: Definition, source: str, between: str, doc: str, origin: Origin
) -> Definition:
    """The second definition's first input is the first one's output; the elementwise one takes the other's axes."""
    main = _main(first, then, origin)
    (output,), x = first.program.outputs, then.program.inputs[0]
    z = Quantity(between, output.axes if main is first else x.axes, "value")
    before, after = _meeting(first, output, z, main), _meeting(then, x, z, main)
    _check_apart(before, after, z, origin)
    made = Definition(
        name,
        source,
        main.layout,
        _joined(before.program, after.program, z),
        main.saved,
        (*first.premises, *then.premises),
        main.correction,
        (before, after),
        doc,
        origin.file,
    )
    check_definition(made, made.program.equations, origin)
    return made


def _main(first: Definition, then: Definition, origin: Origin) -> Definition:
    """The definition whose layout the composition has."""
    for made in (first, then):
        if not isinstance(made, Definition):
            raise DefinitionError(f"{origin}: two definitions are composed, and {made!r} is none")
        if len(made.program.outputs) != 1:
            raise DefinitionError(f"{origin}: {made.name} has {len(made.program.outputs)} outputs, and needs one")
    if "elementwise" not in (first.layout, then.layout):
        raise DefinitionError(f"{origin}: {first.name} and {then.name} cannot be composed: one must be elementwise")
    main, other = (first, then) if then.layout == "elementwise" else (then, first)
    if other.correction:
        raise DefinitionError(f"{origin}: {other.name} has inputs that it computes apart, and cannot be composed")
    return main


def _meeting(part: Definition, end: Quantity, z: Quantity, main: Definition) -> Definition:
    """A part over the axes of the main one, with z for the quantity at which the two meet."""
    if part is main:
        return replace(part, program=part.program.replace({end: z}))
    return replace(part, program=_lifted(part.program, z.axes).replace({_along(end, z.axes): z}))


def _lifted(program: Program, axes: tuple[Axis, ...]) -> Program:
    """An elementwise program over arrays with other axes."""
    found = [*program.inputs, *(e.left for e in program.equations)]
    return program.replace({q: _along(q, axes) for q in found if q.axes})


def _along(q: Quantity, axes: tuple[Axis, ...]) -> Quantity:
    assumptions = {"nonnegative": True} if q.role == "mask" else {}
    return Quantity(q.name, axes, q.role, default=q.default, absent=q.absent, at_least=q.at_least, **assumptions)


def _check_apart(first: Definition, then: Definition, z: Quantity, origin: Origin) -> None:
    """Each name stands for one thing, though the two definitions were written apart."""
    programs = (first.program, then.program)
    ours, theirs = ([q.name for q in (*p.inputs, *(e.left for e in p.equations))] for p in programs)
    for name in ours:
        if name in theirs and name != z.name:
            raise DefinitionError(f"{origin}: {first.name} and {then.name} both have a {name}; rename one of them")
    if ours.count(z.name) > 1 or theirs.count(z.name) > 1:
        raise DefinitionError(f"{origin}: {z.name} is another name there already; say between=... to call it otherwise")


def _joined(before: Program, after: Program, z: Quantity) -> Program:
    """The one after the other, inputs in the order in which a definition has them."""
    inputs = dict.fromkeys([*before.inputs, *(q for q in after.inputs if q != z)])
    ordered = tuple(sorted(inputs, key=lambda q: ROLES.index(q.role)))
    return Program(ordered, (*before.equations, *after.equations), after.outputs)
