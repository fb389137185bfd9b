"""The statements of one sweep in CUDA C++: the numbers it loads, and what it computes of an element."""

from __future__ import annotations

from dataclasses import dataclass

from bnsym.backends.cuda_names import cpp_name
from bnsym.backends.cuda_printer import CudaPrinter
from bnsym.backends.cuda_sweep import CudaSweep
from bnsym.backends.numpy_printer import readable
from bnsym.lowering.kernel import Operation
from bnsym.model import Quantity, Size, quantities


@dataclass(frozen=True)
class Line:
    """A statement, with what the derivation calls it where the names in it differ."""

    code: str
    note: str = ""


class Elements:
    """The statements of one sweep."""

    def __init__(self, sweep: CudaSweep):
        self.sweep = sweep
        self.printer = CudaPrinter("A", self._operand)

    def loads(self, level: str) -> list[str]:
        """The numbers of a channel, a row or an element."""
        sweep = self.sweep
        mine = [q for q in sweep.narrow if sweep.places.level(q) == level]
        lines = sweep.numbers.statements(mine)
        lines += [f"to.{cpp_name(q.name)} = A({cpp_name(q.name)});" for q in mine]
        if level == "channel" and sweep.in_units:
            lines.append(f"to.unit = A({sweep.numbers.place_of_unit});")
        return lines

    def compute(self) -> list[Line]:
        """An element's values, which are added up, and results."""
        sweep = self.sweep
        lines = [Line(f"const A {cpp_name(q.name)} = {self._loaded(n, q)};") for n, q in enumerate(sweep.arrays)]
        if sweep.weight is not None:
            lines.append(Line(f"ok = ok && {cpp_name(sweep.weight.name)} != A(0);"))
        for o in sweep.maps:
            code = f"const A {cpp_name(o.left.name)} = {self.printer.assigned(o.equation.right)};"
            lines.append(Line(code, self._note(o)))
        for n, t in enumerate(sweep.totals):
            value = t.value if t.weight in (None, sweep.weight) else t.value * t.weight
            lines.append(Line(f"value[{n}] = {self.printer.assigned(value)};"))
        return lines + [Line(f"result[{n}] = {cpp_name(q.name)};") for n, q in enumerate(sweep.outputs)]

    def skipped(self) -> list[str]:
        """Whether a channel may be passed over."""
        where = self.sweep.sweep.where
        if where is None:
            return []
        read = quantities(where.gts - where.lts)
        return [*self.sweep.numbers.statements(read), f"return !({self.sweep.numbers.condition(where)});"]

    def _note(self, o: Operation) -> str:
        renamed = any(not isinstance(q, Size) and self._operand(q) != q.name for q in o.equation.inputs)
        return f"{o.left.name} = {readable(o.equation.right)}" if renamed else ""

    def _operand(self, q: Quantity) -> str:
        if isinstance(q, Size):
            return f"A({self.sweep.numbers.size(q)})"
        if q in self.sweep.narrow:
            return f"{self.sweep.places.level(q)[0]}.{cpp_name(q.name)}"
        return cpp_name(q.name)

    def _loaded(self, n: int, q: Quantity) -> str:
        """An array's entry, in units if there are any, and 0 where a mask makes it of no consequence."""
        sweep, text = self.sweep, f"in[{n}]"
        if sweep.numbers.degrees.get(q) == 1:
            text += " * unit" if sweep.takes_units else " * c.unit" if sweep.in_units else ""
        if q in sweep.kernel.masked:
            mask = next(m for m, p in enumerate(sweep.arrays) if p.role == "mask")
            text = f"in[{mask}] != A(0) ? {text} : A(0)"
        return text
