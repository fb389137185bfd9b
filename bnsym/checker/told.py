"""The lines that are printed: each gradient with what is wrong with it, and what no check of numbers can see."""

from __future__ import annotations

import numpy as np

from bnsym.calculus.evaluate import Evaluation
from bnsym.checker.factors import Named
from bnsym.checker.layouts import as_given, given_shape
from bnsym.checker.naming import Names
from bnsym.checker.trial import Trial, Values, derived, deviation
from bnsym.checker.written import Written
from bnsym.model import Quantity


def gradients_told(trial: Trial, said: dict[Quantity, str]) -> tuple[bool, list[str]]:
    """Whether every gradient is right, and a line for each; those for which there are words already have them."""
    names = Names(trial, *derived(trial.w))
    if not said and all(map(names.is_right, trial.w.gradients)):
        far = max(max(_deviations(trial, names.derived, q)) for q in trial.w.gradients)
        listed = ", ".join(map(str, trial.w.gradients))
        return True, [f"right: {listed} are the derived ones, to {far:.1g} of the largest entry"]
    lines: dict[Quantity, str] = {}
    for q in trial.w.gradients:
        named = None if q in said else names.name(q)
        lines[q] = said[q] if q in said else _line(q, named) or _largest(trial, names.derived, q)
    return False, _swapped(lines)


def _line(q: Quantity, named: Named | None) -> str:
    """What is wrong with a gradient, or that it is right; nothing where it has no name."""
    if named is None:
        return ""
    text = "; ".join(named.sentences)
    return text if text.startswith(f"{q} ") else f"{q}: {text or 'right'}"


def _swapped(lines: dict[Quantity, str]) -> list[str]:
    """Two gradients of which each is what the other must be, in one line."""
    for q in lines:
        for p in lines:
            if lines[q] == f"{q} is what {p} must be" and lines[p] == f"{p} is what {q} must be":
                rest = [line for o, line in lines.items() if o not in (p, q)]
                return [*rest, f"{q} and {p} are swapped"]
    return [*lines.values()]


def _largest(trial: Trial, derived: list[Values], q: Quantity) -> str:
    """The largest deviation, and where it is."""
    found, w = trial.found[q], trial.w
    assert found is not None  # what has no numbers has words already
    far = _deviations(trial, derived, q)
    n = int(np.argmax(far))
    sizes = trial.probes[n].sizes
    got, right = (as_given(w.definition, q, a, sizes) for a in (found[n], derived[n][q]))
    at = np.unravel_index(int(np.argmax(np.abs(got - right))), got.shape)
    place = ", ".join(str(int(i)) for i in at)
    return (
        f"{q} is wrong, and what is wrong has no name here: the largest deviation is {far[n]:.2g} of its largest entry,"
        f" at [{place}] for {w.data} of the shape {given_shape(w.definition, w.data, sizes)}: {got[at]:.4g} where"
        f" {right[at]:.4g} is derived"
    )


def _deviations(trial: Trial, derived: list[Values], q: Quantity) -> list[float]:
    return [deviation(f, v[q]) for f, v in zip(trial.found[q] or [], derived, strict=True)]


def unseen(w: Written) -> list[str]:
    """Terms of the chain rule that are zero whatever the data are."""
    evaluation = Evaluation().assume(w.definition.premises).run(w.chain.program)
    idle = [(s, c) for s in w.derivation.steps for c in s.contributions if not evaluation.term(c.term)]
    return [f"not seen: what comes back to {s.equation.left} through {c.consumer.left} is 0 whatever the data are, so "
            "that leaving it out changes nothing" for s, c in idle]  # fmt: skip
