"""SymPy expressions as scalar Python that Numba compiles: for elements in the data's arithmetic, else in float64.

A whole number beside a float32 would make the whole expression float64, so numbers of elements are written `real(2)`.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable

import sympy

from bnsym.backends.cuda_printer import CudaPrinter
from bnsym.functions import Abs, maximum, minimum, sign, step
from bnsym.model import Quantity

FUNCTIONS: dict[type[sympy.Basic], str] = {
    sympy.exp: "math.exp",
    sympy.log: "math.log",
    sympy.tanh: "math.tanh",
    sympy.erf: "math.erf",
    Abs: "abs",
    sign: "_sign",
    step: "_step",
    maximum: "_larger",
    minimum: "_smaller",
}
_OURS = """
    again at base before begin block_row both c column columns count e end filled first first_column first_e
    first_part first_step fits i inner j k keep kept last last_part last_row last_step length limit math misfits
    n near needed np o other outer over part partials parts probing product real row rows run runs share single
    slots smallest start taken this_run tile tiny total unit units vanished wide width work
"""
TAKEN = frozenset(_OURS.split())


def py_name(name: str) -> str:
    """The name of a quantity's variable: its own, but where Python or the templates have taken it."""
    return f"{name}_" if name in TAKEN or keyword.iskeyword(name) else name


class NumbaPrinter(CudaPrinter):
    """Prints elements, whose type is called `real`, or numbers in float64, for which `real` is empty.

    `narrow` are the quantities of which many elements have one number.
    """

    functions, root, language = FUNCTIONS, "math.sqrt", "Numba"

    def __init__(self, operand: Callable[[Quantity], str], real: str = "", narrow: tuple[Quantity, ...] = ()):
        super().__init__(real or "double", operand)
        self._real, self._narrow = real, narrow

    def number(self, n: sympy.Integer | int) -> str:
        """A whole number within an expression."""
        return f"real({n})" if self._real else str(n)

    def power(self, base: str, exponent: int) -> str:
        """A whole power of what is more than a name."""
        return f"_power({base}, {exponent})"

    def varies(self, q: Quantity) -> bool:
        """Whether a quantity is computed for each element."""
        return q not in self._narrow

    def assigned(self, e: sympy.Expr) -> str:
        """An expression that has the printer's type even if it is a number."""
        if not e.is_number:
            return self.formula(e)
        text = str(e.p) if e.is_Integer else f"{e.p} / {e.q}" if e.is_Rational else repr(float(e))
        return f"real({text})" if self._real else text
