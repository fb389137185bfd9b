"""From the difference of two sides to a proof, or to the residual that refutes it."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from bnsym.calculus.context import Context
from bnsym.calculus.decide import is_zero
from bnsym.calculus.forms import Form, factors_of, text
from bnsym.model import Proof

SYMBOLIC = "normal form, symbolic sizes"
UNDECIDED = "undecided"
SHOWN = 12


def judged(claim: str, method: str, context: Context, difference: Callable[[], Form]) -> Proof:
    """Judge the claim that a difference is zero. It is computed here, so that the time it takes is the claim's own."""
    start = perf_counter()
    residual = context.reduce(difference())
    verdict = is_zero(context, residual)
    shown = "0" if verdict else explained(context, residual) if verdict is False else UNDECIDED
    cited = (name for name in context.cited if name.startswith("premise"))
    return Proof(claim, method, verdict is True, shown, perf_counter() - start, (*context.premises, *cited))


def explained(context: Context, residual: Form) -> str:
    """A residual as text, with the bases of the generators that it holds; of a long one, the beginning."""
    form = dict(sorted(residual.items(), key=str)[:SHOWN])
    more = f" + ... ({len(residual) - SHOWN} more terms)" if len(residual) > SHOWN else ""
    held: dict[str, None] = {}
    todo = sorted(name for name, _ in factors_of(form))
    while todo:
        name = todo.pop(0)
        if name in context.generators and name not in held:
            held[name] = None
            todo += sorted(inner for inner, _ in factors_of(context.generators[name].base))
    bases = [f"{name} = 1/({text(context.generators[name].base)})" for name in sorted(held)]
    return text(form) + more + (", where " + ", ".join(bases) if bases else "")
