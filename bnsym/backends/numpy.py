"""Kernels as NumPy statements on whole arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import sympy

from bnsym.backends.layout import PER_CHANNEL, Dimensions, is_array
from bnsym.backends.numpy_arrays import ArrayCode
from bnsym.backends.numpy_printer import formula, readable
from bnsym.backends.statements import Body, Statement, broken, noted
from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.lowering.operations import is_product
from bnsym.model import Axis, Quantity, Size, Term, outside_and_inside, quantities


def body(kernel: Kernel, dims: Dimensions, roomy: frozenset[Axis] = frozenset(), data: str = "") -> Body:
    """A kernel's statements; arrays along the `roomy` axes go to rooms, numbers of channels stand beside `data`."""
    return Printer(kernel, dims, roomy, data).body()


class Printer:
    """The statements of one kernel, one operation after the other."""

    each_is_named = False  # whether a total has a name of its own, wherever it is used

    def __init__(self, kernel: Kernel, dims: Dimensions, roomy: frozenset[Axis], data: str):
        self.kernel, self.dims, self.data = kernel, dims, data
        names = {q.name for o in kernel.operations for q in (*o.equation.inputs, o.left)}
        self.frame: tuple[int, ...] = ()
        self.buffered: tuple[int, ...] = ()
        self.sums = 0
        self.code = ArrayCode(self.operand, self.wide, names, roomy)
        self.in_place = {s.shifted: s.centred for s in kernel.steadied}

    def wide(self, q: Quantity) -> bool:
        """Whether a quantity is a whole array here, rather than one number a channel."""
        return is_array(q, self.kernel)

    def operand(self, q: Quantity) -> str:
        """A quantity in a whole-array expression: per-channel ones in the array's dtype, with axes put in."""
        if isinstance(q, Size) or q.role == "constant" or self.kernel.name in PER_CHANNEL:
            return q.name
        if not q.axes:
            return f"float({q.name})"
        if self.data and not self.wide(q):
            return f"_beside({q.name}, {self.data})"
        ready = self.wide(q) or any(q == p.pivot for p in self.kernel.pivots)  # a pivot is taken from the data
        return q.name + self._index(q) if ready else f"{q.name}.astype(dtype, copy=False){self._index(q)}"

    def _index(self, q: Quantity) -> str:
        """Axes put in, so that a quantity stands along its own dimensions of the frame."""
        dims = self.dims(q.axes)
        places = [d for d in self.frame if dims and d >= dims[0]]
        if places == list(dims) or self.kernel.name in PER_CHANNEL:
            return ""
        return f"[{', '.join(':' if d in dims else 'None' for d in places)}]"

    def body(self) -> Body:
        """All of it: the statistics first where forward looks at them, then the rest."""
        kernel, cut = self.kernel, 0
        for n, operation in enumerate(kernel.operations):
            written = replace(operation, equation=operation.equation.replace(self.in_place))
            known = len(self.code.statements)
            if operation.where is None:
                self._operation(written, self._spent(n))
            else:
                self._where(operation.where, written, self._spent(n))
            made = self.code.statements[known:]
            self.code.statements[known:] = [replace(s, of=operation.left.name) for s in made]
            if (kernel.degrees or kernel.pivots) and operation.left in kernel.gives_saved:
                cut = len(self.code.statements)
        statements = tuple(self.code.statements)
        saved = [q.name for q in kernel.gives_saved]
        live = _live(statements[:cut], statements[cut:], saved)
        return Body(statements[:cut], statements[cut:], live, self.code.rooms)

    def _spent(self, n: int) -> frozenset[Quantity]:
        """The arrays this kernel made that no operation after the n-th needs."""
        made = {o.left for o in self.kernel.operations if o.kind is Kind.MAP}
        later = {q for o in self.kernel.operations[n + 1 :] for q in o.equation.inputs}
        kept = {*later, *self.kernel.outputs, *self.kernel.gives_saved}
        return frozenset(q for q in made - kept if self.wide(q))

    def _where(self, where: sympy.Rel, operation: Operation, spent: frozenset[Quantity]) -> None:
        """An operation that may be passed over: the buffers that it makes are none for what follows."""
        known, free = len(self.code.statements), list(self.code.free)
        self._operation(operation, spent)
        self.code.free = [v for v in self.code.free if v in free]
        text = f"{formula(where.gts)} > {formula(where.lts)}"
        self.code.statements[known:] = [replace(s, where=text) for s in self.code.statements[known:]]

    def _operation(self, operation: Operation, spent: frozenset[Quantity]) -> None:
        known, left = len(self.code.statements), operation.left
        self._enter((*operation.equation.inputs, left))
        if operation.kind is Kind.CONTRACT:
            self._contract(operation)
        elif self.wide(left) and operation.kind is Kind.MAP:
            new = left not in (*self.kernel.outputs, *operation.equation.inputs)
            self.code.into(operation.equation.right, left.name, spent, new=new)
        else:
            self._per_channel(operation, spent)
        if len(self.code.statements) > known + 1 or self.wide(left):
            note = f"{left.name} = {readable(operation.equation.right)}"
            self.code.statements[known] = noted(self.code.statements[known], note)

    def _enter(self, found: Iterable[Quantity]) -> None:
        """The dimensions that whole arrays have from here on."""
        found = list(found)
        self.frame = self.dims(a for q in found for a in q.axes)
        if any(self.wide(q) for q in found) and self.frame != self.buffered:
            self.code.leave()
            self.buffered = self.frame

    def _per_channel(self, operation: Operation, spent: frozenset[Quantity]) -> None:
        """Operators, with a call in place of each sum over the data."""
        terms = operation.equation.terms
        several = sum(bool(t.axes) for t in terms) > 1
        parts = [
            self._summed(t, spent - _used(terms[n:]), several) if t.axes else t.expression
            for n, t in enumerate(terms, start=1)
        ]
        self.frame = self.dims(operation.left.axes)
        text, operand = sympy.Add(*parts), lambda q: q.name + self._index(q)
        text = formula(text, operand)
        text = f"np.maximum({text}, 0.0)" if operation.nonnegative else text
        left = operation.left
        if not self.wide(left):
            self._number(broken(Statement(text, left.name)), operation)
        elif left in self.kernel.outputs:
            self.code.statements.append(Statement(f"{left.name}[...] = {text}"))
        else:
            self.code.statements.append(Statement(f"({text}).astype(dtype, copy=False)", left.name))

    def _summed(self, term: Term, spent: frozenset[Quantity], named: bool) -> sympy.Expr:
        """A sum over some of the body's own dimensions; of several, each is named, for the next reuses its buffer."""
        outside, inside = outside_and_inside(term)
        self._enter(quantities(inside))
        places = tuple(self.frame.index(d) for d in self.dims(term.axes) if d in self.frame)
        kept = tuple(a for a in dict.fromkeys(a for q in quantities(inside) for a in q.axes) if a not in term.axes)
        factors = () if term.largest else self._factors_of(inside)
        if factors:
            call = f"_sum_products({', '.join(factors)}, {places})"
        else:
            call = f"{'_largest' if term.largest else '_sum'}({self._value(inside, spent)}, {places})"
        if self.each_is_named or (named and not isinstance(inside, Quantity)):
            self.sums += 1
            self.code.statements.append(self._total(f"total_{self.sums}", call))
            call = f"total_{self.sums}"
        return outside * Quantity(call, kept, "sum")

    def _total(self, name: str, call: str) -> Statement:
        return Statement(call, name)

    def _number(self, statement: Statement, operation: Operation) -> None:
        self.code.statements.append(statement)

    def _factors_of(self, inside: sympy.Expr) -> tuple[str, ...]:
        """Two arrays whose products are summed, without an array for these."""
        factors = inside.args if inside.is_Mul else (inside.base,) * 2 if inside.is_Pow and inside.exp == 2 else ()
        both = len(factors) == 2 and all(isinstance(f, Quantity) and self.wide(f) for f in factors)
        whole = both and all(self.dims(f.axes) == self.frame for f in factors)
        return tuple(f.name for f in factors) if whole and self.code.roomy else ()

    def _value(self, inside: sympy.Expr, spent: frozenset[Quantity]) -> str:
        """What is summed: whole arrays in a buffer, per-channel numbers, which are few, where they stand."""
        if not any(self.wide(q) for q in quantities(inside)):
            return formula(inside, lambda q: q.name + self._index(q))
        value = self.code.temporary(inside, spent)
        self.code.release(value)
        return value.code

    def _contract(self, operation: Operation) -> None:
        """A matrix product into its array, then what it is multiplied with, then the other terms."""
        left, terms = operation.left, operation.equation.terms
        product = next(t for t in terms if is_product(t))
        outside, inside = outside_and_inside(product)
        if left in self.kernel.outputs:
            self.code.statements.append(Statement(f"np.matmul({self._factors(inside, left)}, out={left.name})"))
        else:
            self.code.statements.append(Statement(f"np.matmul({self._factors(inside, left)})", left.name))
        if outside != 1:
            self.code.statements.append(Statement(f"np.multiply({left.name}, {formula(outside)}, out={left.name})"))
        for term in (t for t in terms if t is not product):
            value = self.code.temporary(term.body, frozenset())
            self.code.statements.append(Statement(f"np.add({left.name}, {value.code}, out={left.name})"))

    def _factors(self, inside: sympy.Expr, left: Quantity) -> str:
        """The two matrices in order, each transposed where it has to be."""
        first, second = quantities(inside)
        if left.axes[0] in second.axes:
            first, second = second, first
        a = first.name if left.axes[0] == first.axes[0] else f"{first.name}.T"
        b = second.name if left.axes[1] == second.axes[1] else f"{second.name}.T"
        return f"{a}, {b}"


def _used(terms: Iterable[Term]) -> frozenset[Quantity]:
    return frozenset(q for t in terms for q in quantities(t.body))


def _live(first: tuple[Statement, ...], rest: tuple[Statement, ...], saved: list[str]) -> tuple[str, ...]:
    """What the first statements compute and the rest, or `Saved`, need."""
    made = dict.fromkeys(s.target for s in first if s.target)
    later = " ".join(s.code for s in rest)
    words = set(re.findall(r"\w+", later))
    return tuple(name for name in made if name in words or name in saved)
