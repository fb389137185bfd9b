"""The roofline: the arrays that a function reads and writes, copied or added and nothing more, on as many threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from bnsym.bench.arrays import Array, Given, Missing
from bnsym.bench.modules import asked, load
from bnsym.bench.subject import Call, Subject

__all__ = ["Roof"]

Piece = Callable[[slice], object]


class Roof(Subject):
    """A copy of x for forward, dy + x for backward; for others the same with all that they read and write."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.pool = ThreadPoolExecutor(max(1, threads - 1))

    def ways(self, function: str, given: Given, right: list[Array]) -> dict[str, Call]:
        """On this thread, and on all."""
        inputs = self._inputs(function, given)
        outputs = [np.empty_like(inputs[0]) for array in right if inputs and given.is_data(array)]
        if not inputs or not outputs:
            raise Missing(f"{function} moves no data")
        works = _works(inputs, outputs)

        def on(pieces: list[slice]) -> list[Array]:
            others = [self.pool.submit(_run, works, piece) for piece in pieces[1:]]
            _run(works, pieces[0])
            for other in others:
                other.result()
            return outputs

        found = {"1 thread": lambda: on([slice(None)])}
        if self.threads > 1:
            pieces = _pieces(outputs[0].size, self.threads)
            found[f"{self.threads} threads"] = lambda: on(pieces)
        return found

    def arrays(self, result: object) -> list[Array]:
        """The sums; there may be more than two."""
        assert isinstance(result, list)
        return result

    def wanted(self, function: str, given: Given, right: list[Array]) -> list[Array]:
        """Sums of what is read, in float64; of float16 as whole numbers, which processors add as fast as they come."""
        inputs, count = self._inputs(function, given), sum(map(given.is_data, right))
        wide = np.uint16 if given.case.dtype == "float16" else np.float64
        return [np.add.reduce(inputs[n::count] or inputs[:1], dtype=wide) for n in range(count)]

    def _inputs(self, function: str, given: Given) -> list[Array]:
        names = asked(getattr(load("numpy", given.case.norm), function))
        values = [given(name) for name in names if name != "saved"]
        found = [v for v in values if given.is_data(v) and v.dtype == given.case.dtype]  # no mask
        return [value.view(np.uint16) for value in found] if given.case.dtype == "float16" else found


def _works(inputs: list[Array], outputs: list[Array]) -> list[Piece]:
    """Each input goes into one output: the first of an output's is copied or added to the second, others are added."""
    works: list[Piece] = []
    for n, output in enumerate(outputs):
        first, *more = [a.reshape(-1) for a in inputs[n :: len(outputs)] or inputs[:1]]
        out = output.reshape(-1)
        if not more:
            works.append(lambda s, a=first, o=out: np.copyto(o[s], a[s]))  # type: ignore[misc]
            continue
        works.append(lambda s, a=first, b=more[0], o=out: np.add(a[s], b[s], out=o[s]))  # type: ignore[misc]
        works += [lambda s, b=b, o=out: np.add(o[s], b[s], out=o[s]) for b in more[1:]]  # type: ignore[misc]
    return works


def _pieces(size: int, count: int) -> list[slice]:
    edges = [size * k // count for k in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _run(works: list[Piece], piece: slice) -> None:
    for work in works:
        work(piece)
