"""What an equation may say and what it may not: each refusal is one sentence that points at the line."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import sympy

from bnsym.functions import Abs, StopGradient, maximum, minimum, sign, step
from bnsym.model import Axis, Equation, Largest, Origin, Quantity, Reduction, Size, Sum, Term, quantities

ARGUMENTS = {"out", "saved", "channel_axis", "normalized_ndim", "num_groups", "count", "momentum", "threads", "plan"}
FUNCTIONS = {"forward", "backward", "parameter_backward", "inference", "inference_backward", "fold", "population",
             "update_running", "jvp", "double_backward", "backward_jvp", "correction"}  # fmt: skip
LOCALS = {"np", "cp", "math", "Any", "Array", "NamedTuple", "Saved", "Sequence", "annotations", "shape", "channels",
          "dtype", "leading", "trailing", "lengths", "kept_dtype", "unit", "given", "work", "room", "tiles", "tile",
          "part", "parts", "found"}  # fmt: skip
BUILTINS = {"all", "any", "bool", "bytes", "dict", "float", "getattr", "int", "isinstance", "len", "list", "range",
            "str", "tuple", "type", "zip", "TypeError", "ValueError"}  # fmt: skip
RESERVED = ARGUMENTS | FUNCTIONS | LOCALS | BUILTINS
STARTS = ("_", "has_", "work_", "all_", "sweep_")
ENDS = ("_result", "_kept")
"""Names that the generated modules use themselves, and could not tell from a quantity's."""

ELEMENTWISE = (sympy.exp, sympy.log, sympy.tanh, sympy.erf, Abs, sign, step, maximum, minimum)
SPOKEN = "Sum, sqrt, exp, log, tanh, erf, Abs, Max, Min, sign, step and stop_gradient"


class DefinitionError(ValueError):
    """A definition says what it may not say."""


def here() -> Origin:
    """The line of the user's file that is being read: the first one that is not the language's own."""
    own = {Path(__file__).with_name(f"{n}.py").as_posix() for n in ("checks", "composing", "declaring", "language")}
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and Path(frame.f_code.co_filename).as_posix() in own:
        frame = frame.f_back
    return Origin(frame.f_code.co_filename, frame.f_lineno)


def check_name(name: Any, kind: str) -> str:
    """A name that can stand in generated code: an identifier, no keyword, no argument the generated functions have."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise DefinitionError(f"{here()}: {name!r} cannot name a {kind}: a name is a Python identifier")
    if name in RESERVED or name.startswith(STARTS) or name.endswith(ENDS):
        raise DefinitionError(
            f"{here()}: {name!r} cannot name a {kind}: the generated functions use that name themselves"
        )
    return name


def check_along(name: str, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The axes a quantity varies along: each an axis, and each once."""
    for axis in axes:
        if not isinstance(axis, Axis):
            raise DefinitionError(f"{here()}: {name} varies along axes, and {axis} is none")
        if axes.count(axis) > 1:
            raise DefinitionError(f"{here()}: {name} varies along {axis} twice; use a second axis")
    return axes


def terms_of(right: sympy.Expr, left: Quantity, origin: Origin, held: bool = False) -> tuple[Term, ...]:
    """A right side as terms: what is elementwise in one, and each sum in a term of its own."""
    check_words(right, left, origin)
    elementwise = [a for a in sympy.Add.make_args(right) if not a.has(Reduction)]
    terms = [Term(sympy.Add(*elementwise))] if elementwise else []
    for part in sympy.Add.make_args(right):
        if part.has(Reduction):
            terms += _reduced_terms(part, left, origin, held)
    return tuple(terms)


def check_words(right: Any, left: Quantity, origin: Origin) -> None:
    """Every part of a right side is in the language: quantities, numbers, arithmetic, and the functions it has."""
    for e in sympy.preorder_traversal(right):
        said = f"in the equation for {left}"
        if e in (sympy.zoo, sympy.nan) or (isinstance(e, sympy.Expr) and e.is_number and e.is_finite is False):
            raise DefinitionError(f"{origin}: the equation for {left} divides by zero, or holds what is no number")
        if isinstance(e, StopGradient):
            raise DefinitionError(f"{origin}: stop_gradient(...) {said} must be the whole right side")
        if not isinstance(e, _KNOWN):
            raise DefinitionError(f"{origin}: {type(e).__name__} {said} is not in the language, which has {SPOKEN}")
        if isinstance(e, Reduction):
            _check_reduced(e, said, origin)
        if e.is_number and e.is_real is False:
            raise DefinitionError(f"{origin}: {e} {said} is not a real number")
        if e.is_Pow and not e.is_number and not e.exp.is_Rational:
            raise DefinitionError(f"{origin}: the exponent of {e} {said} may only be a rational number")


