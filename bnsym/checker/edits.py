"""Wrong versions of a derived backward: one thing done otherwise, and all that follows from it.

Each is made from the program by a rule (another power, another axis, a size less one), so that a norm that nobody
thought of has them too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import sympy

from bnsym.checker.written import Written
from bnsym.lowering.sequence import ordered
from bnsym.model import Axis, Equation, Program, Quantity, Size, Term, quantities

ONE = sympy.Integer(1)


@dataclass(frozen=True)
class Edit:
    """A wrong program, and what is wrong with it; `of_inverse`, where inv_std is another number and no more."""

    words: str
    program: Program
    of_inverse: bool = False


def edits(w: Written) -> Iterator[Edit]:
    """Every wrong version of what the forward pass computes, and the backward with parameters left out."""
    yield from _wrong_inverses(w)
    yield from _wrong_statistics(w)
    yield from _uncentred(w)
    yield from _without_parameters(w)


def inverses(e: Equation) -> Iterator[tuple[str, sympy.Expr]]:
    """Wrong versions of an inverse power such as 1/sqrt(var + eps), with words on each."""
    base, power = e.right.as_base_exp()
    constants = sympy.Add(*(t for t in sympy.Add.make_args(base) if all(q.role == "constant" for q in quantities(t))))
    rest = base - constants
    if constants != 0 and rest != 0:
        yield f"{constants} is outside the root", 1 / (rest ** (-power) + constants)
        yield f"{constants} is missing", rest**power
        yield f"{constants} is squared", (rest + constants**2) ** power
        yield f"{rest} is missing in the root", constants**power
    if power == sympy.Rational(-1, 2):
        yield "the root is forgotten", base ** (2 * power)


def spoilt(e: Equation) -> Iterator[tuple[str, sympy.Expr]]:
    """An inverse power that is wrong as a whole; of a single term other words are said."""
    yield f"{e.left} is not inverted", 1 / e.right
    yield f"{e.left} is left out", ONE
    yield f"{e.left} is twice what it must be", 2 * e.right


def _wrong_inverses(w: Written) -> Iterator[Edit]:
    """Everywhere, x_hat with it; or in x_hat alone, where a forward pass went wrong."""
    for e in w.inverses:
        inner = [words for words, _ in inverses(e)]
        for words, body in (*inverses(e), *spoilt(e)):
            wrong = Equation(e.left, (Term(body),))
            yield Edit(words, _changed(w, {e.left: wrong}), of_inverse=words in inner)
            other = Quantity(f"{e.left}_wrong", e.left.axes, e.left.role)
            users = {o.left: o.replace({e.left: other}) for o in w.program.equations if o.left.role == "value"}
            yield Edit(f"{words} in x_hat", _changed(w, users, before=(Equation(other, (Term(body),)),)))


def _wrong_statistics(w: Written) -> Iterator[Edit]:
    """A size less one, or none at all; over other axes, one statistic or all of them, and the sums too."""
    stated = [e for e in w.program.equations if e.left.role == "statistic" and any(t.axes for t in e.terms)]
    for e in stated:
        sizes = sorted({s for t in e.terms for s in t.body.atoms(Size)}, key=str)
        if len(sizes) == 1:
            (m,) = sizes
            fewer = e.replace({m: m - 1})
            words = f"{e.left} divides by {m} - 1 where {m} is meant"
            yield Edit(words, _changed(w, {e.left: fewer}), of_inverse=_is_spread(w, e))
            yield Edit(f"{e.left} is not divided by {m}", _changed(w, {e.left: e.replace({m: sympy.Integer(1)})}))
    for axes in others(w, stated[0].terms[0].axes) if stated else ():
        yield from _moved_statistics(w, stated, axes)


def _moved_statistics(w: Written, stated: list[Equation], axes: tuple[Axis, ...]) -> Iterator[Edit]:
    """Over other axes: one of them, wherever it is used or in one place alone; all; and the sums with them."""
    where = wrong_axes(w, axes)
    moved = {e.left: over(e, axes) for e in stated}
    copies = {e.left: Quantity(f"{e.left}_moved", e.left.axes, e.left.role) for e in stated}
    apart = tuple(Equation(copies[q], e.replace(copies).terms) for q, e in moved.items())
    for e in stated if len(stated) > 1 else ():
        words = f"{e.left} is taken over {where}"
        yield Edit(words, _changed(w, {e.left: moved[e.left]}))
        for values in (True, False):
            users = [o for o in w.program.equations if e.left in o.inputs and (o.left.role == "value") == values]
            if users:
                yield Edit(words, _changed(w, {o.left: o.replace({e.left: copies[e.left]}) for o in users}, apart))
    names = " and ".join(str(e.left) for e in stated)
    yield Edit(f"{names} {'are' if len(stated) > 1 else 'is'} taken over {where}", _changed(w, moved))
    for inside in (False, True):
        yield Edit(f"statistics and sums are taken over {where}", _changed(w, moved | _moved_sums(w, axes, inside)))


def _is_spread(w: Written, e: Equation) -> bool:
    """Whether a statistic goes into an inverse power and nowhere else."""
    users = {o.left for o in w.program.equations if e.left in o.inputs}
    return users <= {i.left for i in w.inverses}


def _moved_sums(w: Written, axes: tuple[Axis, ...], inside: bool) -> dict[Quantity, Equation]:
    """The sums that a gradient's terms use over other axes, with the parameters inside them, or not."""
    changed: dict[Quantity, Equation] = {}
    for term in (t for terms in w.terms.values() for t in terms):
        for name in sums_of(w, term):
            e = equation_of(w.program, name)
            carried = sympy.Mul(*(q for q in quantities(w.of(w.program, term)) if q.role == "parameter" and inside))
            moved = Quantity(f"{name}_moved", name.axes, name.role)
            body = w.of(w.program, term) / carried
            changed[moved] = replace(over(e.replace({name: moved}), axes, carried), left=moved)
            changed[term] = Equation(term, (Term(body.xreplace({name: moved})),))
    return changed


