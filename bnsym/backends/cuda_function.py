"""One generated function as CUDA C++: its arguments, its sweeps, and how they are launched."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from bnsym.backends.cuda_elements import Elements
from bnsym.backends.cuda_names import cpp_name, struct_name
from bnsym.backends.cuda_numbers import Numbers, enumerator
from bnsym.backends.cuda_places import Places
from bnsym.backends.cuda_settling import Settling
from bnsym.backends.cuda_sweep import CudaSweep
from bnsym.backends.layout import Dimensions
from bnsym.lowering.sweeps import Schedule
from bnsym.model import Quantity, quantities


@dataclass(frozen=True)
class Stage:
    """Sweeps over the same axes, which one launch can take a channel through."""

    sweeps: tuple[CudaSweep, ...]

    @property
    def number(self) -> int:
        """The number of its first sweep."""
        return self.sweeps[0].number

    @property
    def held(self) -> CudaSweep:
        """The sweep whose arrays are worth keeping for the others: of those that sum, the one that reads most."""
        return max((s for s in self.sweeps if s.sums), key=lambda s: len(s.arrays))


@dataclass(frozen=True)
class Entry:
    """A kernel: its name, without the dtype, what it calls, and whether its blocks work together in clusters."""

    name: str
    call: str
    in_cluster: bool = False

    @property
    def macro(self) -> str:
        """The macro that makes it for a dtype."""
        return self.name.upper()


class CudaFunction:
    """The text of one generated function."""

    def __init__(self, schedule: Schedule, number: int, dims: Dimensions):
        kernel = schedule.kernel
        self.name, self.number, self.struct = kernel.name, number, struct_name(kernel.name)
        self.schedule, self.kernel = schedule, kernel
        taken = [q for _, q in kernel.takes_saved]
        self.arrays = schedule.arrays
        self.vectors = tuple(q for q in (*kernel.arguments, *taken) if q not in self.arrays and q.axes)
        self.numbers = tuple(q for q in (*kernel.arguments, *taken) if q not in self.arrays and not q.axes)
        self.outputs = tuple(q for q in kernel.outputs if q in schedule.maps_of)
        self.results = tuple(q for q in (*kernel.outputs, *kernel.gives_saved) if q not in self.outputs)
        slots = handed_on(schedule)
        self.slots = [*(enumerator(q) for q in slots), *["UNIT"] * bool(kernel.degrees)]
        self.sweeps = tuple(
            CudaSweep(schedule, s, n, Numbers(schedule, Places(dims, s.over, s.kept), slots), self.struct)
            for n, s in enumerate(schedule.sweeps, start=1)
        )
        self.settlings = {s.number: Settling(s, self.results) for s in self.sweeps if s.sweep.sums}
        grouped = groupby(self.sweeps, key=lambda s: s.sweep.over)
        self.stages = tuple(Stage(tuple(group)) for _, group in grouped)

    @property
    def entries(self) -> list[Entry]:
        """The kernels: for each sweep one for either way its data may lie, and what settles its sums; whole stages."""
        found = []
        for s in self.sweeps:
            made = f"{s.struct}<T>(a)"
            if s.goes_along:
                found.append(Entry(f"{self.name}_{s.number}_along", f"sweep_along({made})"))
            if s.goes_across:
                found.append(Entry(f"{self.name}_{s.number}_across", f"sweep_across({made})"))
            if s.sweep.sums:
                found.append(Entry(f"{self.name}_{s.number}_settle", f"settle_parts({made})"))
        return found + (self._whole() if self.is_whole else [])

    @property
    def is_whole(self) -> bool:
        """Whether it has kernels that do a whole stage in one launch: the step of a training loop has them."""
        return self.name in ("forward", "backward")

    def _whole(self) -> list[Entry]:
        found = []
        for stage in self.stages:
            made = ", ".join(f"{s.struct}<T>(a)" for s in stage.sweeps)
            first, prefix = stage.sweeps[0], f"{self.name}_{stage.number}"
            kinds = ["slab"] * (first.sums > 0) + ["ticket"] * (len(stage.sweeps) > 1)
            ways = ["along"] * first.goes_along + ["across"] * first.goes_across
            found += [Entry(f"{prefix}_{kind}_{way}", f"{kind}_{way}({made})") for kind in kinds for way in ways]
            if first.goes_along and first.sums and len(stage.sweeps) > 1:
                call = f"cluster_along({stage.held.struct}<T>(a), {made})"
                found.append(Entry(f"{prefix}_cluster_along", call, in_cluster=True))
        if self.takes_rows:
            rows, columns = (f"{s.struct}<T>(a)" for s in self.sweeps)
            found.append(Entry(f"{self.name}_1_ticket_rows", f"ticket_rows({rows}, {columns})"))
        return found

    @property
    def near(self) -> list[int]:
        """Which of its vectors are read for each element or row: their places among all vectors."""
        read = {q for s in self.sweeps for q in s.narrow if s.places.level(q) != "channel"}
        return [n for n, q in enumerate(self.vectors) if q in read]

    @property
    def takes_rows(self) -> bool:
        """Whether it takes the sums of rows, and then those of columns whose elements are in one row each."""
        if [len(stage.sweeps) for stage in self.stages] != [1, 1]:
            return False
        rows, columns = (s.places for s in self.sweeps)
        return not rows.outer and rows.kept == columns.outer and not columns.inner

    def name_of(self, q: Quantity) -> str:
        """A quantity's name in C++."""
        return cpp_name(q.name)

    def numbered(self, sweep: CudaSweep) -> list[int]:
        """Which of all arrays each one is that a sweep reads."""
        return [self.arrays.index(q) for q in sweep.arrays]

    def elements(self, sweep: CudaSweep) -> Elements:
        """A sweep's statements."""
        return Elements(sweep)

    def settling(self, sweep: CudaSweep) -> Settling | None:
        """What follows a sweep's sums."""
        return self.settlings.get(sweep.number)


def handed_on(schedule: Schedule) -> tuple[Quantity, ...]:
    """What a sweep's sums give and a later sweep reads."""
    made: dict[Quantity, int] = {}
    for n, s in enumerate(schedule.sweeps):
        lefts = [*(o.left for o in s.scalars), *(t.shift for t in s.totals if t.shift is not None)]
        made |= dict.fromkeys(lefts, n)
    elementwise = {o.left: o for o in schedule.maps}
    found: dict[Quantity, None] = {}
    for n, s in enumerate(schedule.sweeps):
        read = {q for t in s.totals for q in quantities(t.value)} | set(s.outputs)
        read |= {q for o in s.scalars for q in o.equation.inputs}
        todo = list(read)
        while todo:
            q = todo.pop()
            if made.get(q, n) < n:
                found.setdefault(q)
            elif q in elementwise:
                todo += elementwise[q].equation.inputs
    return tuple(sorted(found, key=lambda q: q.name))
