"""Whole-array expressions as in-place ufunc calls, with as few temporaries as the expression needs.

Only the last call of an expression writes to its target, so a target may be one of the inputs. A buffer is reused as
soon as what it holds is not needed any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from bnsym.backends.numpy_printer import FUNCTIONS, Operand, Unprintable, folded, magnitude, ordered
from bnsym.backends.statements import Statement
from bnsym.functions import step
from bnsym.model import Axis, Quantity


@dataclass(frozen=True)
class Value:
    """An operand: its code, whether it is a whole array, along which axes, and whether it may be written to."""

    code: str
    wide: bool
    owned: bool = False
    axes: frozenset[Axis] = frozenset()


class ArrayCode:
    """Statements for elementwise expressions; free buffers are kept from one expression to the next."""

    def __init__(
        self, operand: Operand, is_element: Callable[[Quantity], bool], names: set[str], roomy: frozenset[Axis]
    ):
        """New buffers that vary along all of the `roomy` axes are rooms that a function is given, one after another."""
        self.operand, self.is_element, self.roomy, self.rooms = operand, is_element, roomy, 0
        self.statements: list[Statement] = []
        self.free: list[Value] = []
        self._taken = set(names)
        self._preferred = ""

    def leave(self) -> None:
        """Buffers of one frame do not fit another: the same axes have other dimensions there."""
        self.free.clear()

    def into(self, e: sympy.Expr, target: str, spent: frozenset[Quantity], *, new: bool) -> None:
        """The target becomes e: a new array, or one that is there to be written to."""
        self._preferred = target if new else ""
        value = self._signed(e, spent, None if new else target)
        self._preferred = ""
        if new and value.code != target:
            self.free = [v for v in self.free if v.code != target]  # the name stands for another buffer from here on
            self._add(value.code if value.owned else f"np.copy({value.code})", target)
        elif not new and value.code != target:
            self._add(f"np.copyto({target}, {value.code})")

    def temporary(self, e: sympy.Expr, spent: frozenset[Quantity]) -> Value:
        """An expression in some buffer, which the caller gives back by `release`."""
        return self._signed(e, spent, None)

    def release(self, value: Value) -> None:
        """A buffer that is not needed any more."""
        if value.owned and value not in self.free:
            self.free.append(value)

    def _signed(self, e: sympy.Expr, spent: frozenset[Quantity], target: str | None) -> Value:
        negative, rest = magnitude(e)
        if not negative:
            return self._of(e, spent, target)
        return self._call("np.negative", [self._of(rest, spent, None)], target)

    def _of(self, e: sympy.Expr, spent: frozenset[Quantity], target: str | None) -> Value:
        if isinstance(e, Quantity):
            return Value(self.operand(e), self.is_element(e), e in spent, frozenset(e.axes))
        if e.is_number:
            return Value(str(float(e)) if not e.is_Integer else str(e), False)
        if isinstance(e, sympy.Add):
            return self._sum(e, spent, target)
        if isinstance(e, sympy.Mul):
            return self._product(e, spent, target)
        if isinstance(e, sympy.Pow):
            return self._power(e.base, e.exp, spent, target)
        if isinstance(e, step):
            return self._call("np.heaviside", [self._signed(e.args[0], spent, None), Value("0", False)], target)
        if type(e) in FUNCTIONS:
            return self._call(FUNCTIONS[type(e)], [self._signed(a, spent, None) for a in e.args], target)
        raise Unprintable(f"the NumPy backend has no code for {type(e).__name__}")

    def _sum(self, e: sympy.Add, spent: frozenset[Quantity], target: str | None) -> Value:
        """Composite terms first, so that a buffer is at hand; per-channel terms last."""
        terms = sorted(ordered(e), key=self._readiness)
        negative, first = magnitude(terms[0])
        later = _needed_by(terms[1:])
        value = self._of(first, spent - later, None)
        pending = {first}  # an operand that is an array itself may not be written to before it is used
        for n, term in enumerate(terms[1:], start=2):
            minus, rest = magnitude(term)
            other = self._of(rest, spent - _needed_by(terms[n:]) - pending, None)
            pending = set()
            end = target if n == len(terms) else None
            if negative and minus:
                value = self._call("np.add", [value, other], None if end else end)
            elif negative:
                value, negative = self._call("np.subtract", [other, value], end), False
            else:
                value = self._call("np.subtract" if minus else "np.add", [value, other], end)
        return self._call("np.negative", [value], target) if negative else value

    def _product(self, e: sympy.Mul, spent: frozenset[Quantity], target: str | None) -> Value:
        factors = [f for f in ordered(folded(e)) if f != 1]
        above = self._one_by_one(sorted((f for f in factors if not _is_inverse(f)), key=self._readiness))
        below = [1 / f for f in factors if _is_inverse(f)]
        steps = [("np.multiply", f) for f in above[1:]] + [("np.divide", f) for f in below]
        later = _needed_by([f for _, f in steps])
        value = self._of(above[0], spent - later, None) if above else Value("1.0", False)
        pending = set(above[:1])
        for n, (function, f) in enumerate(steps, start=1):
            left = [g for _, g in steps[n:]]
            other = self._of(f, spent - _needed_by(left) - pending, None)
            pending = set()
            value = self._call(function, [value, other], target if n == len(steps) else None)
        return value

    def _power(self, base: sympy.Expr, n: sympy.Expr, spent: frozenset[Quantity], target: str | None) -> Value:
        if n.is_negative:
            return self._call("np.divide", [Value("1.0", False), self._of(base**-n, spent, None)], target)
        if n == sympy.Rational(1, 2):
            return self._call("np.sqrt", [self._signed(base, spent, None)], target)
        if n == 1:
            return self._of(base, spent, target)
        if n == 2:
            return self._call("np.square", [self._signed(base, spent, None)], target)
        if n.is_Integer and n % 2 == 0:
            return self._call("np.square", [self._power(base, n / 2, spent, None)], target)
        if n.is_Integer and isinstance(base, Quantity):
            even = self._power(base, n - 1, spent - {base}, None)
            return self._call("np.multiply", [even, self._of(base, spent, None)], target)
        exponent = str(n) if n.is_Integer else f"{n.p} / {n.q}"
        return self._call("np.power", [self._signed(base, spent, None), Value(exponent, False)], target)

    def _one_by_one(self, factors: list[sympy.Expr]) -> list[sympy.Expr]:
        """x^3 beside other arrays as x * x * x, after them: exp(-x) x^3 is then 0 where x^3 alone would overflow."""
        wide = [f for f in factors if self._readiness(f) < 2]
        powers = [f for f in wide if f.is_Pow and f.exp.is_Integer and isinstance(f.base, Quantity)]
        if len(wide) == 1:
            return factors
        rest = [f for f in wide if f not in powers]
        return [*rest, *(f.base for f in powers for _ in range(int(f.exp))), *(f for f in factors if f not in wide)]

    def _readiness(self, e: sympy.Expr) -> int:
        """Composite arrays, then arrays, then per-channel operands."""
        wide = any(self.is_element(q) for q in e.free_symbols if isinstance(q, Quantity))
        return 2 if not wide else 1 if isinstance(magnitude(e)[1], Quantity) else 0

    def _call(self, function: str, operands: list[Value], target: str | None) -> Value:
        """One ufunc call, into the target, an operand's own buffer, a free one, or a new one."""
        arguments = ", ".join(v.code for v in operands)
        if not any(v.wide for v in operands) and target is None:
            return Value(f"{function}({arguments})", False)  # per channel: small enough to stand in its place
        axes = frozenset(a for v in operands for a in v.axes)
        spare = [v for v in operands if v.owned and v.wide]
        if target is not None:
            self._add(f"{function}({arguments}, out={target})")
            result = Value(target, True, axes=axes)
        else:
            result = self._buffered(function, arguments, axes, spare)
        for value in spare:
            if value.code != result.code:
                self.release(value)
        return result

    def _buffered(self, function: str, arguments: str, axes: frozenset[Axis], spare: list[Value]) -> Value:
        """A call into a buffer of the result's shape: an operand's own, a free one, or a new one."""
        fitting = next((v for v in (*spare, *reversed(self.free)) if v.axes == axes), None)
        if fitting is None:
            fitting = Value(self._fresh(), True, True, axes)
            self._add(f"{function}({arguments}{self._room(axes)})", fitting.code)
        else:
            self.free = [v for v in self.free if v != fitting]
            self._add(f"{function}({arguments}, out={fitting.code})")
        return fitting

    def _room(self, axes: frozenset[Axis]) -> str:
        if not self.roomy or axes != self.roomy:
            return ""
        self.rooms += 1
        return f", out=room[{self.rooms - 1}]"

    def _fresh(self) -> str:
        name = self._preferred or next(
            n for n in ("work", *(f"work_{k}" for k in range(2, 99))) if n not in self._taken
        )
        self._taken.add(name)
        self._preferred = ""
        return name

    def _add(self, code: str, target: str = "") -> None:
        self.statements.append(Statement(code, target))


def _needed_by(terms: list[sympy.Expr]) -> frozenset[Quantity]:
    return frozenset(q for t in terms for q in t.free_symbols if isinstance(q, Quantity))


def _is_inverse(e: sympy.Expr) -> bool:
    return bool(e.is_Pow and e.exp.is_negative) or bool(e.is_Rational and e.p == 1 and e.q != 1)
