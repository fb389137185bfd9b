"""What the NumPy templates lay out of the statistics: what they are computed from, over which pivots, in what units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import sympy

from bnsym.backends.numpy_printer import formula
from bnsym.backends.signature import Signature
from bnsym.backends.statements import Body, Statement
from bnsym.lowering.kernel import Kernel
from bnsym.model import Quantity, quantities

if TYPE_CHECKING:
    from bnsym.backends.module import Module


class StatisticsText(Signature):
    """The part of a function that computes statistics."""

    def __init__(self, kernel: Kernel, module: Module, statements: Body):
        super().__init__(kernel, module)
        self.first, self.rest, self.live = statements.first, statements.rest, statements.live

    @property
    def statistics_take(self) -> list[str]:
        """What the statistics are computed from."""
        used = words(self.first)
        names = [q.name for q in (*self.arrays, *self.vectors, *self.constants)] + [n for n, _ in self.sizes]
        return [self.reference, *(n for n in names if n in used and n != self.reference)]

    @property
    def scaled(self) -> list[tuple[str, str]]:
        """What becomes of the data, and of constants that the rest uses, in other units."""
        later = words(self.rest)
        constants = [(name, text) for name, text in self._scaled_constants().items() if name in later]
        return [*((name, f"{name} * unit.astype(dtype){self._index()}") for name in self.scaled_arrays), *constants]

    @property
    def scaled_arrays(self) -> list[str]:
        """The arrays that are data, in units."""
        degrees = self.kernel.degrees or {}
        return [q.name for q in self.arrays if degrees.get(q) == 1]

    @property
    def scaled_take(self) -> list[str]:
        """What the statistics are computed from, in other units."""
        done = [name for name, _ in self.scaled]
        constants = {n: text for n, text in self._scaled_constants().items() if n not in done}
        return [constants.get(name, name) for name in self.statistics_take]

    def _scaled_constants(self) -> dict[str, str]:
        """A constant of degree k times the unit's k-th power."""
        degrees = self.kernel.degrees or {}
        return {q.name: f"{q.name}{_powers('*', degrees[q])}" for q in self.constants if degrees.get(q)}

    @property
    def may_vanish(self) -> str:
        """When squares may vanish and be missed: no constant that they are added to is larger."""
        degrees = self.kernel.degrees or {}
        return " or ".join(f"{q.name} < _SMALLEST[dtype]" for q in self.constants if degrees.get(q)) or "True"

    @property
    def overflowed(self) -> str:
        """When squares have overflowed."""
        degrees = self.kernel.degrees or {}
        highest = max(degrees[q] for q in self.kernel.gives_saved)
        checked = [q.name for q in self.kernel.gives_saved if degrees[q] == highest]
        return " or ".join(f"not math.isfinite(np.vdot({name}, {name}))" for name in checked)

    @property
    def moments(self) -> list[dict[str, str]]:
        """The pivots: where the data's first entry lies, and some of them, and what tells that it is too far out."""
        found = []
        for p in self.kernel.pivots:
            reduced = set(self._module.dims(p.axes))
            first = ", ".join("0" if d in reduced else ":" for d in self._module.dims(p.data.axes))
            names = {k: getattr(p, k).name for k in ("pivot", "mean")}
            texts = {"all": "{}", "first": f"{{}}[{first}]", "some": f"_some({{}}, {self.reduced})"}
            texts |= {f"all_{k}": text.replace("{}", "all_{}") for k, text in texts.items()}
            texts = {k: _each(p.source, text) for k, text in texts.items()}
            found.append(names | texts | {"excess": formula(p.excess)})
        return found

    def unscale(self, q: Quantity) -> str:
        """A saved statistic back in the user's units."""
        return _powers("/", (self.kernel.degrees or {})[q])

    def _index(self) -> str:
        kept = set(self._module.dims(self._module.definition.program.inputs[0].axes)) - set(self.reduced)
        places = [d for d in (*kept, *self.reduced) if d >= min(kept)]
        return f"[{', '.join(':' if d in kept else 'None' for d in sorted(places))}]" if len(places) > len(kept) else ""


def _each(source: sympy.Expr, text: str) -> str:
    """What the data are computed from, with a text in place of each array."""
    return formula(source.xreplace({q: Quantity(text.format(q)) for q in quantities(source) if q.axes}))


def _powers(operator: str, degree: int) -> str:
    """Times, or over, a power of the unit, factor by factor: the square of a unit may be no number."""
    sign = operator if degree > 0 else "/*".replace(operator, "")
    return f" {sign} unit" * abs(degree)


def words(statements: Iterable[Statement]) -> set[str]:
    """The names that statements use."""
    return set(re.findall(r"\w+", " ".join(f"{s.code} {s.where}" for s in statements)))