_KNOWN = (sympy.Symbol, sympy.Number, sympy.NumberSymbol, sympy.core.numbers.ImaginaryUnit, sympy.Add, sympy.Mul,
          sympy.Pow, Reduction, *ELEMENTWISE)  # fmt: skip


def _check_reduced(e: Reduction, said: str, origin: Origin) -> None:
    what = "Sum" if isinstance(e, Sum) else "Max"
    for axis in e.axes or ("no axis",):
        if not isinstance(axis, Axis) or e.axes.count(axis) > 1:
            raise DefinitionError(f"{origin}: {what} {said} runs over axes, each named once, and is given {axis}")


def _reduced_terms(part: sympy.Expr, left: Quantity, origin: Origin, held: bool) -> list[Term]:
    """`coefficient * Sum(body, axes)` as terms whose body holds the coefficient."""
    factors = sympy.Mul.make_args(part)
    reductions = [f for f in factors if isinstance(f, Reduction)]
    inner = [f for f in factors if f.has(Reduction) and not isinstance(f, Reduction)]
    if not reductions and len(inner) == 1 and isinstance(inner[0], sympy.Add):
        opened = sympy.Add(*(sympy.Mul(part / inner[0], a) for a in inner[0].args))
        return list(terms_of(opened, left, origin, held))
    if len(reductions) != 1 or inner:
        raise DefinitionError(
            f"{origin}: a sum in the equation for {left} stands inside another expression; give it its own equation"
        )
    reduction, coefficient = reductions[0], part / reductions[0]
    _check_largest(reduction, coefficient, left, origin, held)
    inside = terms_of(reduction.body, left, origin)
    return [_outer_sum(term, reduction, coefficient, left, origin) for term in inside]


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


def check_equations(equations: Iterable[Equation], known: dict[str, Quantity], axes: Collection[Axis]) -> None:
    """Each equation computes a new quantity from inputs and what is computed above, along axes that inputs have."""
    whole = tuple(equations)
    lefts = {e.left for e in whole}
    computed: set[Quantity] = set()
    for equation in whole:
        _check_order(equation, computed, lefts, known)
        for term in equation.terms:
            _check_axes(equation, term, axes)
        if equation.left.role == "count" and not _is_count(equation):
            raise DefinitionError(
                f"{equation.origin}: {equation.left} counts what a mask leaves: Eq({equation.left}, Sum(mask, axis))"
            )
        computed.add(equation.left)


def _check_order(equation: Equation, computed: set[Quantity], lefts: set[Quantity], known: dict[str, Quantity]) -> None:
    left, origin = equation.left, equation.origin
    if left in computed:
        raise DefinitionError(f"{origin}: {left} is computed a second time")
    if left.role in ("data", "parameter", "constant", "mask", "size"):
        raise DefinitionError(f"{origin}: {left} is declared as a {left.role}, an input; no equation can compute it")
    for q in (*equation.inputs, left):
        check_one_meaning(q, known, origin)
        if q == left and q in equation.inputs:
            raise DefinitionError(f"{origin}: the equation for {left} uses {left} itself")
        made = q.role in ("statistic", "count", "value") or (q.role == "fixed" and q in lefts)
        if made and q != left and q not in computed:
            raise DefinitionError(f"{origin}: the equation for {left} uses {q}, which no earlier equation computes")


def _is_count(e: Equation) -> bool:
    (term, *more) = e.terms
    plain = isinstance(term.body, Quantity) and term.body.role == "mask"
    return plain and bool(term.axes) and not (more or term.largest or e.held)


def _check_axes(equation: Equation, term: Term, axes: Collection[Axis]) -> None:
    left, origin, found = equation.left, equation.origin, quantities(term.body)
    foreign = sorted(str(s) for s in term.body.free_symbols if not isinstance(s, Quantity))
    if foreign:
        raise DefinitionError(f"{origin}: {', '.join(foreign)} in the equation for {left} is not a declared quantity")
    for axis in (*term.axes, *(q.axis for q in found if isinstance(q, Size))):
        if axis not in axes:
            raise DefinitionError(f"{origin}: the equation for {left} runs over {axis}, which no input varies along")
    for q in found:
        loose = ", ".join(a.name for a in q.axes if a not in left.axes and a not in term.axes)
        if loose:
            raise DefinitionError(f"{origin}: {q} varies along {loose}, and {left} does not: sum over {loose}")
    along = {a for t in equation.terms for q in quantities(t.body) for a in q.axes}
    still = ", ".join(a.name for a in left.axes if a not in along)
    if still:
        raise DefinitionError(f"{origin}: {left} varies along {still}, and nothing in its equation does")


def check_one_meaning(q: Quantity, known: dict[str, Quantity], origin: Origin | None) -> None:
    """A name is that of one quantity."""
    if known.setdefault(q.name, q) != q and not isinstance(q, Size):
        raise DefinitionError(f"{origin}: {q.name} is declared twice with different axes or roles")
