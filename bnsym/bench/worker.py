"""One process that is measured: reads what to do from its input, a line of JSON each, and answers likewise.

python -m bnsym.bench.worker NAME THREADS [gpu]
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from bnsym.bench.arrays import Given, Missing
from bnsym.bench.cases import DATA, Case, case_of
from bnsym.bench.measuring import ROUND, peak
from bnsym.bench.reference import checked, references
from bnsym.bench.subject import Call, Subject

__all__ = ["SUBJECTS", "Worker", "main"]

SUBJECTS = {  # by name: where, and which class
    "numpy": ("ours", "NumpyKernels"),
    "numpy plan": ("ours", "NumpyPlan"),
    "numba": ("ours", "NumbaKernels"),
    "numba plan": ("ours", "NumbaPlan"),
    "naive": ("naive", "Naive"),
    "torch": ("torches", "Torch"),
    "torch.compile": ("torches", "Compiled"),
    "jax": ("jaxes", "Jax"),
    "roof": ("roof", "Roof"),
}
ON_GPU = {
    "cupy": ("gpu", "CupyKernels"),
    "cupy plan": ("gpu", "CupyPlan"),
    "torch": ("gpu", "CudaTorch"),
    "torch.compile": ("gpu", "CudaCompiled"),
    "roof": ("gpu", "CupyRoof"),
}

Answer = dict[str, Any]


class Worker:
    """A subject, and the calls that were prepared of it."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.calls: dict[tuple[str, str], tuple[Call, int]] = {}

    def answer(self, asked: Answer) -> Answer:
        """What one request gives."""
        does: dict[str, Callable[..., Answer]] = {
            "begin": self.begin,
            "first": self.first,
            "prepare": self.prepare,
            "round": self.round,
        }
        return does[asked.pop("do")](**asked)

    def begin(self) -> Answer:
        """What is measured."""
        return {"versions": self.subject.versions()}

    def first(self, case: Answer) -> Answer:
        """Seconds of the first forward and backward with their import, in a process that did nothing yet."""
        given = Given(case_of(case), 0.0)
        for name in ("x", "dy", "gamma", "beta"):
            given(name)
        begin = time.perf_counter()
        for function in ("forward", "backward"):
            for call in self.subject.ways(function, given, []).values():
                call()
        return {"seconds": time.perf_counter() - begin}

    def prepare(self, case: Answer, functions: list[str], round_seconds: float = ROUND) -> Answer:
        """Draw a case's arrays, check every function's results, choose how to call it; by data and function."""
        self.calls.clear()
        return {data: self._prepared(case_of(case), data, functions, round_seconds) for data in DATA}

    def _prepared(self, case: Case, data: str, functions: Iterable[str], target: float) -> Answer:
        given = Given(case, DATA[data])
        right = references(functions, given)

        def one(name: str) -> Answer:
            found = {
                way: self._tried(call, self.subject.wanted(name, given, right[name]), case, target)
                for way, call in self.subject.ways(name, given, right[name]).items()
            }
            way = min(found, key=lambda w: found[w][1])
            call, _, count, errors = found[way]
            self.calls[name, data] = (call, count)
            memory = {"memory": peak(call)} if self.subject.reports_memory else {}
            return {"way": way, "calls": count, "errors": errors, **memory}

        return {name: safely(lambda name=name: one(name)) for name in functions}  # type: ignore[misc]

    def _tried(self, call: Call, wanted: list[Any], case: Case, target: float) -> tuple[Call, float, int, list[float]]:
        """A way to call a function that gives what is wanted, again and again: seconds, calls in a round, errors."""
        count, once = self.subject.calls_for(call, target)
        return call, once, count, checked(self.subject.arrays(call()), wanted, case.dtype)

    def round(self, function: str, data: str) -> Answer:
        """Seconds of a call, in one round."""
        if (function, data) not in self.calls:
            raise Missing(f"{function} was not prepared")
        return {"seconds": self.subject.seconds(*self.calls[function, data])}


def safely(work: Callable[[], Answer]) -> Answer:
    """The result, or what went wrong, in one line."""
    try:
        return work()
    except Exception as error:
        text = " ".join(str(error).split())
        is_said = type(error).__name__ in ("Missing", "WrongResult")
        return {
            "failed": text if is_said else f"{type(error).__name__}: {text:.300}",
            "missing": isinstance(error, Missing),
        }


def subject(name: str, threads: int, *, is_on_gpu: bool = False) -> Subject:
    """The subject of this name. Raises Missing."""
    where, kind = (ON_GPU if is_on_gpu else SUBJECTS)[name]
    made: Subject = getattr(importlib.import_module(f"bnsym.bench.{where}"), kind)(threads)
    return made


def main(arguments: list[str]) -> None:
    """Answer until there is nothing more to read."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is not an answer
    warnings.simplefilter("ignore")
    found: list[Worker] = []

    def start() -> Answer:
        found.append(Worker(subject(arguments[0], int(arguments[1]), is_on_gpu="gpu" in arguments[2:])))
        return {}

    failed = safely(start)
    for line in sys.stdin:
        asked = json.loads(line)
        got = failed or safely(lambda asked=asked: found[0].answer(asked))  # type: ignore[misc]
        answers.write(json.dumps(got) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
