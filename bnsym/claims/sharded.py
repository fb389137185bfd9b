"""A program over two shards of one of its axes: the same program, with the axis in two parts of their own sizes."""

from __future__ import annotations

from collections.abc import Iterator

from bnsym.model import Axis, Equation, Program, Quantity, Size, Term


class Sharded:
    """What varies along the axis is there twice, what is summed along it is added up, and sizes add up."""

    def __init__(self, program: Program, axis: Axis, second: Axis):
        self.axis, self.second = axis, second
        every = (*program.inputs, *(e.left for e in program.equations))
        self.twin = {q: Quantity(f"{q}_2", self._moved(q.axes), q.role) for q in every if axis in q.axes}
        sizes = {s for e in program.equations for t in e.terms for s in t.body.atoms(Size) if s.axis == axis}
        whole = program.replace({s: s + Size(f"size_{second}", second) for s in sizes})
        inputs, outputs = (tuple(b for q in qs for b in self.both(q)) for qs in (program.inputs, program.outputs))
        self.program = Program(inputs, tuple(e for of in whole.equations for e in self._equations(of)), outputs)

    def both(self, q: Quantity) -> tuple[Quantity, ...]:
        """A quantity of the whole in the first shard and in the second; one that both share, once."""
        return (q, self.twin[q]) if q in self.twin else (q,)

    def _equations(self, e: Equation) -> Iterator[Equation]:
        if e.left in self.twin:
            yield e
            yield Equation(self.twin[e.left], tuple(self._in_second(t) for t in e.terms), e.held)
        else:
            summed = [self._in_second(t) for t in e.terms if self.axis in t.axes]
            yield Equation(e.left, (*e.terms, *summed), e.held)

    def _in_second(self, t: Term) -> Term:
        return Term(t.body.xreplace(dict(self.twin)), self._moved(t.axes), t.largest)

    def _moved(self, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
        return tuple(self.second if a == self.axis else a for a in axes)
