"""What becomes of a channel's sums, as compiled Python: float64 arithmetic, results stored, numbers handed on."""

from __future__ import annotations

from bnsym.backends.cuda_settling import Settling
from bnsym.backends.numba_printer import py_name
from bnsym.backends.numba_sweep import Added, label
from bnsym.model import Quantity


class NumbaSettling(Settling):
    """The statements that follow one sweep's sums."""

    def statements(self) -> list[str]:
        """From the sums to the results and to what is handed on."""
        return [*self.computed({*self.stored, *self.handed}, "unit")]

    def stores(self) -> list[str]:
        """The results, and what is handed on."""
        lines = [self._store(q) for q in self.stored]
        return [*lines, *(f"{self.numbers.place(q)} = {py_name(q.name)}" for q in self.handed)]

    def fit(self) -> tuple[str, str]:
        """That squares have not overflowed, and that they may have vanished: the statistics of the highest degree tell."""
        degrees = self.numbers.degrees
        saved = [q for q in self.sweep.kernel.gives_saved if q in self.stored]
        highest = max((degrees[q] for q in saved), default=0)
        checked = [py_name(q.name) for q in saved if degrees[q] == highest]
        whole = " and ".join(f"np.isfinite({name})" for name in checked)
        small = " or ".join(f"abs({name}) < tiny" for name in checked)
        return whole, small

    @property
    def vanishing(self) -> str:
        """Whether constants that squares are added to are as small as squares that vanish."""
        return " and ".join(f"{name}_given < smallest" for name in self.constants)

    def summed(self, needed: set[Quantity]) -> list[str]:
        """What is needed of the sums, which were taken over pivots, and of the numbers that these stand for."""
        lines, block = [], self.sweep.block
        over = bool(self.moments)
        for t in self.totals:
            if t.left not in needed and t.shift not in needed:
                continue
            if t not in self.sweep.totals:
                lines.append(f"{py_name(t.left.name)} = count")
                continue
            name, place = py_name(t.left.name), block.index(f"sum_of_{label(t.left)}")
            pivot = f"pivots[{self.sweep.totals.index(t)}][at]"
            if t.shift is not None:
                shift = py_name(t.shift.name)
                lines.append(f"{shift} = float(real({pivot} + sums[{place}, at] / count))")
                lines.append(f"{name} = sums[{place}, at] + count * (float({pivot}) - {shift})")
            else:
                over_pivot = f" + count * {pivot}" if over and not t.largest else ""
                lines.append(f"{name} = sums[{place}, at]{over_pivot}")
        return lines + [self._moment(m) for m in self.sweep.multiplied if m.left in needed]

    def _moment(self, m: Added) -> str:
        """A sum of products over pivots as one over the means."""
        block = self.sweep.block
        product = f"sums[{block.index(f'product_of_{m.label}')}, at]"
        first, second = (f"sums[{block.index(f'sum_of_{of}')}, at]" for of in m.pair)
        text = f"{product} - {first} * ({second} / count)"
        return f"{py_name(m.left.name)} = {self.numbers.nonnegative(text) if first == second else text}"

    def _store(self, q: Quantity) -> str:
        degree = self.numbers.degrees.get(q, 0)
        name = py_name(q.name)
        text = name + (" / unit" if degree > 0 else " * unit") * abs(degree)
        return f"{name}_all[{self.numbers.places.index(q)}] = {text}"
