"""Names as papers write them: gamma is a Greek letter, x_hat has a hat, mean is mu. No two names get one symbol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bnsym.model import Axis, Quantity, Size

GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "rho",
    "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
)  # fmt: skip
KNOWN = {g: rf"\{g}" for g in GREEK} | {"eps": r"\epsilon", "mean": r"\mu", "var": r"\sigma^2"}
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}


@dataclass(frozen=True)
class Symbol:
    """A letter or a word, and what stands below it."""

    base: str
    note: str = ""


def distinct(named: Mapping[str, Quantity], letters: Mapping[Axis, str]) -> dict[str, Symbol]:
    """The usual symbol of each name; where two names would share one, both are written as words."""
    usual = {name: _usual(q, set(named), letters) for name, q in named.items()}
    shared = Counter(usual.values())
    return {name: symbol if shared[symbol] == 1 else word(name) for name, symbol in usual.items()}


def _usual(q: Quantity, names: set[str], letters: Mapping[Axis, str]) -> Symbol:
    if isinstance(q, Size) and q.name == f"size_{q.axis.name}" and "N" not in names:
        return Symbol("N", letters.get(q.axis, q.axis.name))
    return _sum(q.name, names) if q.role == "sum" else _spelled(q.name, names)


def _sum(name: str, names: set[str]) -> Symbol:
    """`sum_dy_x_hat` is S with dy and x_hat below, where it is a sum of such a product."""
    start, *words = name.split("_")
    below, names = "", names - {name}
    while start == "sum" and "S" not in names and words:
        length = next((n for n in range(len(words), 0, -1) if "_".join(words[:n]) in names), None)
        if length is None:
            return word(name)
        below, words = below + _factor("_".join(words[:length]), names), words[length:]
    return Symbol("S", below) if below else word(name)


def _factor(name: str, names: set[str]) -> str:
    """A name small enough to stand below another one."""
    of = name.removeprefix("d")
    symbol = _spelled(of if of in names else name, names - {name})
    return (r"\mathrm{d}" if of in names and of != name else "") + symbol.base + " " * symbol.base.startswith("\\")


def _spelled(name: str, names: set[str]) -> Symbol:
    if name in KNOWN or len(name) == 1:
        return Symbol(KNOWN.get(name, name))
    stem, _, ending = name.rpartition("_")
    if ending in ACCENTS and (stem in KNOWN or len(stem) == 1):
        return Symbol(f"{ACCENTS[ending]}{{{KNOWN.get(stem, stem)}}}")
    if stem in names and len(stem) == 1:
        return Symbol(stem, rf"\mathrm{{{ending}}}")
    return word(name)


def word(name: str) -> Symbol:
    """A name without a sign of its own; `_` would be read as an index, so words stand apart."""
    words = [w for w in name.split("_") if w]
    return Symbol(rf"\mathrm{{{words[0]}}}" if len(words) == 1 else rf"\text{{{' '.join(words)}}}")
