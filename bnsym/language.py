"""What a definition file may say. A user's file and the project's own have one form.

i, c = axes("i c")
x = data("x", i, c)
mean = statistics("mean", c)
Definition("centre", source="...", layout="channels", equations=[Eq(mean, Sum(x, i) / size(i)), ...])
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import sympy
from sympy import erf, exp, log, sqrt, tanh

from bnsym import model
from bnsym.checks import DefinitionError, check_along, check_name, here, terms_of
from bnsym.composing import composition
from bnsym.declaring import declared
from bnsym.functions import Abs, StopGradient, elementwise_max, elementwise_min, own_functions, sign, step
from bnsym.model import Axis, Equation, Largest, Origin, Premise, Quantity, Size, Sum, Term

__all__ = [
    "Abs", "Axis", "Definition", "DefinitionError", "Eq", "Max", "Min", "Sum", "axes", "composed", "constant", "counts",
    "data", "erf", "exp", "fixed", "log", "mask", "parameter", "premise", "sign", "size", "sqrt", "statistics", "step",
    "stop_gradient", "tanh", "values",
]  # fmt: skip


def axes(names: str) -> Any:
    """Declare axes by name, several separated by blanks. Raises DefinitionError for no name, or for one said twice."""
    found = _words(names)
    for name in found:
        if found.count(name) > 1:
            raise DefinitionError(f"{here()}: axis {name} is declared twice in {names!r}")
    return _one_or_all([Axis(check_name(n, "axis")) for n in found])


def size(axis: Axis) -> Size:
    """How many positions an axis has; printed by its name in the file. Raises DefinitionError for what is no axis."""
    if not isinstance(axis, sympy.Symbol):
        raise DefinitionError(f"{here()}: a size is that of an axis, and {axis!r} is none")
    return Size(f"size_{axis.name}", axis)


def data(name: str, *along: Axis) -> Quantity:
    """An input array that varies along the axes and is differentiated."""
    return Quantity(check_name(name, "data"), check_along(name, along), "data")


def mask(name: str, *along: Axis) -> Quantity:
    """An input of zeros and ones: its square is itself, and no derivative is taken to it."""
    return Quantity(check_name(name, "mask"), check_along(name, along), "mask", nonnegative=True)


def counts(*along: Axis) -> Quantity:
    """How many positions a mask leaves: the statistic `count`, a whole number. Where it is 0, forward refuses."""
    return Quantity("count", check_along("count", along), "count", positive=True)


def fixed(name: str, *along: Axis, absent: int | None = None) -> Quantity:
    """An input that derivatives hold fixed. Where a (stop-gradient) equation computes it, `correction` does so.

    `absent` is what an omitted one (None) stands for, at inference too.
    """
    return Quantity(check_name(name, "fixed input"), check_along(name, along), "fixed", absent=absent)


def parameter(name: str, *along: Axis, absent: int | None = None) -> Quantity:
    """A learned input. `absent` is what an omitted one (None) stands for: 1 for a scale, 0 for a shift."""
    return Quantity(check_name(name, "parameter"), check_along(name, along), "parameter", absent=absent)


def constant(name: str, default: float | None = None, *, at_least: float = 0) -> Quantity:
    """A positive number that is not learned, such as eps; a keyword argument where it has a default.

    Derivations take it for positive: what may have either sign is a parameter.
    Raises DefinitionError for what cannot be a name, for what is no finite number or negative, and for a default below
    `at_least`.
    """
    made, least = check_name(name, "constant"), _number(name, at_least)
    if not least >= 0:
        raise DefinitionError(f"{here()}: {name} is a constant, which is never negative; at_least is {at_least}")
    if default is not None and not _number(name, default) >= least:
        raise DefinitionError(f"{here()}: {name} is a constant, a number of at least {least}; its default is {default}")
    return Quantity(made, (), "constant", default=default, at_least=least, positive=True)


def statistics(names: str, *along: Axis) -> Any:
    """Quantities computed from the data that forward saves for backward, and inference is given."""
    return _named(names, along, "statistic")


def values(names: str, *along: Axis) -> Any:
    """Intermediate and output quantities."""
    return _named(names, along, "value")


def Max(first: Any, *rest: Any) -> sympy.Expr:  # noqa: N802 - as the papers write it
    """`Max(z, k)` over an axis, or `Max(z, 0)` element by element. An axis maximum must be held: stop_gradient."""
    if rest and all(isinstance(r, Axis) for r in rest):
        return Largest(first, *rest)
    return elementwise_max(*(_expression(e, "what Max is taken of", here()) for e in (first, *rest)))


def Min(first: Any, *rest: Any) -> sympy.Expr:  # noqa: N802
    """The smallest, element by element."""
    return elementwise_min(*(_expression(e, "what Min is taken of", here()) for e in (first, *rest)))


def stop_gradient(expression: Any) -> sympy.Expr:
    """A value that derivatives treat as a constant. It must be a whole right side, so that it has a name."""
    return StopGradient(_expression(expression, "what derivatives hold fixed", here()))


def Eq(left: Any, right: Any) -> Equation:  # noqa: N802 - as the papers write it
    """The equation `left = right`, and where it was written. Raises DefinitionError for what the language has not."""
    origin = here()
    if not isinstance(left, Quantity):
        raise DefinitionError(f"{origin}: the left side of an equation is a declared quantity, not {left}")
    right = _expression(right, f"the right side of the equation for {left}", origin)
    held = isinstance(right, StopGradient)
    return Equation(left, terms_of(right.args[0] if held else right, left, origin, held), held, origin)


def premise(left: Any, value: Any) -> Premise:
    """`premise(Sum(t, k), 1)`: what may be taken for granted of inputs. Raises DefinitionError for what is no sum."""
    origin = here()
    if not isinstance(left, Sum) or left.body.has(Sum):
        raise DefinitionError(f"{origin}: a premise gives the value of one sum over inputs, not of {left!r}")
    return Premise(Term(left.body, left.axes), _expression(value, "what a premise gives a sum", origin))


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
    origin = Origin(frame.f_code.co_filename, frame.f_lineno)
    said = _all(equations, Equation, "equations", "Eq(left, right)")
    kept = [e.left for e in said if e.left.role in ("statistic", "count")] if saved is None else saved
    results = _all(outputs or [e.left for e in said[-1:]], Quantity, "outputs", "quantities")
    saves = _all(kept, Quantity, "saved", "quantities")
    granted, doc = _all(premises, object, "premises", "premise(...)"), (namespace.get("__doc__") or "").strip()
    program = model.Program((), said, results)
    made = model.Definition(name, source, layout, program, saves, granted, doc=doc, file=origin.file)
    return declared(made, namespace, origin)


def composed(
    name: str, first: model.Definition, then: model.Definition, *, source: str, between: str = "z"
) -> model.Definition:
    """The second definition applied to what the first one gives, which is called `between`; one is elementwise."""
    frame = sys._getframe(1)
    origin = Origin(frame.f_code.co_filename, frame.f_lineno)
    doc = (frame.f_globals.get("__doc__") or "").strip()
    return composition(name, first, then, source, check_name(between, "value"), doc, origin)


def _named(names: str, along: tuple[Axis, ...], role: str) -> Any:
    return _one_or_all([Quantity(check_name(n, role), check_along(n, along), role) for n in _words(names)])


def _one_or_all(made: list[Any]) -> Any:
    return made[0] if len(made) == 1 else tuple(made)


def _words(names: Any) -> list[str]:
    if not isinstance(names, str):
        raise DefinitionError(f"{here()}: names stand in one text, separated by blanks, and are {names!r}")
    return names.split()


def _all(given: Any, kind: type, name: str, what: str) -> tuple[Any, ...]:
    if not isinstance(given, (list, tuple)) or not all(isinstance(one, kind) for one in given):
        raise DefinitionError(f"{here()}: {name} is a list of {what}, not {given!r}")
    return tuple(given)


def _expression(given: Any, what: str, origin: Origin) -> Any:
    """A number or an expression of quantities; a text is none."""
    try:
        return own_functions(sympy.sympify(given, strict=True))
    except (sympy.SympifyError, TypeError, ValueError, AttributeError):
        raise DefinitionError(f"{origin}: {what} is an expression, not {given!r}") from None


def _number(name: str, given: Any) -> Any:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
        raise DefinitionError(f"{here()}: {name} is a constant, a number, and is given {given!r}")
    return given
