"""How CUDA C++ has the numbers of a channel: as arguments, handed on by an earlier sweep, or computed of those."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from bnsym.backends.cuda_names import cpp_name
from bnsym.backends.cuda_places import Places
from bnsym.backends.cuda_printer import CudaPrinter
from bnsym.lowering.kernel import Operation
from bnsym.lowering.sweeps import Schedule
from bnsym.model import Quantity, Size


def enumerator(q: Quantity) -> str:
    """What the place of a number that is handed on is called."""
    return cpp_name(q.name).upper()


class Numbers:
    """The numbers of one sweep, in float64. `slots` are those that sweeps hand on, in the order of their places."""

    def __init__(self, schedule: Schedule, places: Places, slots: tuple[Quantity, ...]):
        self.schedule, self.places, self.slots = schedule, places, slots
        self.degrees = schedule.kernel.degrees or {}
        self.printer = self.prints()

    def prints(self) -> CudaPrinter:
        """What prints them."""
        return CudaPrinter("double", self.name)

    def name(self, q: Quantity) -> str:
        """What the variable of a quantity is called."""
        return cpp_name(q.name)

    def defined(self, q: Quantity, text: str) -> str:
        """A variable for a quantity."""
        return f"const double {self.name(q)} = {text};"

    def nonnegative(self, text: str) -> str:
        """A number that rounding may not have taken below zero."""
        return f"nonnegative({text})"

    def size(self, q: Size) -> str:
        """A size, as a product of the view's dimensions."""
        return f"double({self.places.size_of(q.axis)})"

    def statements(self, wanted: Iterable[Quantity], unit: str = "") -> list[str]:
        """Variables for the numbers wanted and what they are computed from; constants in units, if there are any."""
        wanted = [q for q in wanted if not isinstance(q, Size)]
        ready = self._ready(wanted)
        needed = dict.fromkeys([*wanted, *(q for o in ready for q in o.equation.inputs)])
        made = {o.left for o in ready}
        given = [q for q in needed if q not in made and not isinstance(q, Size)]
        lines = [self.defined(q, self.given(q, unit)) for q in given]
        return [*lines, *self.sizes(ready), *(self.assignment(o) for o in ready)]

    def sizes(self, operations: Iterable[Operation]) -> list[str]:
        """Variables for the sizes in some scalars."""
        found = {q for o in operations for t in o.equation.terms for q in t.body.atoms(Size)}
        return [self.defined(q, self.size(q)) for q in sorted(found, key=lambda q: q.name)]

    def assignment(self, o: Operation) -> str:
        """A scalar as a variable."""
        text = self.printer.assigned(o.equation.right)
        return self.defined(o.left, self.nonnegative(text) if o.nonnegative else text)

    def condition(self, where: sympy.Rel) -> str:
        """Whether one number is larger than another."""
        return f"{self.printer.formula(where.gts)} > {self.printer.formula(where.lts)}"

    def place(self, q: Quantity) -> str:
        """Where a number that is handed on lies."""
        return f"a.numbers[a.{enumerator(q)} * a.stride + {self.places.index(q)}]"

    @property
    def place_of_unit(self) -> str:
        """Where the unit of a channel lies: after all others."""
        return "a.numbers[a.UNIT * a.stride + k]"

    def _ready(self, wanted: list[Quantity]) -> list[Operation]:
        """What has to be computed for the numbers wanted, in order."""
        needed, found = set(wanted), []
        for o in reversed(self.schedule.ready):
            if o.left in needed and o.left not in self.slots:
                found.append(o)
                needed |= set(o.equation.inputs)
        return found[::-1]

    def given(self, q: Quantity, unit: str) -> str:
        """What a sweep has of a number: handed on, or an argument."""
        if q in self.slots:
            return self.place(q)
        if not q.axes:
            return f"a.{cpp_name(q.name)}" + f" * {unit}" * (self.degrees.get(q, 0) if unit else 0)
        absent = 0 if q in self.schedule.kernel.optional or q.absent is None else q.absent
        reads = "read" if self.places.level(q) == "channel" else "read_near<T>"
        return f"{reads}(a.{cpp_name(q.name)}, {self.places.index(q)}, {absent})"
