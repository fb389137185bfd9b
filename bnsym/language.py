"""What a definition file may say. A user's file and the project's own have one form.

i, c = axes("i c")
x = data("x", i, c)
mean = statistics("mean", c)
Definition("centre", source="...", layout="channels", equations=[Eq(mean, Sum(x, i) / size(i)), ...])
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy import erf, exp, log, sqrt, tanh

from bnsym import model
from bnsym.checks import DefinitionError, check_along, check_definition, check_name, terms_of
from bnsym.functions import Abs, StopGradient, elementwise_max, own_functions, sign, step
from bnsym.model import Axis, Equation, Largest, Origin, Premise, Program, Quantity, Size, Sum, Term

__all__ = [
    "Abs", "Axis", "Definition", "DefinitionError", "Eq", "Max", "Sum", "axes", "constant", "data", "erf", "exp", "log",
    "mask", "parameter", "premise", "sign", "size", "sqrt", "statistics", "step", "stop_gradient", "tanh", "values",
]  # fmt: skip


def axes(names: str) -> Any:
    """Declare named axes, one or several by name, separated by blanks."""
    found = names.split()
    for name in found:
        if found.count(name) > 1:
            raise DefinitionError(f"axis {name} is declared twice in {names!r}")
    return _one_or_all([Axis(check_name(n, "axis")) for n in found])


def size(axis: Axis) -> Size:
    """The number of positions along an axis. The name it is bound to in the file is the name it is printed with."""
    return Size(f"size_{axis.name}", axis)


def data(name: str, *along: Axis) -> Quantity:
    """An input array that varies along the axes and is differentiated."""
    return Quantity(check_name(name, "data"), check_along(name, along), "data")


def mask(name: str, *along: Axis) -> Quantity:
    """An input of zeros and ones: its square is itself, and no derivative is taken to it."""
    return Quantity(check_name(name, "mask"), check_along(name, along), "mask", nonnegative=True)


def parameter(name: str, *along: Axis, absent: int | None = None) -> Quantity:
    """A learned input. `absent` is what an omitted one (None) stands for: 1 for a scale, 0 for a shift."""
    return Quantity(check_name(name, "parameter"), check_along(name, along), "parameter", absent=absent)


def constant(name: str, default: float | None = None) -> Quantity:
    """A positive number that is not learned, such as eps; a keyword argument of the generated functions."""
    if default is not None and not default >= 0:
        raise DefinitionError(f"{name} is a constant, a number of at least 0; its default is {default}")
    return Quantity(check_name(name, "constant"), (), "constant", default=default, positive=True)


def statistics(names: str, *along: Axis) -> Any:
    """Quantities computed from the data that forward saves for backward, and inference is given."""
    return _one_or_all(
        [Quantity(check_name(n, "statistic"), check_along(n, along), "statistic") for n in names.split()]
    )


def values(names: str, *along: Axis) -> Any:
    """Intermediate and output quantities."""
    return _declared(names, along, "value")


def Max(first: Any, *rest: Any) -> sympy.Expr:  # noqa: N802 - as the papers write it
    """`Max(z, k)` over an axis, or `Max(z, 0)` element by element. An axis maximum must be held: stop_gradient."""
    if rest and all(isinstance(r, Axis) for r in rest):
        return Largest(first, *rest)
    return elementwise_max(first, *rest)


def stop_gradient(expression: Any) -> sympy.Expr:
    """A value that derivatives treat as a constant. It must be a whole right side, so that it has a name."""
    return StopGradient(sympy.sympify(expression))


def Eq(left: Any, right: Any) -> Equation:  # noqa: N802 - as the papers write it
    """The equation `left = right`, with the file and line it was written on."""
    frame = sys._getframe(1)
    origin = Origin(frame.f_code.co_filename, frame.f_lineno)
    if not isinstance(left, Quantity):
        raise DefinitionError(f"{origin}: the left side of an equation is a declared quantity, not {left}")
    right = own_functions(sympy.sympify(right))
    held = isinstance(right, StopGradient)
    return Equation(left, terms_of(right.args[0] if held else right, left, origin, held), held, origin)


def premise(left: Any, value: Any) -> Premise:
    """What may be taken for granted of the inputs: `premise(Sum(t, k), 1)` for one-hot targets."""
    frame = sys._getframe(1)
    origin = Origin(frame.f_code.co_filename, frame.f_lineno)
    if not isinstance(left, Sum) or left.body.has(Sum):
        raise DefinitionError(f"{origin}: a premise gives the value of one sum over inputs, not of {left}")
    return Premise(Term(left.body, left.axes), sympy.sympify(value))


def Definition(  # noqa: N802 - a definition file reads as a declaration
    name: str,
    *,
    source: str,
    layout: str,
    equations: Sequence[Equation],
    outputs: Sequence[Quantity] | None = None,
    saved: Sequence[Quantity] | None = None,
    premises: Sequence[Premise] = (),
) -> model.Definition:
    """A definition: its equations in the order they are computed, the last one's left side the output."""
    frame = sys._getframe(1)
    namespace = {**frame.f_globals, **frame.f_locals}
    program = _program(tuple(equations), outputs, list(namespace.values()))
    made = model.Definition(
        name,
        source,
        layout,
        program,
        tuple(saved) if saved is not None else tuple(e.left for e in equations if e.left.role == "statistic"),
        tuple(premises),
        (namespace.get("__doc__") or "").strip(),
        frame.f_code.co_filename,
    )
    check_definition(made, Origin(frame.f_code.co_filename, frame.f_lineno))
    return _with_size_names(made, {v: k for k, v in namespace.items() if isinstance(v, Size)})


def _program(equations: tuple[Equation, ...], outputs: Sequence[Quantity] | None, bound: list[Any]) -> Program:
    """Inputs come in the order a reader met them: data, then parameters, then constants, as the file declares them."""
    computed = {e.left for e in equations}
    found = {q for e in equations for q in e.inputs} - computed
    roles = ("data", "mask", "parameter", "constant")
    place = {v: n for n, v in reversed(list(enumerate(bound))) if isinstance(v, Quantity)}

    def order(q: Quantity) -> tuple[int, int, str]:
        return ((*roles, q.role).index(q.role), place.get(q, len(bound)), q.name)

    inputs = tuple(sorted(found, key=order))
    return Program(inputs, equations, tuple(outputs or [e.left for e in equations[-1:]]))


def _with_size_names(made: model.Definition, names: dict[Size, str]) -> model.Definition:
    renamed = {old: Size(name, old.axis) for old, name in names.items()}
    return replace(made, program=made.program.replace(renamed))


def _declared(names: str, along: tuple[Axis, ...], role: str) -> Any:
    return _one_or_all([Quantity(check_name(n, role), check_along(n, along), role) for n in names.split()])


def _one_or_all(made: list[Any]) -> Any:
    return made[0] if len(made) == 1 else tuple(made)
