"""Programs evaluated element by element: on SymPy symbols, on floats, on many digits.

Every quantity is an array with one dimension for each of the program's axes, of length 1 where it does not vary. What
an elementwise function is, each kind of number says for itself in one small table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy

from bnsym.calculus.opaque import opaque, opaque_power, whole
from bnsym.model import Axis, Equation, Largest, Program, Quantity, Reduction, Size, Term

Array = npt.NDArray[Any]
Values = Mapping[Quantity, Any]


@dataclass(frozen=True)
class Numbers:
    """A kind of number: its arrays' dtype, how a rational or a constant becomes one, and its functions by name.

    `power` raises one number to another, `total` adds up along some dimensions, which stay, with one position.
    """

    dtype: Any
    constant: Callable[[sympy.Expr], Any]
    functions: Mapping[str, Callable[..., Any]]
    power: Callable[[Any, Any], Any] = pow
    total: Callable[[Array, tuple[int, ...]], Array] = lambda array, along: np.asarray(array.sum(along, keepdims=True))


def each(function: Callable[..., Any], arguments: int = 1) -> Callable[..., Any]:
    """A function of numbers as one of arrays of objects."""
    made: Callable[..., Any] = np.frompyfunc(function, arguments, 1)
    return made


FLOATS = Numbers(
    np.float64,
    float,
    {
        "exp": np.exp,
        "log": np.log,
        "tanh": np.tanh,
        "sinh": np.sinh,
        "atan": np.arctan,
        "erf": lambda z: np.asarray(each(math.erf)(z), float),
        "Abs": np.abs,
        "sign": np.sign,
        "step": lambda z: (z > 0) * 1.0,
        "maximum": np.maximum,
        "minimum": np.minimum,
    },
)

DIGITS = Numbers(
    object,
    lambda e: mpmath.mpf(int(e.p)) / int(e.q) if e.is_Rational else mpmath.mpmathify(e.evalf(mpmath.mp.dps)),
    {name: each(getattr(mpmath, name)) for name in ("exp", "log", "tanh", "sinh", "atan", "erf", "sign")}
    | {
        "Abs": each(abs),
        "step": each(lambda z: mpmath.mpf(z > 0)),
        "maximum": each(max, 2),
        "minimum": each(min, 2),
    },
)

SYMBOLS = Numbers(object, lambda e: e, {})
"""Any function of a symbol is that function, left as it stands."""


def evaluate(program: Program, values: Values, numbers: Numbers = FLOATS) -> dict[Quantity, Array]:
    """Every quantity of a program, each with its own axes, from arrays for the inputs.

    A quantity that `values` gives is not computed, even where an equation computes it.
    """
    interpreter = Interpreter(program, values, numbers)
    for e in program.equations:
        if e.left not in interpreter.arrays:
            interpreter.compute(e)
    return {q: interpreter.own(q) for q in interpreter.arrays}


class Interpreter:
    """The arrays of one evaluation, and how expressions over them are computed."""

    def __init__(self, program: Program, values: Values, numbers: Numbers):
        self.axes, self.numbers = program.axes, numbers
        self.sizes: dict[Axis, int] = {}
        self.arrays: dict[Quantity, Array] = {}
        for q, value in values.items():
            self._take(q, np.asarray(value, dtype=numbers.dtype))

    def _take(self, q: Quantity, array: Array) -> None:
        if array.ndim != len(q.axes):
            raise ValueError(f"{q} has {len(q.axes)} axes, its array {array.ndim}")
        for axis, n in zip(q.axes, array.shape, strict=True):
            if self.sizes.setdefault(axis, n) != n:
                raise ValueError(f"{q} has {n} positions along {axis}, where another input has {self.sizes[axis]}")
        varying = sorted(range(array.ndim), key=lambda k: self.axes.index(q.axes[k]))
        shape = [self.sizes[a] if a in q.axes else 1 for a in self.axes]
        self.arrays[q] = array.transpose(varying).reshape(shape)

    def own(self, q: Quantity) -> Array:
        """A quantity's array with its own axes, in its own order."""
        full = np.broadcast_to(self.arrays[q], [self.sizes[a] if a in q.axes else 1 for a in self.axes])
        places = [self.axes.index(a) for a in q.axes]
        rest = [k for k in range(len(self.axes)) if k not in places]
        return full.transpose([*places, *rest]).reshape([self.sizes[a] for a in q.axes])

    def compute(self, equation: Equation) -> None:
        """The left side from the right."""
        self.arrays[equation.left] = self._whole(
            sum((self._term(t) for t in equation.terms), self._number(sympy.Integer(0)))
        )

    def _whole(self, array: Array) -> Array:
        return np.asarray(each(whole)(array)) if self.numbers is SYMBOLS else array

    def _term(self, term: Term) -> Array:
        body = self(term.body)
        places = tuple(self.axes.index(a) for a in term.axes)
        if not places:
            return body
        # What does not vary along a summed axis is still added up once for every position.
        shape = [
            self.sizes[a] if k in places else n for k, (a, n) in enumerate(zip(self.axes, body.shape, strict=True))
        ]
        body = np.broadcast_to(body, shape)
        return np.asarray(body.max(places, keepdims=True)) if term.largest else self.numbers.total(body, places)

    def __call__(self, e: sympy.Expr) -> Array:
        """The array of an elementwise expression."""
        if isinstance(e, Size):
            return self._number(sympy.Integer(self.sizes[e.axis]))
        if isinstance(e, Quantity):
            return self.arrays[e]
        if isinstance(e, Reduction):
            return self._term(Term(e.body, e.axes, isinstance(e, Largest)))
        if e.is_number:
            return self._number(e)
        arguments = [self(a) for a in e.args]
        if e.is_Add or e.is_Mul:
            result = arguments[0]
            for a in arguments[1:]:
                result = result + a if e.is_Add else result * a
            return self._whole(result) if e.is_Add else result
        if e.is_Pow:
            return self._power(arguments[0], e.exp)
        return np.asarray(self._function(type(e), len(arguments))(*arguments))

    def _number(self, e: sympy.Expr) -> Array:
        return np.full([1] * len(self.axes), self.numbers.constant(e), dtype=self.numbers.dtype)

    def _power(self, base: Array, exponent: sympy.Expr) -> Array:
        power = int(exponent) if exponent.is_Integer else self.numbers.constant(exponent)
        if self.numbers is SYMBOLS and not (exponent.is_Integer and exponent > 0):
            return np.asarray(each(lambda b: b**exponent if b.is_number else opaque_power(exponent)(b))(base))
        if self.numbers.dtype is object:
            return np.asarray(each(lambda b: self.numbers.power(b, power))(base))
        return np.asarray(self.numbers.power(base, float(exponent)))

    def _function(self, function: Any, arguments: int) -> Callable[..., Any]:
        if self.numbers is SYMBOLS:
            return each(opaque(function), arguments)
        return self.numbers.functions[function.__name__]
