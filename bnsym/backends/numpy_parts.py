"""Channels that no cache holds, as NumPy statements: sweep after sweep over parts of their data.

A sweep computes of each part what its sums are taken of, again where an earlier sweep did; then come the numbers that
are computed of the totals. The last one writes the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bnsym.backends.layout import Dimensions, is_array
from bnsym.backends.numpy import Printer
from bnsym.backends.statements import Statement
from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.model import Axis, Quantity, outside_and_inside, quantities

DEAR = ("np.exp", "np.log", "np.tanh", "_erf")
"""What takes longer than going over the data once more."""


@dataclass(frozen=True)
class Sweep:
    """The statements for each part, the sums that they give, and what is computed when these are there."""

    statements: tuple[Statement, ...]
    totals: tuple[str, ...]
    numbers: tuple[Statement, ...]
    rooms: int

    @property
    def rare(self) -> list[str]:
        """The totals that may not be needed."""
        return [s.target for s in self.statements if s.target in self.totals and s.where]


@dataclass(frozen=True)
class Sweeps:
    """All sweeps of a kernel, and what is known before the first."""

    ready: tuple[Statement, ...]
    sweeps: tuple[Sweep, ...]

    @property
    def are_cheap(self) -> bool:
        """Whether nothing that takes long is computed in more than one sweep."""
        return sum(any(f"{f}(" in s.code for s in w.statements for f in DEAR) for w in self.sweeps) < 2

    @property
    def rooms(self) -> int:
        """How many rooms of a part's shape they work in."""
        return max((s.rooms for s in self.sweeps), default=0)

    def gives(self, sweep: Sweep, names: Iterable[str]) -> bool:
        """Whether all of some numbers are known after a sweep, and not before."""
        before = {s.target for w in self.sweeps[: self.sweeps.index(sweep)] for s in w.numbers}
        known = before | {s.target for s in sweep.numbers}
        return known.issuperset(names) and not before.issuperset(names)


class _InParts(Printer):
    """The statements of one sweep: what is summed goes to totals, and numbers wait for these."""

    each_is_named = True

    def __init__(self, kernel: Kernel, dims: Dimensions, roomy: frozenset[Axis], data: str):
        super().__init__(kernel, dims, roomy, data)
        self.numbers: list[Statement] = []

    def _number(self, statement: Statement, operation: Operation) -> None:
        self.numbers.append(replace(statement, of=operation.left.name))


class _Levels:
    """After which sweep each quantity of a kernel is known: 0 needs none."""

    def __init__(self, kernel: Kernel):
        self.kernel, self.of = kernel, dict[Quantity, int]()
        for o in kernel.operations:
            known = max((self.of.get(q, 0) for q in o.equation.inputs), default=0)
            self.of[o.left] = max(known, self.before(o) + 1) if o.kind is Kind.REDUCE else known

    def before(self, o: Operation) -> int:
        """How many sweeps what an operation sums waits for."""
        inside = (outside_and_inside(t)[1] for t in o.equation.terms if t.axes)
        return max((self.of.get(q, 0) for e in inside for q in quantities(e)), default=0)

    def sums(self, level: int) -> list[Operation]:
        """What is summed in a sweep."""
        return [o for o in self.kernel.operations if o.kind is Kind.REDUCE and self.before(o) == level]

    def numbers(self, level: int) -> list[Operation]:
        """What is computed of numbers when so many sweeps are done."""
        return [o for o in self.kernel.operations if o.kind is Kind.SCALAR and self.of[o.left] == level]

    def with_maps(self, wanted: Iterable[Operation]) -> tuple[Operation, ...]:
        """Operations with all that is computed of elements for them, in order."""
        found = {o.left: o for o in wanted}
        for o in reversed([o for o in self.kernel.operations if o.kind is Kind.MAP and o.left not in found]):
            users = [u for u in found.values() if o.left in u.equation.inputs]
            if users:
                sums = all(
                    u.kind is Kind.REDUCE for u in users
                )  # what is corrected where that is rare is needed always
                rare = users[0].where if sums and len({u.where for u in users}) == 1 else None
                found[o.left] = replace(o, where=o.where if o.where is not None else rare)
        return tuple(found[o.left] for o in self.kernel.operations if o.left in found)


def sweeps(
    kernel: Kernel, operations: Sequence[Operation], dims: Dimensions, roomy: frozenset[Axis], data: str
) -> Sweeps:
    """The sweeps that some of a kernel's operations take; outputs that are arrays are written in the last."""
    levels = _Levels(replace(kernel, operations=tuple(operations)))
    last = [o for o in operations if o.left in kernel.outputs and is_array(o.left, kernel)]
    found, totals = [], 0
    for level in range(max(levels.of.values(), default=0)):
        done = levels.with_maps(levels.sums(level))
        printer = _InParts(replace(kernel, operations=done, outputs=(), gives_saved=()), dims, roomy, data)
        printer.sums = totals
        statements = printer.body().rest
        names = tuple(f"total_{n}" for n in range(totals + 1, printer.sums + 1))
        totals = printer.sums
        after = (*printer.numbers, *_numbers(kernel, levels.numbers(level + 1), dims))
        places = {o.left.name: n for n, o in enumerate(operations)}
        after = tuple(sorted(after, key=lambda s: places[s.of]))
        found.append(Sweep(statements, names, after, printer.code.rooms))
    if last:
        body = Printer(replace(kernel, operations=levels.with_maps(last), gives_saved=()), dims, roomy, data)
        statements = body.body().rest
        found.append(Sweep(statements, (), (), body.code.rooms))
    return Sweeps(_numbers(kernel, levels.numbers(0), dims), tuple(found))


def _numbers(kernel: Kernel, operations: Iterable[Operation], dims: Dimensions) -> tuple[Statement, ...]:
    made = Printer(replace(kernel, operations=tuple(operations), degrees=None, pivots=()), dims, frozenset(), "")
    return made.body().rest
