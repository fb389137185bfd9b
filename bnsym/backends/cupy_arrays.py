"""What the CuPy templates lay out of a function on whole arrays that has no kernels: NumPy's statements, in CuPy."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bnsym.backends.numpy_function import FunctionText
from bnsym.backends.statements import Statement
from bnsym.lowering.kernel import Kernel
from bnsym.model import Quantity

if TYPE_CHECKING:
    from bnsym.backends.module import Module


class ArraysText(FunctionText):
    """One generated function. CuPy has NumPy's functions under the same names; none may wait for the device."""

    def __init__(self, kernel: Kernel, module: Module):
        super().__init__(kernel, module)
        self.first, self.rest = tuple(map(_in_cupy, self.first)), tuple(map(_in_cupy, self.rest))

    @property
    def multiplies(self) -> bool:
        """Whether there are matrix products in it."""
        return any(s.code.startswith("_product(") for s in (*self.first, *self.rest))

    @property
    def moments(self) -> list[dict[str, str]]:
        """The pivots, as NumPy's."""
        return [{k: _named(text) for k, text in m.items()} for m in super().moments]

    def _as_result(self, q: Quantity) -> str:
        if not q.axes and not self.per_channel:
            return f"cp.asarray({q.name}, dtype)"
        return _named(super()._as_result(q))


def _in_cupy(statement: Statement) -> Statement:
    """A statement that is done whether it has to be or not: to look would wait for the device."""
    code, lead, trail = _named(statement.code), _named(statement.lead), _named(statement.trail)
    return replace(statement, code=code, lead=lead, trail=trail, terms=tuple(map(_named, statement.terms)), where="")


def _named(code: str) -> str:
    """CuPy's functions for NumPy's, but for a product that can be captured; a number may lie on the device."""
    code = re.sub(r"\bnp\.", "cp.", code.replace("np.matmul(", "_product("))
    return re.sub(r"\bfloat\((\w+)\)", r"_scalar(\1, dtype)", code)
