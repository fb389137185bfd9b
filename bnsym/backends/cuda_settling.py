"""What becomes of a channel's sums, as CUDA C++: float64 arithmetic, results stored, numbers handed on."""

from __future__ import annotations

from bnsym.backends.cuda_names import cpp_name
from bnsym.backends.cuda_sweep import CudaSweep
from bnsym.lowering.kernel import Operation
from bnsym.model import Quantity


class Settling:
    """The statements that follow one sweep's sums. What needs no sum is stored along with the first."""

    def __init__(self, sweep: CudaSweep, results: tuple[Quantity, ...]):
        self.sweep, self.numbers = sweep, sweep.numbers
        self.totals, self.moments, self.scalars = sweep.sweep.totals, sweep.sweep.moments, sweep.sweep.scalars
        made = {*(o.left for o in self.scalars), *(t.shift for t in self.totals)}
        made |= {o.left for o in sweep.schedule.ready} if sweep.number == 1 else set()
        self.stored = [q for q in results if q in made]
        self.handed = [q for q in self.numbers.slots if q in made]

    def statements(self) -> list[str]:
        """From the sums to the results and to what is handed on."""
        lines = self.computed({*self.stored, *self.handed}, "unit")
        lines += [self._store(q) for q in self.stored]
        lines += [f"{self.numbers.place(q)} = {cpp_name(q.name)};" for q in self.handed]
        return lines + [f"{self.numbers.place_of_unit} = unit;"] * bool(self.numbers.degrees)

    def fits(self) -> list[str]:
        """Whether squares have neither overflowed nor vanished: the statistics of the highest degree tell."""
        degrees = self.numbers.degrees
        saved = [q for q in self.sweep.kernel.gives_saved if q in self.stored]
        highest = max((degrees[q] for q in saved), default=0)
        checked = [q for q in saved if degrees[q] == highest]
        whole = " && ".join(f"isfinite({cpp_name(q.name)})" for q in checked)
        small = " || ".join(f"fabs({cpp_name(q.name)}) < tiny" for q in checked)
        return [*self.computed(set(checked), ""), f"return {whole} && !(vanishes() && ({small}));"]

    @property
    def constants(self) -> list[str]:
        """The constants that squares are added to: where one of them is small, squares may vanish unnoticed."""
        given = self.sweep.kernel.arguments
        return [cpp_name(q.name) for q in given if q.role == "constant" and self.numbers.degrees.get(q)]

    def computed(self, wanted: set[Quantity], unit: str) -> list[str]:
        """The numbers wanted, and what they are computed from."""
        chosen: list[Operation] = []
        needed = set(wanted)
        for o in reversed(self.scalars):
            if o.left in needed:
                chosen.append(o)
                needed |= set(o.equation.inputs)
        made = {*(o.left for o in chosen), *self.sweep.sweep.sums}
        made |= {t.shift for t in self.totals if t.shift is not None}
        given = sorted(needed - made, key=lambda q: q.name)
        lines = self.numbers.statements(given, unit) + self.summed(needed)
        sizes = [line for line in self.numbers.sizes(chosen) if line not in lines]
        return [*lines, *sizes, *(self.numbers.assignment(o) for o in reversed(chosen))]

    def summed(self, needed: set[Quantity]) -> list[str]:
        """What is needed of the sums, and of the numbers that they were taken over."""
        lines, index = [], {t: n for n, t in enumerate(self.sweep.totals)}
        for t in self.totals:
            shift = "" if t.shift is None else cpp_name(t.shift.name)
            if shift and needed & {t.shift, t.left}:
                lines.append(f"const double {shift} = A(sums.mean({index[t]}));")
            if t.left in needed:
                value = f"sums.total({index[t]}{', ' * bool(shift)}{shift})" if t in index else "sums.count"
                lines.append(f"const double {cpp_name(t.left.name)} = {value};")
        moments = ((n, m) for n, m in enumerate(self.moments) if m.left in needed)
        return lines + [f"const double {cpp_name(m.left.name)} = sums.moment({n});" for n, m in moments]

    def _store(self, q: Quantity) -> str:
        degree = self.numbers.degrees.get(q, 0)
        text = cpp_name(q.name) + (" / unit" if degree > 0 else " * unit") * abs(degree)
        return f"a.{cpp_name(q.name)}_result[k] = {'int64' if q.role == 'count' else 'Kept'}({text});"
