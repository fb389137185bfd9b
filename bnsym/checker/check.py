"""`check-backward` from end to end: derive, call the user's functions, and say what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bnsym.calculus.derive import derive
from bnsym.calculus.elements import Array, evaluate
from bnsym.checker.layouts import as_given
from bnsym.checker.probes import Probe, probes, square
from bnsym.checker.process import Answer, Calls, Named, Refused, Stopped
from bnsym.checker.results import closeness, faulty_calls, results, wrong_forward
from bnsym.checker.told import gradients_told, unseen
from bnsym.checker.trial import Trial
from bnsym.checker.written import Written, written_out
from bnsym.definitions import definition
from bnsym.model import Definition

__all__ = ["Refused", "Report", "check_backward"]

LAYOUTS = ("channels", "trailing", "groups", "instance")


@dataclass(frozen=True)
class Report:
    """What is said, line by line, and whether the backward is right."""

    right: bool
    lines: tuple[str, ...]


def check_backward(backward: Named, norm: str, forward: Named | None, args: str | None, seconds: float) -> Report:
    """Judge a backward. Raises Refused where it cannot be called, DefinitionError where the norm is none."""
    made = definition(norm)
    if made.layout not in LAYOUTS:
        raise Refused(f"{made.name} is no norm that check-backward knows: it has the layout {made.layout!r}, and "
                      f"{', '.join(LAYOUTS)} are known")  # fmt: skip
    w, tried, asked = _ground(made)
    calls = Calls(backward, forward, args, asked)
    try:
        answers = calls.answers(seconds)
    except Stopped as stopped:
        return Report(False, (f"{backward[1]}: {stopped}",))
    finally:
        calls.close()
    return _judged(w, tried, answers)


@lru_cache(maxsize=8)
def _ground(made: Definition) -> tuple[Written, tuple[Probe, ...], tuple[dict[str, Array], ...]]:
    """What does not depend on the functions that are judged, done once for each norm: probes, and what is given."""
    w = written_out(derive(made))
    tried = (*probes(w), square(w))
    return w, tried, tuple(given(w, p) for p in tried)


def given(w: Written, probe: Probe) -> dict[str, Array]:
    """What a function may ask for, under our names, in the shapes that it takes."""
    values = probe.values | evaluate(w.program, {q: probe.values[q] for q in w.program.inputs})
    wanted = [*w.program.inputs, *(q for q in values if q.role in ("statistic", "value", "count"))]
    terms = {t for terms in w.terms.values() for t in terms}
    named = {q.name: as_given(w.definition, q, values[q], probe.sizes) for q in wanted if q not in terms}
    named["m"] = np.asarray(probe.sizes.count(w.reduced))
    for e in w.inverses[:1]:
        named["std"] = 1 / values[e.left]
    if w.definition.layout == "groups":
        named["num_groups"] = np.asarray(probe.sizes.of[w.data.axes[1]])
    return named


def _judged(w: Written, tried: Sequence[Probe], answers: Sequence[Answer]) -> Report:
    """The report: what stands in the way of judging it first, then gradient by gradient."""
    stop = faulty_calls(w, tried, answers)
    if stop:
        return Report(False, (stop,))
    tried, answers = tried[:-1], answers[:-1]
    changed = sorted({n for a in answers for n in a.changed})
    beside = [f"it changes its input{'s' * (len(changed) > 1)} {' and '.join(changed)}"] if changed else []
    beside += wrong_forward(w, tried, answers)
    found, said = results(w, tried, answers)
    right, lines = gradients_told(Trial(w, tried, found, closeness(w, answers)), said)
    return Report(right and not beside, (*beside, *lines, *unseen(w)))


def named(text: str) -> Named:
    """A file and a function's name. Raises Refused where it is not both."""
    file, colon, function = text.rpartition(":")
    if not colon or not function.isidentifier():
        raise Refused(f"{text!r} is no function of a file: give FILE.py:FUNCTION")
    if not Path(file).is_file():
        raise Refused(f"there is no file {file}")
    return file, function
