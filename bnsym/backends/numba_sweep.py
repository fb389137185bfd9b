"""One sweep of a generated function as compiled Python: the numbers it loads, and what it computes of an element."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy

from bnsym.backends.cuda_sweep import CudaSweep
from bnsym.backends.numba_numbers import NumbaNumbers
from bnsym.backends.numba_places import NumbaPlaces
from bnsym.backends.numba_printer import NumbaPrinter, py_name
from bnsym.lowering.sweeps import Schedule, Sweep, Total
from bnsym.model import Quantity, Size, quantities


@dataclass(frozen=True)
class Added:
    """What is added up of each element: what it is called, its value if a total, the two it multiplies if a moment."""

    label: str
    value: str = ""
    largest: bool = False
    pair: tuple[str, ...] = ()
    left: Quantity | None = None
    factor: sympy.Expr = sympy.S.One


class NumbaSweep(CudaSweep):
    """What the templates lay out of one sweep."""

    numbers: NumbaNumbers
    places: NumbaPlaces

    def __init__(self, schedule: Schedule, sweep: Sweep, number: int, numbers: NumbaNumbers):
        super().__init__(schedule, sweep, number, numbers, "")
        left_out = set(self.multiples)  # which elements need not be multiplied for
        weights = [t.weight for t in sweep.totals if t.weight is not None]
        self._wanted = [*(t.value for t in self.totals if t not in left_out), *weights, *sweep.outputs]
        self.narrow = tuple(q for q in self.narrow if q in self._read)

    @property
    def _printer(self) -> NumbaPrinter:
        return NumbaPrinter(self._operand, "real", self.narrow)

    def _operand(self, q: Quantity) -> str:
        return f"real({self.numbers.size(q)})" if isinstance(q, Size) else py_name(q.name)

    def names(self, q: Quantity) -> str:
        """What the variable of a quantity is called."""
        return py_name(q.name)

    @cached_property
    def multiples(self) -> dict[Total, tuple[Total, sympy.Expr]]:
        """Totals that a channel's number times an earlier one are: of which total, and how many times that."""
        found: dict[Total, tuple[Total, sympy.Expr]] = {}
        for n, t in enumerate(self.totals):
            for of in self.totals[:n]:
                factor = sympy.cancel(t.value / of.value)
                numbers = set(quantities(factor))
                own = {q for q in numbers if q in self.narrow and self.places.along(q) == "channel"}
                simple = t.shift is of.shift is None and not (t.largest or of.largest) and t.weight == of.weight
                if simple and of not in found and numbers == own != set():
                    found[t] = (of, factor)
                    break
        return found

    @cached_property
    def added(self) -> list[Added]:
        """The totals that are added up."""
        totals = [t for t in self.totals if t not in self.multiples]
        values = [t.value if t.weight in (None, self.weight) else t.value * t.weight for t in totals]
        printed = [self._printer.assigned(v) for v in values]
        return [Added(label(t.left), v, t.largest) for t, v in zip(totals, printed, strict=True)]

    @cached_property
    def multiplied(self) -> list[Added]:
        """The moments, and the number that what is added up has to be multiplied with."""
        found = []
        for m in self.sweep.moments:
            pair = [self.sweep.totals[n] for n in (m.first, m.second)]
            whole = [self.multiples.get(t, (t, sympy.S.One)) for t in pair]
            names = tuple(label(t.left) for t, _ in whole)
            found.append(Added(label(m.left), pair=names, left=m.left, factor=whole[0][1] * whole[1][1]))
        return found

    @property
    def pivots(self) -> list[str]:
        """The numbers near the means that moments are taken over."""
        return [f"pivot_of_{t.label}" for t in self.added]

    @property
    def block(self) -> list[str]:
        """What the elements of a block are added up to."""
        found = [f"sum_of_{t.label}" for t in self.added] + [f"product_of_{m.label}" for m in self.multiplied]
        return found + ["counted"] * bool(self.counts)

    @property
    def largest_of(self) -> list[str]:
        """Those of them that are maxima."""
        return [f"sum_of_{t.label}" for t in self.added if t.largest]

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """Each array's entry for an element."""
        mask = next((q for q in self.arrays if q.role == "mask"), None)
        found = []
        for q in sorted(self.arrays, key=lambda q: q is not mask):
            name = py_name(q.name)
            text = f"real({name}_all[e])" if q is mask else f"{name}_all[e]"
            if self.numbers.degrees.get(q) == 1:
                text += " * unit"
            if q in self.kernel.masked and mask is not None:
                text = f"{text} if {py_name(mask.name)} != 0 else real(0)"
            found.append((name, text))
        return found

    @property
    def elements(self) -> list[str]:
        """What is computed of an element."""
        loaded = [f"{name} = {text}" for name, text in self.arguments]
        computed = [f"{py_name(o.left.name)} = {self._printer.assigned(o.equation.right)}" for o in self.maps]
        return [*loaded, *computed]

    @property
    def counts(self) -> str:
        """Whether an element counts, where not all do."""
        return f"{py_name(self.weight.name)} != 0" if self.weight is not None else ""

    def of(self, level: str, *, across: bool = False) -> list[Quantity]:
        """The numbers of a channel, a row, a run or an element."""
        found = self.places.level if across else self.places.along
        return [q for q in self.narrow if found(q) == level]

    def loads(self, level: str, *, across: bool = False) -> list[str]:
        """The same as variables, in the data's arithmetic."""
        mine = self.of(level, across=across)
        lines = self.numbers.statements(mine)
        computed = {o.left for o in self.schedule.ready} - set(self.numbers.slots)
        return lines + [f"{py_name(q.name)} = real({py_name(q.name)})" for q in mine if q in computed]

    @property
    def needed(self) -> str:
        """Where it may be left out, where it may not."""
        where = self.sweep.where
        return "" if where is None else self.numbers.condition(where)

    def looked_at(self) -> list[str]:
        """What that is told by."""
        where = self.sweep.where
        return [] if where is None else self.numbers.statements(sorted(where.free_symbols, key=lambda q: q.name))


def label(q: Quantity) -> str:
    """What is added up, without the word that says how."""
    return q.name.removeprefix("total_").removeprefix("moment_")