def _uncentred(w: Written) -> Iterator[Edit]:
    """A mean that is not subtracted, in one place."""
    means = [q for q in quantities_of(w.program) if q.role == "statistic" and q.axes == w.kept]
    for e in w.program.equations:
        for mean in means:
            if e.left.role in ("value", "statistic") and sympy.expand(e.right).has(mean) and _subtracts(e, mean):
                yield Edit(f"{e.left} is not centred", _changed(w, {e.left: e.replace({mean: sympy.Integer(0)})}))


def _subtracts(e: Equation, mean: Quantity) -> bool:
    return any(a == -mean for t in e.terms for s in t.body.atoms(sympy.Add) for a in s.args)


def _without_parameters(w: Written) -> Iterator[Edit]:
    """A parameter left out of the gradients: it stands for what it stands for where it is not given."""
    for q in (q for q in w.program.inputs if q.role == "parameter" and q.absent == 1):
        users = {e.left: e.replace({q: sympy.Integer(1)}) for e in w.program.equations if q in e.inputs}
        if users:
            yield Edit(f"{q} is missing", _changed(w, users))
            inverted = {e.left: e.replace({q: 1 / q}) for e in w.program.equations if q in e.inputs}
            yield Edit(f"{q} divides where it must multiply", _changed(w, inverted))


def others(w: Written, axes: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
    """Every other choice of axes to sum over."""
    every = w.data.axes
    found = [c for n in range(1, len(every) + 1) for c in combinations(every, n)]
    return [c for c in found if set(c) != set(axes)]


def wrong_axes(w: Written, axes: tuple[Axis, ...]) -> str:
    """What is said of axes that a sum is wrongly taken over."""
    return "all axes" if len(axes) == len(w.data.axes) else "the wrong axis" if len(axes) == 1 else "the wrong axes"


def over(e: Equation, axes: tuple[Axis, ...], carried: sympy.Expr = ONE, *, own: bool = True) -> Equation:
    """A sum over other axes, with a factor inside; a mean over as many positions as are added up, if `own`."""
    share = sympy.Mul(*(_size(a) for a in e.terms[0].axes)) / sympy.Mul(*(_size(a) for a in axes)) if own else 1
    return Equation(e.left, tuple(Term(t.body * carried * share, axes) for t in e.terms))


def _size(axis: Axis) -> Size:
    return Size(f"size_{axis}", axis)


def sums_of(w: Written, term: Quantity) -> list[Quantity]:
    """The sums of the backward that a term has for a factor."""
    stated = {e.left for e in w.definition.program.equations}
    found = [equation_of(w.program, q) for q in quantities(w.of(w.program, term)) if w.program.equation(q)]
    return [e.left for e in found if e.left not in stated and any(t.axes for t in e.terms)]


def equation_of(program: Program, q: Quantity) -> Equation:
    """The equation of a quantity that the program computes."""
    found = program.equation(q)
    assert found is not None  # callers ask for what is computed
    return found


def quantities_of(program: Program) -> list[Quantity]:
    """What a program computes."""
    return [e.left for e in program.equations]


def _changed(w: Written, new: dict[Quantity, Equation], before: tuple[Equation, ...] = ()) -> Program:
    """The program with some equations in the place of those for the same quantities, and further ones."""
    known = set(quantities_of(w.program))
    added = [*before, *(e for q, e in new.items() if q not in known)]
    equations = [*added, *(new.get(e.left, e) for e in w.program.equations)]
    return retyped(Program(w.program.inputs, tuple(ordered(equations, set(w.program.inputs))), w.program.outputs))


def retyped(program: Program) -> Program:
    """Quantities that vary along more axes than they did, because what they are made of does, as such."""
    new: dict[sympy.Basic, sympy.Expr] = {}
    done = []
    for e in program.equations:
        right = e.replace(new)
        found = {a for t in right.terms for q in quantities(t.body) for a in q.axes if a not in t.axes}
        if not found <= set(e.left.axes) and e.left not in program.outputs:
            axes = (*e.left.axes, *sorted(found - set(e.left.axes), key=str))
            new[e.left] = Quantity(e.left.name, axes, e.left.role)
            right = e.replace(new)
        done.append(right)
    return Program(program.inputs, tuple(done), program.outputs)
