"""One generated function as compiled Python: its arguments, and its sweeps in stages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from bnsym.backends.cuda_function import handed_on
from bnsym.backends.layout import Dimensions
from bnsym.backends.numba_numbers import NumbaNumbers
from bnsym.backends.numba_places import NumbaPlaces
from bnsym.backends.numba_printer import py_name
from bnsym.backends.numba_settling import NumbaSettling
from bnsym.backends.numba_sweep import NumbaSweep
from bnsym.lowering.sweeps import Schedule


@dataclass(frozen=True)
class Step:
    """What a stage does next: sum (some elements for pivots, then all), settle what was summed, or write."""

    number: int
    kind: str
    sweep: NumbaSweep

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a caller can ask for."""
        return ("probe", "sum") if self.kind == "sum" and self.sweep.sweep.moments else (self.kind,)

    @property
    def condition(self) -> str:
        """Whether it was asked for."""
        first, last = self.number, self.number + len(self.kinds)
        if last - first == 1:
            return f"if first_step <= {first} < last_step:"
        return f"for step in range(max(first_step, {first}), min(last_step, {last})):"

    @property
    def title(self) -> str:
        """What it is for."""
        labels = [t.label for t in self.sweep.added]
        sums = ", ".join(labels if len(labels) <= 4 else [*labels[:3], "..."]) or "the count"
        written = " and ".join(q.name for q in self.sweep.outputs)
        if self.kind == "sum":
            pivots = f"{self.number}: pivots, {self.number + 1}: " if len(self.kinds) > 1 else ""
            return f"{pivots}sums of {sums}{' and ' + written if written else ''}"
        return f"what follows from the sums of {sums}" if self.kind == "settle" else written


class Stage:
    """Sweeps over the same axes, in one compiled function for either way that the data may lie."""

    def __init__(self, sweeps: tuple[NumbaSweep, ...], settlings: dict[int, NumbaSettling]):
        self.sweeps, self.settlings = sweeps, settlings
        self.number, self.places = sweeps[0].number, sweeps[0].places
        self.steps: list[Step] = []
        kinds = [(kind, s) for s in sweeps for kind in (("sum", "settle") if s.sums else ("write",))]
        for kind, sweep in kinds:
            self.steps.append(Step(sum(len(step.kinds) for step in self.steps), kind, sweep))

    @property
    def along(self) -> bool:
        """Whether a channel has runs of elements that lie side by side."""
        return self.sweeps[0].goes_along

    @property
    def across(self) -> bool:
        """Whether channels lie side by side, row after row, and each number belongs to a channel or to a row."""
        narrow = {q for s in self.sweeps for q in s.narrow}
        return self.sweeps[0].goes_across and all(self.places.level(q) != "element" for q in narrow)

    @property
    def title(self) -> str:
        """What it is for."""
        return " and ".join(q.name for s in self.sweeps for q in s.outputs) or "the sums"

    @property
    def kinds(self) -> list[str]:
        """All that a caller can ask for, in order."""
        return [kind for step in self.steps for kind in step.kinds]

    @property
    def sums(self) -> int:
        """How many numbers of each channel are added up."""
        return max((len(s.block) for s in self.sweeps if s.sums), default=0)

    @property
    def pivots(self) -> int:
        """Over how many pivots."""
        return max((len(s.pivots) for s in self.sweeps if s.sweep.moments), default=0)

    @property
    def largest(self) -> list[int]:
        """Which of them are maxima."""
        return sorted({s.block.index(name) for s in self.sweeps for name in s.largest_of})


class NumbaFunction:
    """The text of one generated function."""

    def __init__(self, schedule: Schedule, dims: Dimensions):
        kernel = schedule.kernel
        self.name, self.schedule, self.kernel = kernel.name, schedule, kernel
        given = (*kernel.arguments, *(q for _, q in kernel.takes_saved))
        self.arrays = schedule.arrays
        self.vectors = tuple(q for q in given if q not in self.arrays and q.axes)
        self.constants = tuple(q for q in given if q not in self.arrays and not q.axes)
        self.outputs = tuple(q for q in kernel.outputs if q in schedule.maps_of)
        self.results = tuple(q for q in (*kernel.outputs, *kernel.gives_saved) if q not in self.outputs)
        self.slots = handed_on(schedule)
        self.units = bool(kernel.degrees)
        self.sweeps = tuple(
            NumbaSweep(schedule, s, n, NumbaNumbers(schedule, NumbaPlaces(dims, s.over, s.kept), self.slots))
            for n, s in enumerate(schedule.sweeps, start=1)
        )
        settlings = {s.number: NumbaSettling(s, self.results) for s in self.sweeps if s.sweep.sums}
        grouped = groupby(self.sweeps, key=lambda s: s.sweep.over)
        self.stages = tuple(Stage(tuple(group), settlings) for _, group in grouped)

    @property
    def parameters(self) -> list[str]:
        """What its compiled functions are given: arrays, numbers of each channel, numbers, and where results go."""
        arrays = [*self.arrays, *self.vectors, *self.outputs, *self.results]
        return [*(f"{py_name(q.name)}_all" for q in arrays), *(f"{py_name(q.name)}_given" for q in self.constants)]

    def given(self, form: str) -> list[str]:
        """Every parameter of a compiled function: then room to work in, and what of the work is wanted."""
        room = ["slots", "pivots", "sums", *["work"] * (form == "across"), *["units", "again"] * self.units]
        wanted = [f"{end}_{what}" for what in ("part", "step") for end in ("first", "last")]
        return [*self.parameters, "shape", *room, "keep", "probe", "first", "last", *wanted]

    @property
    def slot_names(self) -> list[str]:
        """Where numbers that sweeps hand on lie."""
        return [f"{py_name(q.name)}_slot" for q in self.slots]

    @property
    def scaled(self) -> list[int]:
        """The arrays that are in units, among all."""
        degrees = self.kernel.degrees or {}
        return [n for n, q in enumerate(self.arrays) if degrees.get(q) == 1]

    @property
    def vanishing(self) -> list[int]:
        """The constants that squares are added to, among all."""
        names = {n for s in self.sweeps if s.takes_units for n in NumbaSettling(s, self.results).constants}
        return [n for n, q in enumerate(self.constants) if q.name in names]
