"""What a user's function gave, before any number is compared: whether it came, how many, of which shape, finite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnsym.calculus.elements import Array
from bnsym.checker.layouts import as_given, given_shape
from bnsym.checker.probes import Probe
from bnsym.checker.process import Answer
from bnsym.checker.trial import CLOSE, FINE, Closeness, Pool, deviation
from bnsym.checker.written import Written
from bnsym.model import Quantity


def faulty_calls(w: Written, tried: Sequence[Probe], answers: Sequence[Answer]) -> str:
    """A sentence on calls that raised, or gave another number of results; empty where there were none.

    The last probe has equal sizes: what fits there alone is a sum over a wrong axis.
    """
    raised = next((n for n, a in enumerate(answers[:-1]) if a.raised), None)
    if raised is not None:
        shape = given_shape(w.definition, w.data, tried[raised].sizes)
        where = f"where x has the shape {shape}"
        if all(a.raised for a in answers[:-1]) and not answers[-1].raised:
            square = "not where all sizes are equal: a sum or a mean is taken over the wrong axis"
            return f"{answers[raised].raised}, {where}, and {square}"
        return f"{answers[raised].raised}, {where}"
    names = ", ".join(q.name for q in w.gradients)
    count = len(answers[0].kinds)
    if any(len(a.kinds) != len(w.gradients) for a in answers):
        return f"it returns {count} result{'s' * (count != 1)} where {len(w.gradients)} are needed: {names}"
    return ""


def wrong_forward(w: Written, tried: Sequence[Probe], answers: Sequence[Answer]) -> list[str]:
    """A sentence on a forward whose y is not the definition's: its backward is judged as the norm's all the same."""
    (output, *_) = w.definition.program.outputs
    for p, a in zip(tried, answers, strict=True):
        if a.y is not None:
            right = as_given(w.definition, output, p.values[output], p.sizes)
            far = deviation(a.y, right)
            if not far <= CLOSE["float32"].right:
                return [f"the forward gives another {output}, by up to {far:.2g} of its largest entry"]
    return []


def results(
    w: Written, tried: Sequence[Probe], answers: Sequence[Answer]
) -> tuple[dict[Quantity, Pool | None], dict[Quantity, str]]:
    """The gradients with the derived axes; and for each that cannot be compared, a sentence on why."""
    found: dict[Quantity, Pool | None] = {}
    said: dict[Quantity, str] = {}
    for n, q in enumerate(w.gradients):
        pool: Pool = []
        for p, a in zip(tried, answers, strict=True):
            got = a.results[n]
            words = f"{q} is {a.kinds[n]} where an array is needed" if got is None else _wrong(w, q, got, p)
            if words:
                said[q] = words
                break
            assert got is not None  # or there would be words
            pool.append(np.reshape(got, p.sizes.shape(q)))
        found[q] = None if q in said else pool
    return found, said


def _wrong(w: Written, q: Quantity, got: Array, probe: Probe) -> str:
    """Words on a shape, or on what is no number."""
    wanted = given_shape(w.definition, q, probe.sizes)
    shape = given_shape(w.definition, w.data, probe.sizes)
    if got.shape != wanted:
        why = _why(w, q, got, probe)
        return f"{q} has the shape {got.shape} where {wanted} is needed, for {w.data} of the shape {shape}{why}"
    bad = int(np.count_nonzero(~np.isfinite(got)))
    return (
        f"{q} has {bad} of {got.size} entries that are NaN or infinite, for {w.data} of the shape {shape}"
        if bad
        else ""
    )


def _why(w: Written, q: Quantity, got: Array, probe: Probe) -> str:
    wanted = given_shape(w.definition, q, probe.sizes)
    if got.shape == wanted[::-1] and len(wanted) > 1:
        return ": it is transposed"
    if w.is_element(q):
        return ""
    if got.ndim == 0:
        return ": it is summed over all axes"
    if got.shape == given_shape(w.definition, w.data, probe.sizes):
        return ": it is not summed"
    if got.size == np.prod(wanted) and got.ndim > len(wanted):
        return ": an axis of length 1 is kept"
    other = tuple(n for a, n in probe.sizes.of.items() if a not in q.axes)
    return ": it is summed over the wrong axis" if got.shape == other and len(w.data.axes) == 2 else ""


def closeness(w: Written, answers: Sequence[Answer]) -> dict[Quantity, Closeness]:
    """How near is the same, by the dtype that each gradient came in."""
    return {q: CLOSE.get(answers[0].kinds[n], FINE) for n, q in enumerate(w.gradients)}
