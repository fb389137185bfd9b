"""Small numbers for an example: chosen so that every value of a definition and of its gradients is a short fraction.

Nothing is typed in but whole numbers to try. Of the triples of these, and of the constants that make a root of some
statistic exact, those are taken whose values the definition's own programs find to be the shortest to write.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

import numpy as np

from bnsym.calculus.derive import Derivation
from bnsym.calculus.elements import Array, evaluate
from bnsym.calculus.fractions import FRACTIONS, InexactError
from bnsym.model import Axis, Program, Quantity

COUNT = 3
"""So many numbers are normalized together."""
TRIPLES = tuple(itertools.combinations(range(1, 9), COUNT))
ROOTS = sorted({Fraction(k, n) for n in (1, 2, 3) for k in range(1, 10 * n)})
POWERS = {n: [root**n for root in ROOTS] for n in (2, 4)}
"""The squares, and fourth powers, of short numbers."""
GIVEN: Mapping[str, tuple[int, ...]] = {"data": (2, -3, 1), "parameter": (2, 1, 3), "fixed": (2, 1)}
"""Numbers for what is not searched for: its elements take them in turn, and each quantity starts one further on."""
TURNS = tuple(itertools.permutations((3, -3, 6)))
"""Numbers for the gradients that are given."""
KEPT = 6
"""So many forward passes are followed backwards."""
TRIED = 2
"""So many constants are tried for each statistic of a triple, and each degree."""

Values = dict[Quantity, Array]


def example(derivation: Derivation, *, signed: bool) -> Values:
    """Every value of a definition's backward program, by name; `signed` data are not all positive.

    Raises InexactError where none of those tried is exact.
    """
    forwards = sorted(_forwards(derivation, signed), key=_length)[:KEPT]
    if not forwards:
        raise InexactError(f"a root of the statistics of {derivation.definition.name}")
    return min((_backward(derivation, f, turn) for f in forwards for turn in TURNS), key=_length)


def _forwards(derivation: Derivation, signed: bool) -> Iterator[Values]:
    """What the definition makes of each triple for which it is exact, the shortest constants first."""
    program, sizes = derivation.forward, _sizes(derivation)
    for a, b, c in TRIPLES:
        drawn = _drawn(program.inputs, sizes, (a, -b if signed else b, c))
        for constants in _constants(program, drawn):
            try:
                yield evaluate(program, drawn | constants, FRACTIONS)
            except InexactError as error:
                if error.function:
                    raise
                continue
            break


def _backward(derivation: Derivation, forward: Values, turn: tuple[int, ...]) -> Values:
    """The chain rule's gradients; those that are given take their numbers in one of several orders."""
    derivative = derivation.backward
    sizes = {a: n for q, array in forward.items() for a, n in zip(q.axes, array.shape, strict=True)}
    seeds = _drawn(derivative.seeds, sizes, (), turn)
    return evaluate(derivative.program, seeds | {q: forward[q] for q in derivation.forward.inputs}, FRACTIONS)


def _sizes(derivation: Derivation) -> dict[Axis, int]:
    """Three positions along what is summed over, one more where a mask leaves one out, and one along the rest.

    Where matrices are multiplied, two along the rest; where nothing is summed, three along the first axis.
    """
    program = derivation.forward
    summed = [a for a in program.axes if any(a in t.axes for e in program.equations for t in e.terms)]
    counted = any(e.left.role == "count" for e in program.equations)
    first = (summed or list(program.axes))[:1]
    rest = 2 if derivation.definition.layout == "arrays" else 1
    return {a: COUNT + counted if a in first else 1 if a in summed else rest for a in program.axes}


def _drawn(
    inputs: Iterable[Quantity], sizes: dict[Axis, int], triple: tuple[int, ...], turn: tuple[int, ...] = ()
) -> Values:
    """Numbers for all inputs but constants: the triple for the first data, `turn` for gradients."""
    values: Values = {}
    started = dict.fromkeys([*GIVEN, "mask", "gradient"], 0)
    patterns = {**GIVEN, "gradient": turn}
    searched = next((q for q in inputs if q.role == "data"), None)
    for q in (q for q in inputs if q.role != "constant"):
        shape = [sizes[a] for a in q.axes]
        count, start = int(np.prod(shape, dtype=int)), started[q.role]
        started[q.role] += 1
        if q.role == "mask":
            numbers = [int(n != 1) for n in range(count)]  # the second position is left out
        else:
            numbers = _in_turn(triple, count, 0) if q == searched else _in_turn(patterns[q.role], count, start)
        array = np.empty(count, object)
        array[:] = [Fraction(n) for n in numbers]
        values[q] = array.reshape(shape)
    return values


def _in_turn(pattern: tuple[int, ...], count: int, start: int) -> list[int]:
    """A pattern again and again, one larger each time, so that no two rows are alike."""
    places = (divmod(n + start, len(pattern)) for n in range(count))
    first = start // len(pattern)
    return [pattern[place] + round_ - first for round_, place in places]


def _constants(program: Program, drawn: Values) -> Iterator[Values]:
    """What constants may be: the least that a definition allows, or such that a statistic's root becomes exact."""
    constants = [q for q in program.inputs if q.role == "constant"]
    if not constants:
        yield {}
        return
    for value in [Fraction(0), *_completing(program, drawn, constants)]:
        yield {q: _alone(Fraction(q.at_least) + value) for q in constants}


def _completing(program: Program, drawn: Values, constants: list[Quantity]) -> list[Fraction]:
    """What is missing of each statistic to the next squares, and fourth powers, of short numbers; not above it."""
    found: set[Fraction] = set()
    for s in _statistics(program, drawn | {q: _alone(Fraction(1)) for q in constants}):
        for powers in POWERS.values():
            near = powers[bisect_right(powers, s) : bisect_right(powers, min(s + 1, 2 * s))]
            found |= set(sorted((power - s for power in near), key=_written)[:TRIED])
    return sorted(found, key=_written)


def _alone(value: Fraction) -> Array:
    array = np.empty((), object)
    array[()] = value
    return array


def _written(value: Fraction) -> tuple[int, Fraction]:
    return len(str(value)), value


def _statistics(program: Program, given: Values) -> set[Fraction]:
    """The statistics that are found before the first root: they depend on no constant."""
    statistics = [e.left for e in program.equations if e.left.role == "statistic"]
    found: set[Fraction] = set()
    for s in statistics:
        needed = program.needed((s,))
        try:
            found |= set(evaluate(needed, {q: given[q] for q in needed.inputs}, FRACTIONS)[s].flat)
        except InexactError:
            break
    return found


def _length(values: Values) -> int:
    """How much there is to write; what is 0 teaches little."""
    written = [v for q, array in values.items() if q.role != "constant" for v in array.flat]
    return sum(len(str(v)) + 4 * (v.denominator > 99) + 40 * (v == 0) for v in written)
