"""What a definition may say and what it may not: each refusal is one sentence that points at the line."""

from __future__ import annotations

import keyword
from typing import Any

import sympy

from bnsym.functions import StopGradient
from bnsym.model import Axis, Definition, Equation, Largest, Origin, Quantity, Reduction, Size, Term, quantities

LAYOUTS = ("channels", "trailing", "groups", "instance", "arrays", "elementwise")
"""How the arrays of a definition lie in memory, and so what the generated functions' arguments are."""

ARGUMENTS = {"out", "saved", "channel_axis", "normalized_ndim", "num_groups", "count", "momentum", "threads", "plan"}
FUNCTIONS = {"forward", "backward", "parameter_backward", "inference", "inference_backward", "fold", "population",
             "update_running", "jvp", "double_backward", "backward_jvp", "correction"}  # fmt: skip
LOCALS = {"np", "math", "Any", "Array", "NamedTuple", "Saved", "Sequence", "annotations", "shape", "channels", "dtype",
          "leading", "trailing", "lengths", "kept_dtype", "unit", "given", "work"}  # fmt: skip
BUILTINS = {"all", "any", "bool", "bytes", "dict", "float", "getattr", "int", "isinstance", "len", "list", "range",
            "str", "tuple", "type", "zip", "TypeError", "ValueError"}  # fmt: skip
RESERVED = ARGUMENTS | FUNCTIONS | LOCALS | BUILTINS
"""Names that the generated modules use themselves, and could not tell from a quantity's."""


class DefinitionError(ValueError):
    """A definition says what it may not say."""


def check_name(name: Any, kind: str) -> str:
    """A name that can stand in generated code: an identifier, no keyword, no argument the generated functions have."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise DefinitionError(f"{name!r} cannot name a {kind}: a name is a Python identifier")
    if name in RESERVED or name.startswith(("_", "has_", "work_")) or name.endswith(("_result", "_kept")):
        raise DefinitionError(f"{name!r} cannot name a {kind}: the generated functions use that name themselves")
    return name


def check_along(name: str, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The axes a quantity varies along: each an axis, and each once."""
    for axis in axes:
        if not isinstance(axis, Axis):
            raise DefinitionError(f"{name} varies along axes, and {axis} is none")
        if axes.count(axis) > 1:
            raise DefinitionError(f"{name} varies along {axis} twice; use a second axis")
    return axes


def terms_of(right: sympy.Expr, left: Quantity, origin: Origin, held: bool = False) -> tuple[Term, ...]:
    """A right side as terms: what is elementwise in one, and each sum in a term of its own."""
    elementwise = [a for a in sympy.Add.make_args(right) if not a.has(Reduction, StopGradient)]
    terms = [Term(sympy.Add(*elementwise))] if elementwise else []
    for part in sympy.Add.make_args(right):
        if part.has(Reduction, StopGradient):
            terms += _reduced_terms(part, left, origin, held)
    return tuple(terms)


def _reduced_terms(part: sympy.Expr, left: Quantity, origin: Origin, held: bool) -> list[Term]:
    """`coefficient * Sum(body, axes)` as terms whose body holds the coefficient."""
    factors = sympy.Mul.make_args(part)
    reductions = [f for f in factors if isinstance(f, Reduction)]
    inner = [f for f in factors if f.has(Reduction, StopGradient) and not isinstance(f, Reduction)]
    if not reductions and len(inner) == 1 and isinstance(inner[0], sympy.Add):
        opened = sympy.Add(*(sympy.Mul(part / inner[0], a) for a in inner[0].args))
        return list(terms_of(opened, left, origin, held))
    if len(reductions) != 1 or inner:
        raise DefinitionError(
            f"{origin}: a sum in the equation for {left} stands inside another expression; give it its own equation"
        )
    reduction, coefficient = reductions[0], part / reductions[0]
    _check_largest(reduction, coefficient, left, origin, held)
    terms = []
    for term in terms_of(reduction.body, left, origin):
        terms.append(_outer_sum(term, reduction, coefficient, left, origin))
    return terms


def _check_largest(reduction: Reduction, coefficient: sympy.Expr, left: Quantity, origin: Origin, held: bool) -> None:
    if isinstance(reduction, Largest) and not (held and coefficient == 1 and not reduction.body.has(Reduction)):
        raise DefinitionError(
            f"{origin}: Max over an axis has no derivative here; write Eq({left}, stop_gradient(Max(..., axis)))"
        )


def _outer_sum(term: Term, reduction: Reduction, coefficient: sympy.Expr, left: Quantity, origin: Origin) -> Term:
    for axis in reduction.axes:
        if axis in term.axes or axis in left.axes or any(axis in q.axes for q in quantities(coefficient)):
            raise DefinitionError(
                f"{origin}: the equation for {left} sums over {axis}, which {left} or another factor varies along too;"
                f" name the sum in an equation of its own that does not vary along {axis}"
            )
    return Term(coefficient * term.body, (*reduction.axes, *term.axes), isinstance(reduction, Largest))


