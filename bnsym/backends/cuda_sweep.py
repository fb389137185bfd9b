"""One sweep of a generated function as CUDA C++: what it reads, adds up, writes and hands on."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from bnsym.backends.cuda_names import cpp_name
from bnsym.backends.cuda_numbers import Numbers
from bnsym.backends.cuda_places import Places
from bnsym.checks import DefinitionError
from bnsym.lowering.kernel import Kernel, Operation
from bnsym.lowering.sweeps import Schedule, Sweep
from bnsym.model import Quantity, Size, quantities


class CudaSweep:
    """What the templates lay out of one sweep, but for its statements."""

    def __init__(self, schedule: Schedule, sweep: Sweep, number: int, numbers: Numbers, struct: str):
        self.schedule, self.sweep, self.number, self.numbers = schedule, sweep, number, numbers
        self.kernel: Kernel = schedule.kernel
        self.places: Places = numbers.places
        self.struct = f"{struct}{number}"
        self.weight = self._weight()
        self.totals = tuple(t for t in sweep.totals if t.value != 1)  # the sum of the weights is counted anyway
        weights = [t.weight for t in sweep.totals if t.weight is not None]
        self._wanted: list[sympy.Expr] = [*(t.value for t in self.totals), *weights, *sweep.outputs]
        self.maps = self._maps()
        through = [q for q in schedule.arrays if q.role == "mask" and any(p in self.kernel.masked for p in self._read)]
        self.arrays = tuple(q for q in schedule.arrays if q in self._read or q in through)
        self.narrow = tuple(q for q in self._read if q not in schedule.arrays and q not in schedule.maps_of)

    def _weight(self) -> Quantity | None:
        """The mask that all of its sums are weighted with, if there is one: elements it leaves out do not count."""
        weights = {t.weight for t in self.sweep.totals}
        if len(weights) > 1 and self.sweep.moments:
            raise DefinitionError(f"{self.kernel.name}: sums with a mask beside sums without it in one pass")
        return next(iter(weights)) if len(weights) == 1 else None

    def _maps(self) -> tuple[Operation, ...]:
        """What is computed of an element for what it adds up and writes, in order."""
        needed = {q for e in self._wanted for q in quantities(e)}
        found: list[Operation] = []
        for o in reversed([o for o in self.kernel.operations if o.left in self.schedule.maps_of]):
            if o.left in needed:
                found.append(o)
                needed |= set(o.equation.inputs)
        return tuple(reversed(found))

    @property
    def _read(self) -> list[Quantity]:
        """Everything that an element is computed from."""
        bodies: Iterable[sympy.Expr] = [*self._wanted, *(o.equation.right for o in self.maps)]
        return list(dict.fromkeys(q for e in bodies for q in quantities(e) if not isinstance(q, Size)))

    @property
    def outputs(self) -> tuple[Quantity, ...]:
        """The arrays that it writes."""
        return self.sweep.outputs

    @property
    def sums(self) -> int:
        """How many numbers of each channel it adds up: its elements, totals and moments."""
        return 1 + len(self.totals) + len(self.sweep.moments) if self.sweep.sums else 0

    @property
    def is_rare(self) -> bool:
        """Whether it may be left out."""
        return self.sweep.where is not None

    @property
    def takes_units(self) -> bool:
        """Whether its sums can be taken again in other units."""
        return bool(self.numbers.degrees and self.sweep.sums)

    @property
    def in_units(self) -> bool:
        """Whether it writes what was summed in other units."""
        return bool(self.numbers.degrees) and bool(self.outputs)

    @property
    def scaled(self) -> list[int]:
        """The arrays that are in units."""
        return [n for n, q in enumerate(self.arrays) if self.numbers.degrees.get(q) == 1]

    @property
    def absent(self) -> list[str]:
        """What each array stands for where it is omitted."""
        return [f"A({0 if q in self.kernel.optional or q.absent is None else q.absent})" for q in self.arrays]

    @property
    def largest(self) -> list[str]:
        """For each total, whether it is a maximum."""
        return ["true" if t.largest else "false" for t in self.totals]

    @property
    def shifted(self) -> list[str]:
        """For each total, whether it is taken over a number near the mean."""
        return ["true" if t.shift is not None else "false" for t in self.totals]

    @property
    def pairs(self) -> tuple[list[int], list[int]]:
        """The totals whose values each moment multiplies."""
        at = [self.totals.index(t) if t in self.totals else -1 for t in self.sweep.totals]
        return [at[m.first] for m in self.sweep.moments], [at[m.second] for m in self.sweep.moments]

    def fields(self, level: str) -> list[str]:
        """The numbers of a channel, a row or an element that elements are computed with."""
        names = [cpp_name(q.name) for q in self.narrow if self.places.level(q) == level]
        return names + ["unit"] * (level == "channel" and self.in_units)

    @property
    def goes_along(self) -> bool:
        """Whether a channel has runs of elements that lie side by side."""
        return bool(self.places.inner) or not self.places.outer

    @property
    def goes_across(self) -> bool:
        """Whether channels lie side by side, row after row."""
        return bool(self.places.outer)

    def long(self, itemsize: int) -> int:
        """How many elements of a run a thread takes at once: 16 bytes of them, less where registers would not do."""
        words = (2 if itemsize == 8 else 1) * (len(self.arrays) + len(self.totals) + len(self.outputs))
        packs = (16 // itemsize >> k for k in range(4))
        room = min(48, 60 - 2 * self.sums)  # each sum is a double, in two registers
        return next(p for p in packs if p * words <= room or p == 1)

    def wide(self, itemsize: int) -> int:
        """How many columns a thread takes side by side: each has its own sums, or its own numbers, in registers."""
        words = 2 if itemsize == 8 else 1
        if self.sums:
            return 2 if words == 1 and self.sums <= 5 and self.sums + len(self.fields("channel")) <= 9 else 1
        numbers = max(len(self.fields("channel")), 1) * words
        packs = (16 // itemsize >> k for k in range(4))
        return next(p for p in packs if p * numbers <= 32 or p == 1)
