"""From a kernel to its sweeps: as few passes over the data as its sums allow.

A sum of products of centred data needs the means first, and so a pass of its own, if it is taken as it stands. As a
moment it is added up along with the means, in one pass: that is what `Moment` stands for, and why pivots and centred
data are looked through here. The kernel that comes out is proved like the one that went in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy

from bnsym.checks import DefinitionError
from bnsym.lowering.centring import Centring
from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.lowering.operations import is_element
from bnsym.lowering.passes import Pass
from bnsym.lowering.sweeps import Schedule, Sweep
from bnsym.model import Axis, Quantity, Size, Term, quantities


def scheduled(kernel: Kernel, axes: tuple[Axis, ...]) -> Schedule:
    """The sweeps of a kernel whose data vary along `axes`. Raises DefinitionError where there is no order for them."""
    return _Scheduler(_over_elements(_with_moments(kernel), axes), axes).schedule()


def _with_moments(kernel: Kernel) -> Kernel:
    """The variance of data over a pivot as a sum over what is centred, which as a moment needs no second pass."""
    variances, done = {p.var: p for p in kernel.pivots}, []
    for o in kernel.operations:
        p = variances.get(o.left)
        if p is not None:
            summed = next(t for t in o.equation.terms if t.axes)
            centred = next(q for q in quantities(summed.body) if q.axes == p.data.axes and q.role == "value")
            term = Term(summed.body.xreplace({centred: centred - p.offset}), summed.axes)
            o = replace(o, equation=replace(o.equation, terms=(term,)))
        done.append(o)
    return replace(kernel, operations=tuple(done))


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


class _Scheduler:
    """What of one kernel is still to be computed, and what is known."""

    def __init__(self, kernel: Kernel, axes: tuple[Axis, ...]):
        self.kernel, self.axes = kernel, axes
        self.inputs = (*kernel.arguments, *(q for _, q in kernel.takes_saved))
        self.pivots = {p.pivot for p in kernel.pivots}
        self.rows = [frozenset(o.left.axes) for o in kernel.operations if o.kind is Kind.REDUCE]
        self.computed = {o.left for o in kernel.operations}
        self.late: set[Quantity] = set()  # numbers that no sweep keeps: elements compute them where they need them
        self.todo = {o.left: o for o in kernel.operations}
        self.look = Centring(kernel, self.wide)
        self.done: list[Operation] = []
        self.names = {q.name for o in kernel.operations for q in (o.left, *o.equation.inputs)}

    def wide(self, q: Quantity) -> bool:
        """Whether a quantity is computed for each element: if it has an entry for each, or more than any sum has."""
        if q in self.late or is_element(q, self.inputs):
            return True
        return bool(q.axes and self.rows) and q in self.computed and not any(set(q.axes) <= row for row in self.rows)

    def schedule(self) -> Schedule:
        """Sweep after sweep until nothing is left to sum, then the results."""
        ready = self._scalars(frozenset(self.axes))
        sweeps: list[Sweep] = []
        while self._sums():
            sweeps.append(self._sweep())
        self._loosened()
        left = [str(q) for q in self.todo if not self.wide(q) or (q in self.kernel.outputs and q in self.late)]
        if left:
            raise DefinitionError(f"{self.kernel.name}: there is no order of sweeps in which {left[0]} can be computed")
        known = {o.left for o in self.done}
        maps = tuple(
            o for o in self.kernel.operations if o.kind is not Kind.REDUCE and self.wide(o.left) and o.left not in known
        )
        kernel = replace(self.kernel, operations=_in_order((*self.done, *maps), {*self.inputs, *self.pivots}))
        arrays = tuple(q for q in self.inputs if self.wide(q))
        return Schedule(kernel, tuple(self._with_outputs(sweeps)), arrays, maps, ready)

    def _sums(self) -> list[Operation]:
        return [o for o in self.todo.values() if o.kind is Kind.REDUCE]

    def _sweep(self) -> Sweep:
        """All sums that one pass over the data gives; if others wait for a sum that is rarely needed, that alone."""
        made = self._pass(self._next_axes(), self._sums())
        rare = [self.todo[q] for q in made.taken if self.todo[q].where is not None]
        waiting = [o for o in self.todo.values() if _over(o) == set(made.over) and o.left not in made.taken]
        if any(self.look.needs(o.equation, r.left) for r in rare for o in waiting):
            return self._finished(self._pass(made.over, rare), rare[0].where)
        return self._finished(made, None)

    def _next_axes(self) -> tuple[Axis, ...]:
        """What to sum over next: first what other sums wait for."""
        ready = [o for o in self._sums() if self._pass(_axes(o), [o]).taken]
        if not ready and self._loosened():
            return self._next_axes()
        if not ready:
            names = ", ".join(str(o.left) for o in self._sums())
            raise DefinitionError(f"{self.kernel.name}: there is no sweep in which any of {names} can be summed")
        rest = [o for o in self.todo.values() if o.kind is not Kind.SCALAR or self.wide(o.left)]
        needed = [o for o in ready if any(self.look.needs(other.equation, o.left) for other in rest if other is not o)]
        return _axes((needed or ready)[0])

    def _loosened(self) -> bool:
        """Whether there are numbers that could be computed by now, if they were along what a sweep keeps."""
        scalars = [o for o in self.todo.values() if o.kind is Kind.SCALAR and not self.wide(o.left)]
        found = {o.left for o in scalars if all(q in self.look.known or self.wide(q) for q in o.equation.inputs)}
        self.late |= found
        return bool(found and (self._loosened() or True))

    def _pass(self, over: tuple[Axis, ...], sums: Iterable[Operation]) -> Pass:
        """What of some sums can be taken in one pass."""
        made = Pass(over, tuple(a for a in self.axes if a not in over), self.look, self.names)
        for o in sums:
            if _over(o) == set(over):
                made.take(o)
        return made

    def _finished(self, made: Pass, where: sympy.Rel | None) -> Sweep:
        """A pass with what is computed of its sums."""
        count = made.count(lambda axis: _size(self.kernel, axis))
        sums = made.equations(count)
        self.done += [Operation(Kind.REDUCE, e) for e in sums]
        self.names |= {e.left.name for e in sums}
        self.look.known |= {e.left for e in sums} | {t.shift for t in made.totals if t.shift is not None}
        for left, equation in made.taken.items():
            self.todo[left] = Operation(Kind.SCALAR, equation, self.todo[left].nonnegative)
        scalars = self._scalars(frozenset(made.kept))
        return Sweep(made.over, made.kept, tuple(made.totals), tuple(made.moments), count, scalars, where=where)

    def _scalars(self, axes: frozenset[Axis]) -> tuple[Operation, ...]:
        """Scalars along some axes that can be computed by now, in an order in which they can."""
        found: list[Operation] = []
        while True:
            scalars = [o for o in self.todo.values() if o.kind is Kind.SCALAR and not self.wide(o.left)]
            fitting = (o for o in scalars if set(o.left.axes) <= axes and self.look.known.issuperset(o.equation.inputs))
            o = next(fitting, None)
            if o is None:
                self.done += found
                return tuple(found)
            found.append(self.todo.pop(o.left))
            self.look.known.add(o.left)

    def _with_outputs(self, sweeps: list[Sweep]) -> list[Sweep]:
        """The arrays are written in the last pass if all of them can be, else in one more.

        A result may take the place of an input, over whose first value moments are taken: those have their own pass.
        """
        outputs = tuple(q for q in self.kernel.outputs if self.wide(q))
        if not outputs:
            return sweeps
        if not sweeps:
            narrow = {a for q in self.look.known if not self.wide(q) for a in q.axes}
            over = tuple(a for a in self.axes if a not in narrow)
            return [Sweep(over, tuple(a for a in self.axes if a in narrow), outputs=outputs)]
        last = sweeps[-1]
        later = {*(o.left for o in last.scalars), *last.sums, *self.pivots}
        wait = any(self.look.leads_to(q, s) for q in outputs for s in later)
        if wait or last.moments or last.where is not None:
            return [*sweeps, Sweep(last.over, last.kept, outputs=outputs)]
        return [*sweeps[:-1], replace(last, outputs=outputs)]


def _over(o: Operation) -> set[Axis]:
    return {a for t in o.equation.terms for a in t.axes}


def _axes(o: Operation) -> tuple[Axis, ...]:
    return next(t.axes for t in o.equation.terms if t.axes)


def _size(kernel: Kernel, axis: Axis) -> Size:
    found = {q.axis: q for o in kernel.operations for t in o.equation.terms for q in t.body.atoms(Size)}
    return found.get(axis, Size(f"size_{axis.name}", axis))


def _in_order(operations: tuple[Operation, ...], known: set[Quantity]) -> tuple[Operation, ...]:
    left, done = list(operations), []
    while left:
        made = {o.left for o in left}
        o = next(o for o in left if all(q in known or q not in made for q in o.equation.inputs))
        left.remove(o)
        done.append(o)
        known.add(o.left)
    return tuple(done)
