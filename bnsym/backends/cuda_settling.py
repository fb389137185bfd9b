"""What becomes of a channel's sums, as CUDA C++: float64 arithmetic, results stored, numbers handed on."""

from __future__ import annotations

from collections.abc import Iterable

from bnsym.backends.cuda_names import cpp_name
from bnsym.backends.cuda_printer import CudaPrinter
from bnsym.backends.cuda_sweep import CudaSweep
from bnsym.lowering.kernel import Operation
from bnsym.model import Quantity, Size


class Settling:
    """The statements that follow one sweep's sums."""

    def __init__(self, sweep: CudaSweep, results: tuple[Quantity, ...]):
        self.sweep, self.results = sweep, results
        self.printer = CudaPrinter("double", lambda q: sweep.size(q) if isinstance(q, Size) else cpp_name(q.name))

    def statements(self) -> list[str]:
        """From the sums to the results and to what is handed on."""
        sweep, scalars = self.sweep, self.sweep.sweep.scalars
        stored = [q for q in self.results if q in self._made(scalars)]
        handed = [q for q in sweep.slots if q in self._made(scalars)]
        lines = self._computed(scalars, {*stored, *handed})
        lines += [self._stored(q) for q in stored]
        lines += [f"a.numbers[{sweep.slots.index(q)} * a.stride + k] = {cpp_name(q.name)};" for q in handed]
        if sweep.degrees:
            lines.append(f"a.numbers[{len(sweep.slots)} * a.stride + k] = unit;")
        return lines

    def fits(self) -> list[str]:
        """Whether squares have neither overflowed nor vanished: the statistics of the highest degree tell."""
        sweep = self.sweep
        saved = [q for q in sweep.kernel.gives_saved if q in self._made(sweep.sweep.scalars)]
        highest = max((sweep.degrees[q] for q in saved), default=0)
        checked = [q for q in saved if sweep.degrees[q] == highest]
        lines = self._computed(sweep.sweep.scalars, set(checked), unit="")
        whole = " && ".join(f"isfinite({cpp_name(q.name)})" for q in checked)
        small = " || ".join(f"fabs({cpp_name(q.name)}) < tiny" for q in checked)
        return [*lines, f"return {whole} && !(vanishes() && ({small}));"]

    @property
    def constants(self) -> list[str]:
        """The constants that squares are added to: where one of them is large enough, squares may vanish."""
        return [cpp_name(q.name) for q in self.sweep.kernel.arguments if q.role == "constant" and self.sweep.degrees.get(q)]

    def _made(self, scalars: Iterable[Operation]) -> set[Quantity]:
        shifts = {t.shift for t in self.sweep.sweep.totals if t.shift is not None}
        # What needs no sum is computed where it is used, and stored where the first sums are settled.
        ready = {o.left for o in self.sweep.schedule.ready} if self.sweep.number == 1 else set()
        return {o.left for o in scalars} | shifts | ready

    def _computed(self, scalars: Iterable[Operation], wanted: set[Quantity], unit: str = "unit") -> list[str]:
        """The scalars wanted, and what they are computed from."""
        chosen, needed = [], set(wanted)
        for o in reversed(list(scalars)):
            if o.left in needed:
                chosen.append(o)
                needed |= {q for q in o.equation.inputs}
        chosen.reverse()
        sums = [*self.sweep.sweep.totals, *self.sweep.sweep.moments]
        made = {o.left for o in chosen} | {s.left for s in sums} | {t.shift for t in self.sweep.sweep.totals}
        given = [q for q in sorted(needed - made, key=lambda q: q.name) if not isinstance(q, Size)]
        lines = [f"const double {cpp_name(q.name)} = {self.sweep._given(q, unit)};" for q in self.sweep._given_for(given)]
        lines += self._sums(needed)
        lines += [self._line(o) for o in (*self.sweep._ready_for(given), *chosen)]
        return lines

    def _sums(self, needed: set[Quantity]) -> list[str]:
        sweep, lines = self.sweep, []
        for t in sweep.sweep.totals:
            at = sweep.totals.index(t) if t in sweep.totals else -1
            if t.shift is not None and (t.shift in needed or t.left in needed):
                lines.append(f"const double {cpp_name(t.shift.name)} = A(sums.mean({at}));")
            if t.left in needed:
                value = "sums.count" if at < 0 else f"sums.total({at}{f', {cpp_name(t.shift.name)}' if t.shift is not None else ''})"
                lines.append(f"const double {cpp_name(t.left.name)} = {value};")
        for n, m in enumerate(sweep.sweep.moments):
            if m.left in needed:
                lines.append(f"const double {cpp_name(m.left.name)} = sums.moment({n});")
        return lines

    def _line(self, o: Operation) -> str:
        text = self.printer._argument(o.equation.right)
        return f"const double {cpp_name(o.left.name)} = {f'nonnegative({text})' if o.nonnegative else text};"

    def _stored(self, q: Quantity) -> str:
        degree = self.sweep.degrees.get(q, 0)
        text = cpp_name(q.name) + (" / unit" if degree > 0 else " * unit") * abs(degree)
        return f"a.{cpp_name(q.name)}_result[k] = {'int64' if q.role == 'count' else 'Kept'}({text});"