def check_definition(made: Definition, origin: Origin) -> None:
    """Refuse a definition that could not be derived, lowered or printed, and say where."""
    check_name(made.name, "definition")
    if made.layout not in LAYOUTS:
        raise DefinitionError(f"{origin}: layout {made.layout!r} is not known; choose from {', '.join(LAYOUTS)}")
    if not made.program.equations:
        raise DefinitionError(f"{origin}: {made.name} has no equations")
    known: dict[str, Quantity] = {}
    for q in made.program.inputs:
        _check_one_meaning(q, known, origin)
    for name in [q.name for q in (*made.program.inputs, *(e.left for e in made.program.equations))]:
        for derived, what in DERIVED.items():
            other = derived.format(name)
            if other in known or any(other == e.left.name for e in made.program.equations):
                raise DefinitionError(f"{origin}: {other} is what the {what} of {name} is called; rename it")
    computed: set[Quantity] = set()
    for equation in made.program.equations:
        _check_equation(equation, computed, known)
        computed.add(equation.left)
    for q in (*made.program.outputs, *made.saved):
        if q not in computed:
            raise DefinitionError(f"{origin}: {q} is to be returned, but no equation computes it")
    _check_layout(made, origin)


DERIVED = {"d{}": "gradient", "t{}": "tangent", "g_{}": "second gradient", "dd{}": "gradient of the gradient",
           "td{}": "tangent of the gradient", "g_d{}": "second gradient"}  # fmt: skip
"""How quantities that are derived from others are called."""

AXES = {"channels": 2, "trailing": 2, "groups": 4, "instance": 3, "elementwise": 1}
"""How many axes the data of a layout have."""

PLACES = {"channels": (slice(1, 2), slice(1, 2)), "trailing": (slice(1, 2), slice(0, 1)),
          "groups": (slice(1, 3), slice(0, 2)), "instance": (slice(1, 2), slice(0, 2)),
          "elementwise": (slice(0), slice(0))}  # fmt: skip
"""Which of the data's axes parameters vary along in a layout, and which statistics."""


def _check_layout(made: Definition, origin: Origin) -> None:
    """The data come first and all alike, and parameters and statistics vary along the axis that their layout gives."""
    data = [q for q in made.program.inputs if q.role in ("data", "mask")]
    if not data or data[0].role != "data":
        raise DefinitionError(f"{origin}: {made.name} has no data to differentiate")
    count = AXES.get(made.layout)
    axes: tuple[Axis, ...] = data[0].axes
    if count is None:
        return
    if len(axes) != count:
        raise DefinitionError(
            f"{origin}: layout {made.layout!r} needs data along {count} axes, {data[0]} has {len(axes)}"
        )
    parameters, statistics = PLACES[made.layout]
    wanted = {"data": axes, "mask": axes, "parameter": axes[parameters], "fixed": axes[statistics],
              "statistic": axes[statistics], "count": axes[statistics]}  # fmt: skip
    beside = made.correction.inputs if made.correction else ()
    for q in (*made.program.inputs, *(e.left for e in made.program.equations), *beside):
        along = wanted[q.role] if q.role in wanted else q.axes  # noqa: SIM401 - mypy takes .get for optional
        if q.axes != along:
            names = ", ".join(a.name for a in along) or "no axis"
            raise DefinitionError(f"{origin}: in layout {made.layout!r} the {q.role} {q} varies along {names}")


def _check_equation(equation: Equation, computed: set[Quantity], known: dict[str, Quantity]) -> None:
    left, origin = equation.left, equation.origin
    if left in computed:
        raise DefinitionError(f"{origin}: {left} is computed a second time")
    if left.role in ("data", "parameter", "constant", "mask", "size"):
        raise DefinitionError(f"{origin}: {left} is declared as a {left.role}, an input; no equation can compute it")
    for q in (*equation.inputs, left):
        _check_one_meaning(q, known, origin)
        if q.role in ("statistic", "count", "value") and q != left and q not in computed:
            raise DefinitionError(f"{origin}: the equation for {left} uses {q}, which no earlier equation computes")
        if q == left and q in equation.inputs:
            raise DefinitionError(f"{origin}: the equation for {left} uses {left} itself")
    for term in equation.terms:
        _check_axes(term, left, origin)


def _check_axes(term: Term, left: Quantity, origin: Origin | None) -> None:
    foreign = [s for s in term.body.free_symbols if not isinstance(s, Quantity)]
    if foreign:
        names = ", ".join(sorted(map(str, foreign)))
        raise DefinitionError(f"{origin}: {names} in the equation for {left} is not a declared quantity")
    if term.body.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise DefinitionError(f"{origin}: the equation for {left} divides by zero")
    for q in quantities(term.body):
        loose = [a.name for a in q.axes if a not in left.axes and a not in term.axes]
        if loose:
            raise DefinitionError(
                f"{origin}: {q} varies along {', '.join(loose)}, and {left} does not: sum over {', '.join(loose)}"
            )


def _check_one_meaning(q: Quantity, known: dict[str, Quantity], origin: Origin | None) -> None:
    if known.setdefault(q.name, q) != q and not isinstance(q, Size):
        raise DefinitionError(f"{origin}: {q.name} is declared twice with different axes or roles")
