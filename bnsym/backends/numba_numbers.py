"""How compiled Python has the numbers of a channel: as arguments, handed on by an earlier sweep, or computed."""

from __future__ import annotations

from bnsym.backends.cuda_numbers import Numbers
from bnsym.backends.numba_printer import NumbaPrinter, py_name
from bnsym.model import Quantity, Size


class NumbaNumbers(Numbers):
    """The numbers of one sweep, in float64."""

    def prints(self) -> NumbaPrinter:
        """What prints them."""
        return NumbaPrinter(self.name)

    def name(self, q: Quantity) -> str:
        """What the variable of a quantity is called."""
        return py_name(q.name)

    def defined(self, q: Quantity, text: str) -> str:
        """A variable for a quantity."""
        return f"{self.name(q)} = {text}"

    def nonnegative(self, text: str) -> str:
        """A number that rounding may not have taken below zero."""
        return f"np.maximum({text}, 0.0)"

    def size(self, q: Size) -> str:
        """A size, as a product of the view's dimensions."""
        return f"float({self.places.size_of(q.axis)})"

    def place(self, q: Quantity) -> str:
        """Where a number that is handed on lies: of each channel, or of the one in work."""
        at = self.places.index(q)
        return f"{self.name(q)}_slot[{'at' if at == 'k' else f'({at}) * keep'}]"

    def given(self, q: Quantity, unit: str) -> str:
        """What a sweep has of a number: handed on, or an argument."""
        if q in self.slots:
            return self.place(q)
        if not q.axes:
            return f"{self.name(q)}_given" + f" * {unit}" * (self.degrees.get(q, 0) if unit else 0)
        return f"{self.name(q)}_all[{self.places.index(q)}]"
