"""One sweep of a generated function as CUDA C++: what it loads, computes and hands on, for the templates to lay out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sympy

from bnsym.backends.cuda_names import cpp_name
from bnsym.backends.cuda_places import Places
from bnsym.backends.cuda_printer import CudaPrinter
from bnsym.backends.numpy_printer import readable
from bnsym.checks import DefinitionError
from bnsym.lowering.kernel import Kernel, Operation
from bnsym.lowering.sweeps import Schedule, Sweep, Total
from bnsym.model import Equation, Quantity, Size, Term, quantities


@dataclass(frozen=True)
class Line:
    """`type target = code;`, with what the derivation calls it."""

    code: str
    note: str = ""


class CudaSweep:
    """The text of one sweep. `slots` are the numbers that sweeps hand on to later ones, in the order of their places."""

    def __init__(self, schedule: Schedule, sweep: Sweep, number: int, places: Places, slots: tuple[Quantity, ...], struct: str):
        self.schedule, self.sweep, self.number, self.places, self.slots = schedule, sweep, number, places, slots
        self.kernel: Kernel = schedule.kernel
        self.struct = f"{struct}{number}"
        self.degrees = self.kernel.degrees or {}
        self.weight = self._weight()
        self.totals = tuple(t for t in sweep.totals if t.value != 1)
        self.maps = {o.left: o for o in schedule.maps}
        self.ready = {o.left: o for o in schedule.ready}
        wanted = [t.value for t in self.totals] + list(sweep.outputs) + ([self.weight] if self.weight is not None else [])
        wanted += [t.weight for t in self.totals if t.weight not in (None, self.weight)]
        self.closure = self._closure(wanted)
        self.arrays = tuple(q for q in schedule.arrays if q in self._read(wanted) or q in self._masks(wanted))
        self.narrow = tuple(q for q in self._read(wanted) if q not in schedule.arrays and q not in self.maps)
        self.units = bool(self.degrees) and bool(sweep.totals)
        self.outputs = sweep.outputs
        self.rare = sweep.where is not None

    # -- what it reads

    def _weight(self) -> Quantity | None:
        """The mask that all of its sums are weighted with, if there is one: elements it leaves out do not count."""
        weights = {t.weight for t in self.sweep.totals}
        if len(weights) == 1:
            return next(iter(weights))
        if self.sweep.moments and any(weights):
            raise DefinitionError(f"{self.kernel.name}: sums with a mask beside sums without one in one sweep")
        return None

    def _closure(self, wanted: Iterable[sympy.Expr]) -> tuple[Operation, ...]:
        """What is computed of an element for the expressions wanted, in order."""
        needed = {q for e in wanted for q in quantities(e)}
        found = []
        for o in reversed([o for o in self.kernel.operations if o.left in self.maps]):
            if o.left in needed:
                found.append(self.maps[o.left])
                needed |= {q for t in o.equation.terms for q in quantities(t.body)}
        return tuple(reversed(found))

    def _read(self, wanted: Iterable[sympy.Expr]) -> list[Quantity]:
        bodies = [*wanted, *(o.equation.right for o in self.closure)]
        return list(dict.fromkeys(q for e in bodies for q in quantities(e) if not isinstance(q, Size)))

    def _masks(self, wanted: Iterable[sympy.Expr]) -> tuple[Quantity, ...]:
        """The mask, if an array is read through it."""
        through = [q for q in self._read(wanted) if q in self.kernel.masked]
        return tuple(q for q in self.schedule.arrays if q.role == "mask") if through else ()

    def absent(self, q: Quantity) -> int:
        """What an omitted array stands for."""
        return 0 if q in self.kernel.optional or q.absent is None else q.absent

    @property
    def sums(self) -> int:
        """How many numbers of each channel it adds up: its elements, totals and moments."""
        return 1 + len(self.totals) + len(self.sweep.moments) if self.sweep.sums else 0

    def wide(self, itemsize: int) -> int:
        """How many columns a thread takes side by side: each has its own sums, or its own numbers, in registers."""
        words = 2 if itemsize == 8 else 1
        if self.sums:
            return 2 if words == 1 and self.sums <= 5 else 1
        numbers = max(len(self.fields("channel")), 1) * words
        return max(16 // itemsize >> k for k in range(4) if (16 // itemsize >> k) * numbers <= 32 or 16 // itemsize >> k == 1)

    @property
    def absences(self) -> list[str]:
        """What each omitted array stands for."""
        return [f"A({self.absent(q)})" for q in self.arrays]

    # -- numbers of a channel, a row, an element

    def fields(self, level: str) -> list[str]:
        """The numbers of one level that elements are computed with."""
        names = [cpp_name(q.name) for q in self.narrow if self.places.level(q) == level]
        return names + (["unit"] if level == "channel" and self._in_units else [])

    @property
    def _in_units(self) -> bool:
        """Whether elements are written in units that the sums were taken in."""
        return bool(self.degrees) and bool(self.outputs)

    def loads(self, level: str) -> list[str]:
        """Statements that give those numbers their values."""
        mine = [q for q in self.narrow if self.places.level(q) == level]
        printer = CudaPrinter("double", lambda q: self._in_double(q))
        lines = [f"const double {cpp_name(q.name)} = {self._given(q)};" for q in self._given_for(mine)]
        lines += [f"const double {cpp_name(o.left.name)} = {printer.formula(o.equation.right)};" for o in self._ready_for(mine)]
        lines += [f"to.{cpp_name(q.name)} = A({cpp_name(q.name)});" for q in mine]
        if level == "channel" and self._in_units:
            lines.append(f"to.unit = A(a.numbers[{len(self.slots)} * a.stride + k]);")
        return lines

    def _in_double(self, q: Quantity) -> str:
        return self.size(q) if isinstance(q, Size) else cpp_name(q.name)

    def size(self, q: Size) -> str:
        """A size as a product of the view's."""
        dims = self.places._dims([q.axis])
        return f"double({Places.size(list(dims))})"

    def _ready_for(self, wanted: Iterable[Quantity]) -> list[Operation]:
        needed, found = set(wanted), []
        for o in reversed(self.schedule.ready):
            if o.left in needed and o.left not in self.slots:
                found.append(o)
                needed |= set(o.equation.inputs)
        return found[::-1]

    def _given_for(self, wanted: list[Quantity]) -> list[Quantity]:
        """What of the numbers wanted, and of those that they are computed from, is an argument or was handed on."""
        needed = dict.fromkeys([*wanted, *(q for o in self._ready_for(wanted) for q in o.equation.inputs)])
        made = {o.left for o in self._ready_for(wanted)}
        return [q for q in needed if q not in made and not isinstance(q, Size)]

    def _given(self, q: Quantity, unit: str = "") -> str:
        if q in self.slots:
            return f"a.numbers[{self.slots.index(q)} * a.stride + {self.places.index(q)}]"
        if not q.axes:
            return f"a.{cpp_name(q.name)}" + "".join(f" * {unit}" for _ in range(self.degrees.get(q, 0) if unit else 0))
        absent = 0 if q in self.kernel.optional else q.absent if q.absent is not None else 0
        return f"read(a.{cpp_name(q.name)}, {self.places.index(q)}, {absent})"

    # -- an element

    def compute(self) -> list[Line]:
        """The statements that compute an element's values and results."""
        printer = CudaPrinter("A", self._operand)
        lines = [Line(f"const A {cpp_name(q.name)} = {self._loaded(n, q)};") for n, q in enumerate(self.arrays)]
        if self.weight is not None:
            lines.append(Line(f"ok = ok && {cpp_name(self.weight.name)} != A(0);"))
        for o in self.closure:
            lines.append(Line(f"const A {cpp_name(o.left.name)} = {_assigned(printer, o.equation.right)};", self._note(o)))
        for n, t in enumerate(self.totals):
            lines.append(Line(f"value[{n}] = {_assigned(printer, self._value(t))};"))
        lines += [Line(f"result[{n}] = {cpp_name(q.name)};") for n, q in enumerate(self.outputs)]
        return lines

    def _note(self, o: Operation) -> str:
        text = f"{o.left.name} = {readable(o.equation.right)}"
        return text if any(not isinstance(q, Size) and self._operand(q) != q.name for q in o.equation.inputs) else ""

    def _value(self, t: Total) -> sympy.Expr:
        return t.value if t.weight in (None, self.weight) else t.value * t.weight

    def _operand(self, q: Quantity) -> str:
        if isinstance(q, Size):
            return f"A({self.size(q)})"
        if q in self.narrow:
            return f"{self.places.level(q)[0]}.{cpp_name(q.name)}"
        return cpp_name(q.name)

    def _loaded(self, n: int, q: Quantity) -> str:
        text = f"in[{n}]"
        if self.degrees.get(q) == 1:
            text += " * unit" if self.units else " * c.unit" if self._in_units else ""
        if q in self.kernel.masked:
            mask = next(m for m, p in enumerate(self.arrays) if p.role == "mask")
            text = f"in[{mask}] != A(0) ? {text} : A(0)"
        return text

    @property
    def largest(self) -> list[str]:
        """For each total, whether it is a maximum."""
        return ["true" if t.largest else "false" for t in self.totals]

    @property
    def pairs(self) -> tuple[list[int], list[int]]:
        """The totals whose values each moment multiplies."""
        at = [self.totals.index(t) if t in self.totals else -1 for t in self.sweep.totals]
        return [at[m.first] for m in self.sweep.moments], [at[m.second] for m in self.sweep.moments]

    @property
    def scaled(self) -> list[int]:
        """The arrays that are in units."""
        return [n for n, q in enumerate(self.arrays) if self.degrees.get(q) == 1]

    @property
    def skipped(self) -> list[str]:
        """Statements that tell whether a channel may be passed over."""
        where = self.sweep.where
        if where is None:
            return []
        read = [q for q in quantities(where.gts - where.lts) if not isinstance(q, Size)]
        printer = CudaPrinter("double", self._in_double)
        lines = [f"const double {cpp_name(q.name)} = {self._given(q)};" for q in self._given_for(read)]
        lines += [f"const double {cpp_name(o.left.name)} = {printer.formula(o.equation.right)};" for o in self._ready_for(read)]
        return [*lines, f"return !({printer.formula(where.gts)} > {printer.formula(where.lts)});"]


def _assigned(printer: CudaPrinter, e: sympy.Expr) -> str:
    """An expression in the printer's type, also where it is a number."""
    return printer._argument(e)


def equation_of(q: Quantity) -> Equation:
    """A quantity as a result of its own."""
    return Equation(q, (Term(q),))
