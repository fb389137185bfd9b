"""From a kernel to its sweeps: as few passes over the data as its sums allow.

A sum of products of centred data needs the means first, and so a pass of its own, if it is taken as it stands. As a
moment it is added up along with the means, in one pass: that is what `Moment` stands for, and why pivots and centred
data are looked through here. The kernel that comes out is proved like the one that went in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy

from bnsym.checks import DefinitionError
from bnsym.lowering.centring import Centring
from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.lowering.operations import is_element
from bnsym.lowering.sweeps import Moment, Schedule, Sweep, Total
from bnsym.model import Axis, Equation, Quantity, Size, Term, outside_and_inside, quantities


def scheduled(kernel: Kernel, axes: tuple[Axis, ...]) -> Schedule:
    """The sweeps of a kernel whose data vary along `axes`. Raises DefinitionError where there is no order for them."""
    return _Scheduler(_over_elements(_with_moments(kernel), axes), axes).schedule()


def _over_elements(kernel: Kernel, axes: tuple[Axis, ...]) -> Kernel:
    """Sums over numbers of a row, of which each element of the row has its share: every pass goes over elements."""
    done = []
    for o in kernel.operations:
        idle = tuple(a for a in axes if a not in _over(o) and a not in o.left.axes)
        if o.kind is Kind.REDUCE and idle:
            many = sympy.Mul(*(_size(kernel, a) for a in idle))
            terms = (Term(t.body / many, (*t.axes, *idle)) if t.axes and not t.largest else t for t in o.equation.terms)
            o = replace(o, equation=replace(o.equation, terms=tuple(terms)))
        done.append(o)
    return replace(kernel, operations=tuple(done))


def _size(kernel: Kernel, axis: Axis) -> Size:
    found = {q.axis: q for o in kernel.operations for t in o.equation.terms for q in t.body.atoms(Size)}
    return found.get(axis, Size(f"size_{axis.name}", axis))


def _with_moments(kernel: Kernel) -> Kernel:
    """The variance of data over a pivot as a sum over what is centred, which as a moment needs no second pass."""
    variances = {p.var: p for p in kernel.pivots}
    done = []
    for o in kernel.operations:
        p = variances.get(o.left)
        if p is not None:
            summed = next(t for t in o.equation.terms if t.axes)
            centred = next(q for q in quantities(summed.body) if q.axes == p.data.axes and q.role == "value")
            term = Term(summed.body.xreplace({centred: centred - p.offset}), summed.axes)
            o = replace(o, equation=replace(o.equation, terms=(term,)))
        done.append(o)
    return replace(kernel, operations=tuple(done))


@dataclass
class _Pass:
    """The sweep that is being put together."""

    over: tuple[Axis, ...]
    totals: list[Total]
    moments: list[Moment]
    counts: set[sympy.Expr]
    taken: dict[Quantity, Equation]  # sums, as the scalars that they are of totals and moments


class _Scheduler:
    def __init__(self, kernel: Kernel, axes: tuple[Axis, ...]):
        self.kernel, self.axes = kernel, axes
        self.inputs = (*kernel.arguments, *(q for _, q in kernel.takes_saved))
        self.pivots = {p.pivot for p in kernel.pivots}
        self.rows = [frozenset(o.left.axes) for o in kernel.operations if o.kind is Kind.REDUCE]
        self.todo = {o.left: o for o in kernel.operations}
        self.look = Centring(kernel, self.wide)
        self.done: list[Operation] = []
        self.names = {q.name for o in kernel.operations for q in (o.left, *o.equation.inputs)}

    def wide(self, q: Quantity) -> bool:
        """Whether a quantity is computed for each element: if it has an entry for each, or more than any sum has."""
        if is_element(q, self.inputs):
            return True
        return q.axes != () and q in self.todo and bool(self.rows) and not any(set(q.axes) <= r for r in self.rows)

    def schedule(self) -> Schedule:
        ready = self._scalars(lambda o: True)
        sweeps: list[Sweep] = []
        while any(o.kind is Kind.REDUCE for o in self.todo.values()):
            sweeps.append(self._sweep())
        sweeps = self._with_outputs(sweeps)
        left = [str(q) for q in self.todo if not self.wide(q)]
        if left:
            raise DefinitionError(f"{self.kernel.name}: there is no order of sweeps in which {left[0]} can be computed")
        maps = tuple(o for o in self.kernel.operations if o.kind is not Kind.REDUCE and self.wide(o.left))
        kernel = replace(self.kernel, operations=self._in_order((*self.done, *maps)))
        return Schedule(kernel, tuple(sweeps), tuple(q for q in self.inputs if self.wide(q)), maps, ready)

    def _sweep(self) -> Sweep:
        """All sums that one pass over the data gives; if others wait for a sum that is rarely needed, that alone."""
        made = self._gathered(self._next_axes())
        rare = [self.todo[q] for q in made.taken if self.todo[q].where is not None]
        waiting = [o for o in self.todo.values() if _over(o) == set(made.over) and o.left not in made.taken]
        if any(self.look.needs(o.equation, r.left) for r in rare for o in waiting):
            made = self._gathered(made.over, only={r.left for r in rare})
        else:
            rare = []
        before = self.look.known.copy()
        return self._finished(made, rare[0].where if rare else None, before)

    def _next_axes(self) -> tuple[Axis, ...]:
        """What to sum over next: first what other sums wait for."""
        ready = [o for o in self.todo.values() if o.kind is Kind.REDUCE and self._parts(o, None) is not None]
        if not ready:
            names = ", ".join(str(o.left) for o in self.todo.values() if o.kind is Kind.REDUCE)
            raise DefinitionError(f"{self.kernel.name}: there is no sweep in which any of {names} can be summed")
        rest = [o for o in self.todo.values() if o.kind is not Kind.SCALAR or self.wide(o.left)]
        needed = [o for o in ready if any(self.look.needs(other.equation, o.left) for other in rest if other is not o)]
        return next(t.axes for t in (needed or ready)[0].equation.terms if t.axes)

    def _gathered(self, over: tuple[Axis, ...], only: set[Quantity] | None = None) -> _Pass:
        made = _Pass(over, [], [], set(), {})
        for o in [o for o in self.todo.values() if o.kind is Kind.REDUCE and (only is None or o.left in only)]:
            if _over(o) == set(over):
                terms = self._parts(o, made)
                if terms is not None:
                    made.taken[o.left] = replace(o.equation, terms=terms)
        return made

    def _parts(self, o: Operation, made: _Pass | None) -> tuple[Term, ...] | None:
        """The terms of a sum as a scalar of totals and moments, or None where they cannot be taken in this pass."""
        probe = _Pass((), [], [], set(), {}) if made is None else replace(made, totals=[*made.totals], moments=[*made.moments])
        terms = []
        for t in o.equation.terms:
            part = self._part(t, probe) if t.axes else t.body
            if part is None:
                return None
            terms.append(Term(part))
        if made is not None:
            made.totals, made.moments = probe.totals, probe.moments
        return tuple(terms)

    def _part(self, t: Term, made: _Pass) -> sympy.Expr | None:
        outside, inside = outside_and_inside(t)
        weight, factors = self.look.split(inside)
        if all(self.look.available(f) for f in (*factors, *([weight] if weight is not None else []))):
            value = sympy.Mul(*factors)
            return outside * self._total(made, t.axes, value, weight, largest=t.largest)
        if t.largest or (weight is not None and not self.look.available(weight)):
            return None
        scale, bases = sympy.Integer(1), []
        for f in factors:
            base = self.look.base(f, t.axes)
            if base is None:
                return None
            scale *= base.scale
            bases.append(base)
        if len(bases) == 1 and bases[0].shift is not None and not bases[0].mean:
            return outside * scale * self._total(made, t.axes, bases[0].value, weight, bases[0].shift)
        if len(bases) == 2 and any(b.mean for b in bases) and all(b.weight == weight for b in bases if b.mean):
            return outside * scale * self._moment(made, t.axes, [(b.value, b.shift) for b in bases], weight)
        return None

    def _total(
        self, made: _Pass, over: tuple[Axis, ...], value: sympy.Expr, weight: Quantity | None,
        shift: Quantity | None = None, *, largest: bool = False,
    ) -> Quantity:  # fmt: skip
        same = [t for t in made.totals if (t.value, t.weight, t.largest) == (value, weight, largest)]
        found = next((t for t in same if t.shift == shift), None)
        if found is None:
            what = "_".join(q.name for q in quantities(value * (weight if weight is not None else 1))) or "ones"
            name = self._fresh(f"{'largest' if largest else 'total'}_{what}", made)
            found = Total(Quantity(name, self._kept(over), "sum"), value, weight, shift, largest)
            made.totals.append(found)
        return found.left

    def _moment(
        self, made: _Pass, over: tuple[Axis, ...], values: list[tuple[sympy.Expr, Quantity | None]], weight: Quantity | None
    ) -> Quantity:
        at = []
        for value, shift in values:
            left = self._total(made, over, value, weight, shift)
            at.append(next(n for n, t in enumerate(made.totals) if t.left == left))
        first, second = sorted(at)
        found = next((m for m in made.moments if (m.first, m.second) == (first, second)), None)
        if found is None:
            names = "_".join(q.name for k in dict.fromkeys((first, second)) for q in quantities(made.totals[k].value))
            found = Moment(Quantity(self._fresh(f"moment_{names}", made), self._kept(over), "sum"), first, second)
            made.moments.append(found)
            if weight is not None:
                self._total(made, over, sympy.Integer(1), weight)
        return found.left

    def _fresh(self, name: str, made: _Pass) -> str:
        taken = self.names | {s.left.name for s in (*made.totals, *made.moments)}
        return next(n for n in (name, *(f"{name}_{k}" for k in range(2, 99))) if n not in taken)

    def _kept(self, over: tuple[Axis, ...]) -> tuple[Axis, ...]:
        return tuple(a for a in self.axes if a not in over)

    def _finished(self, made: _Pass, where: sympy.Rel | None, before: set[Quantity]) -> Sweep:
        kept, count = self._kept(made.over), self._count(made)
        sums = [*(t.equation(made.over) for t in made.totals), *(m.equation(tuple(made.totals), count, made.over) for m in made.moments)]
        self.done += [Operation(Kind.REDUCE, e) for e in sums]
        self.names |= {e.left.name for e in sums}
        self.look.known |= {e.left for e in sums} | {t.shift for t in made.totals if t.shift is not None}
        for left, equation in made.taken.items():
            self.todo[left] = Operation(Kind.SCALAR, equation, self.todo[left].nonnegative)
        scalars = self._scalars(lambda o: set(o.left.axes) <= set(kept))
        return Sweep(made.over, kept, tuple(made.totals), tuple(made.moments), count, scalars, where=where)

    def _count(self, made: _Pass) -> sympy.Expr:
        """The sum of the weights of a pass: how many elements it adds up, or what its mask leaves."""
        weights = {made.totals[m.first].weight for m in made.moments} - {None}
        if len(weights) > 1:
            raise DefinitionError(f"{self.kernel.name}: two masks in one sum")
        if weights:
            return next(t.left for t in made.totals if t.value == 1 and t.weight in weights)
        return sympy.Mul(*(_size(self.kernel, a) for a in made.over))

    def _scalars(self, fits: object) -> tuple[Operation, ...]:
        """Scalars that can be computed by now, in an order in which they can."""
        found: list[Operation] = []
        more = True
        while more:
            more = False
            for o in list(self.todo.values()):
                if o.kind is Kind.SCALAR and not self.wide(o.left) and fits(o) and all(q in self.look.known for q in o.equation.inputs):
                    found.append(o)
                    self.look.known.add(o.left)
                    del self.todo[o.left]
                    more = True
        self.done += found
        return tuple(found)

    def _with_outputs(self, sweeps: list[Sweep]) -> list[Sweep]:
        """The arrays are written in the last pass if all of them can be, else in one more."""
        outputs = tuple(q for q in self.kernel.outputs if self.wide(q))
        if not outputs:
            return sweeps
        if sweeps:
            last = sweeps[-1]
            later = {o.left for o in last.scalars} | {t.left for t in last.totals} | {m.left for m in last.moments} | self.pivots
            if not any(self.look.needs(Equation(q, (Term(q),)), s) for q in outputs for s in later) and last.where is None:
                return [*sweeps[:-1], replace(last, outputs=outputs)]
            return [*sweeps, Sweep(last.over, last.kept, outputs=outputs)]
        narrow = {a for q in self.look.known if not self.wide(q) for a in q.axes}
        kept = tuple(a for a in self.axes if a in narrow)
        return [Sweep(tuple(a for a in self.axes if a not in kept), kept, outputs=outputs)]

    def _in_order(self, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
        known = {*self.inputs, *self.pivots}
        left, done = list(operations), []
        lefts = {o.left for o in left}
        while left:
            o = next(o for o in left if all(q in known or q not in lefts for q in o.equation.inputs))
            left.remove(o)
            done.append(o)
            known.add(o.left)
        return tuple(done)


def _over(o: Operation) -> set[Axis]:
    return {a for t in o.equation.terms for a in t.axes}
