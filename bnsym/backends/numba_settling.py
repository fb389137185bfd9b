"""What becomes of a channel's sums, as compiled Python: float64 arithmetic, results stored, numbers handed on."""

from __future__ import annotations

import sympy

from bnsym.backends.cuda_settling import Settling
from bnsym.backends.numba_printer import py_name
from bnsym.backends.numba_sweep import Added, NumbaSweep, label
from bnsym.lowering.sweeps import Total
from bnsym.model import Quantity, quantities


class NumbaSettling(Settling):
    """The statements that follow one sweep's sums."""

    sweep: NumbaSweep

    def statements(self) -> list[str]:
        """From the sums to the results and to what is handed on."""
        return [*self.computed({*self.stored, *self.handed}, "unit")]

    def stores(self) -> list[str]:
        """The results, and what is handed on."""
        lines = [self._store(q) for q in self.stored]
        return [*lines, *(f"{self.numbers.place(q)} = {py_name(q.name)}" for q in self.handed)]

    def fit(self) -> tuple[str, str]:
        """That squares have not overflowed, and that they may have vanished, as the highest statistics tell."""
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

    def computed(self, wanted: set[Quantity], unit: str) -> list[str]:
        """The numbers wanted, and what they are computed from."""
        factors = [m.factor for m in self.sweep.multiplied] + [f for _, f in self.sweep.multiples.values()]
        return super().computed(wanted | {q for f in factors for q in quantities(f)}, unit)

    def summed(self, needed: set[Quantity]) -> list[str]:
        """What is needed of the sums, which were taken over pivots, and of the numbers that these stand for."""
        totals = [line for t in self.totals if {t.left, t.shift} & needed for line in self._total(t)]
        return totals + [self._moment(m) for m in self.sweep.multiplied if m.left in needed]

    def _total(self, t: Total) -> list[str]:
        name = py_name(t.left.name)
        if t not in self.sweep.totals:
            return [f"{name} = count"]
        of, factor = self.sweep.multiples.get(t, (t, sympy.S.One))
        place = self.sweep.block.index(f"sum_of_{label(of.left)}")
        text, pivot = f"sums[{place}, at]", f"float(pivots[{place}][at])"
        if t.shift is not None:
            shift = py_name(t.shift.name)
            near = f"{shift} = float(real({pivot} + {text} / count))"
            return [near, f"{name} = {text} + count * ({pivot} - {shift})"]
        if self.moments and not t.largest:
            text = f"{text} + count * {pivot}"
        return [f"{name} = {self._times(factor, text)}"]

    def _times(self, factor: sympy.Expr, text: str) -> str:
        return text if factor == 1 else f"{self.numbers.printer.formula(factor)} * ({text})"

    def _moment(self, m: Added) -> str:
        """A sum of products over pivots as one over the means."""
        block = self.sweep.block
        product = f"sums[{block.index(f'product_of_{m.label}')}, at]"
        first, second = (f"sums[{block.index(f'sum_of_{of}')}, at]" for of in m.pair)
        text = f"{product} - {first} * ({second} / count)"
        if first == second:
            text = self.numbers.nonnegative(text)
        return f"{py_name(str(m.left))} = {self._times(m.factor, text)}"

    def _store(self, q: Quantity) -> str:
        degree = self.numbers.degrees.get(q, 0)
        name = py_name(q.name)
        text = name + (" / unit" if degree > 0 else " * unit") * abs(degree)
        return f"{name}_all[{self.numbers.places.index(q)}] = {text}"
