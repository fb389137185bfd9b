"""What expressions are made of: axes, quantities that know theirs, sizes, and reductions over named axes.

They are SymPy symbols without indices: a quantity's declaration says what it varies along, so `x - mean` says all.
"""

from __future__ import annotations

from typing import Any

import sympy


class Axis(sympy.Symbol):
    """A named axis, such as `i` for the examples of a mini-batch or `c` for its features."""

    __slots__ = ()

    def __new__(cls, name: str) -> Axis:
        """An axis by its name."""
        return sympy.Symbol.__xnew__(cls, name, integer=True)


class Quantity(sympy.Symbol):
    """A named array: its name, the axes it varies along, and the part it plays.

    `role` is one of "data", "mask", "fixed", "parameter", "constant", "statistic", "count", "value", "gradient", "sum"
    or "size".
    `default` is a constant's default and `at_least` its least value; `absent` is the number an omitted parameter stands
    for.
    """

    __slots__ = ("_content", "absent", "at_least", "axes", "default", "role")

    def __new__(
        cls,
        name: str,
        axes: tuple[Axis, ...] = (),
        role: str = "value",
        *,
        default: float | None = None,
        absent: int | None = None,
        at_least: float = 0,
        **assumptions: bool,
    ) -> Quantity:
        """A quantity; assumptions are SymPy's own."""
        # Symbol's own cache is passed by: it knows nothing of axes.
        self = sympy.Symbol.__xnew__(cls, name, **({"real": True} | assumptions))
        self.axes, self.role, self.default, self.absent, self.at_least = axes, role, default, absent, at_least
        # One name with two axis tuples, or with two defaults, is two quantities; names, not Axis objects, so that SymPy
        # can order them. Made once: quantities are compared all the time.
        own = (tuple(a.name for a in axes), role, repr(default), repr(absent), repr(at_least))
        self._content = (*sympy.Symbol._hashable_content(self), *own)
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return self._content


class Size(Quantity):
    """The number of positions along an axis: the paper's m is the size of the batch axis."""

    __slots__ = ("axis",)

    def __new__(cls, name: str, axis: Axis) -> Size:
        """The size of an axis."""
        self = Quantity.__new__(cls, name, (), "size", integer=True, positive=True)
        self.axis = axis
        self._content = (*self._content, axis.name)
        return self


class Reduction(sympy.Expr):
    """A body reduced over named axes: `Sum(body, i)`, or the largest value, `Max(body, i)`.

    An expression only so that a definition can be written as its paper writes it; programs hold `Term`s.
    """

    def __new__(cls, body: Any, *axes: Axis) -> Reduction:
        """A body over axes."""
        return sympy.Expr.__new__(cls, sympy.sympify(body), *axes)

    @property
    def body(self) -> sympy.Expr:
        """What is reduced."""
        return self.args[0]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes it runs over."""
        return self.args[1:]

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        """The quantities in the body: an axis is bound."""
        return self.body.free_symbols

    def _eval_is_real(self) -> bool:
        return True

    def _sympystr(self, printer: Any) -> str:
        name = "Sum" if isinstance(self, Sum) else "Max"
        return f"{name}({printer.doprint(self.body)}, {', '.join(a.name for a in self.axes)})"


class Sum(Reduction):
    """`Sum(body, i, ...)`: the body added up over the axes."""


class Largest(Reduction):
    """`Max(body, i, ...)` over axes: the largest value. It has no derivative here, only a held value."""


def quantities(expression: sympy.Expr) -> list[Quantity]:
    """Every quantity in an expression, sizes included, sorted by name."""
    return sorted((s for s in expression.free_symbols if isinstance(s, Quantity)), key=_by_name)


def _by_name(q: Quantity) -> tuple[str, tuple[str, ...]]:
    return q.name, tuple(a.name for a in q.axes)
