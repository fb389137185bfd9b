"""Names as papers write them: gamma is a Greek letter, x_hat has a hat, mean is mu. No two names get one symbol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bnsym.model import Axis, Quantity, Size

GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "rho",
    "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
)  # fmt: skip
KNOWN = {g: rf"\{g}" for g in GREEK} | {"eps": r"\epsilon", "mean": r"\mu", "var": r"\sigma^2"}
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}
UNITS = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
INVERSE = "inv_"
"""So begins the name of what lowering takes the root and the quotient of once: r, as reciprocal, or another letter."""
FACTORS = 3
"""Of so many quantities a sum's symbol may be made."""


@dataclass(frozen=True)
class Symbol:
    """A letter or a word, and what stands below it."""

    base: str
    note: str = ""

    @property
    def small(self) -> str:
        """Small enough to stand below another one."""
        return self.base + (f"_{{{self.note}}}" if self.note else "")


def distinct(
    named: Mapping[str, Quantity],
    letters: Mapping[Axis, str],
    stated: frozenset[str],
    derived: Mapping[str, tuple[str, str]],
) -> dict[str, Symbol]:
    """The usual symbol of each name; where two names would share one, both are written as words.

    `stated` are the definition's names; `derived` says of those that the chain rule made what they are of: `d` a
    gradient, `t` a tangent, `g` a gradient of the second order.
    """
    spelling = Spelling(frozenset(named), stated, derived, _letter(named, letters))
    usual = {name: _usual(q, spelling, letters) for name, q in named.items()}
    taken = {s.base for s in usual.values()} | set(letters.values())
    reciprocal = next((x for x in "rsqvw" if x not in taken), None)
    usual |= {n: Symbol(reciprocal) for n in named if n.startswith(INVERSE) and n not in stated and reciprocal}
    shared = Counter(usual.values())
    found = {name: symbol if shared[symbol] == 1 else word(name) for name, symbol in usual.items()}
    unnamed = [name for name, q in named.items() if q.role == "sum" and _is_sum(name) and found[name] == word(name)]
    numbered = enumerate(unnamed if "S" not in named else [], start=1)
    return found | {name: Symbol("S", rf"\mathrm{{{numeral(n)}}}") for n, name in numbered}


def numeral(n: int) -> str:
    """A number as the Romans wrote it, below 40."""
    return "X" * (n // 10) + UNITS[n % 10]


def _usual(q: Quantity, spelling: Spelling, letters: Mapping[Axis, str]) -> Symbol:
    if isinstance(q, Size) and q.name == f"size_{q.axis.name}" and "N" not in spelling.names:
        return Symbol("N", letters.get(q.axis, q.axis.name))
    return spelling.of(q.name) or word(q.name)


def _letter(named: Mapping[str, Quantity], letters: Mapping[Axis, str]) -> str:
    """A letter for gradients of the second order."""
    return next((x for x in "ghqw" if x not in named and x not in letters.values()), r"\mathrm{g}")


def _is_sum(name: str) -> bool:
    return name.startswith("sum_")


@dataclass(frozen=True)
class Spelling:
    """How names are written, where one name is made of others."""

    names: frozenset[str]
    stated: frozenset[str]
    derived: Mapping[str, tuple[str, str]]
    second: str

    def of(self, name: str) -> Symbol | None:
        """The symbol of a name, or None where it has only words."""
        if name in self.stated:
            return self._stated(name)
        if name in self.derived:
            return self._derived(*self.derived[name])
        return self._sum(name) if _is_sum(name) else self._made(name)

    def _derived(self, kind: str, of: str) -> Symbol:
        inner = self.of(of) or word(of)
        if kind == "g":
            return Symbol(self.second, inner.small)
        return replace(inner, base=rf"\mathrm{{d}}{inner.base}" if kind == "d" else rf"\dot{{{inner.base}}}")

    def _made(self, name: str) -> Symbol | None:
        """`dy_centred` has a tilde, `mean_dy` a bar."""
        for inner, accent in (
            (name.removesuffix("_centred"), r"\widetilde"),
            (name.removeprefix("mean_"), r"\overline"),
        ):
            if inner != name and inner in self.stated | self.derived.keys():
                symbol = self.of(inner) or word(inner)
                return replace(symbol, base=f"{accent}{{{symbol.base}}}")
        return self._stated(name)

    def _sum(self, name: str) -> Symbol | None:
        """`sum_dy_x_hat` is S with dy and x_hat below, where it is a sum of such a product."""
        words, names = name.split("_")[1:], self.names | self.derived.keys()
        below: list[str] = []
        while words:
            length = next((n for n in range(len(words), 0, -1) if "_".join(words[:n]) in names), None)
            if length is None:
                return None
            below, words = [*below, "_".join(words[:length])], words[length:]
        spelled = [self.of(b) or (word(b) if b in self.stated else None) for b in below]
        factors = [symbol.small for symbol in spelled if symbol is not None]
        if "S" in self.names or None in spelled or len(below) > FACTORS or any(_is_sum(b) for b in below):
            return None
        words_stand_apart = any(f.startswith((r"\mathrm{", r"\text{")) and f[8] != "}" for f in factors)
        return Symbol("S", (r" \cdot " if words_stand_apart else " ").join(factors))

    def _stated(self, name: str) -> Symbol | None:
        if name in KNOWN or len(name) == 1:
            return Symbol(KNOWN.get(name, name))
        stem, _, ending = name.rpartition("_")
        if ending in ACCENTS and (stem in KNOWN or len(stem) == 1):
            return Symbol(f"{ACCENTS[ending]}{{{KNOWN.get(stem, stem)}}}")
        if stem in self.names and len(stem) == 1:
            return Symbol(stem, rf"\mathrm{{{ending}}}")
        if ending in ("mean", "var") and ending in self.names and stem.isalpha():
            return Symbol(KNOWN[ending], rf"\mathrm{{{stem}}}")
        return None


def word(name: str) -> Symbol:
    """A name without a sign of its own; `_` would be read as an index, so words stand apart."""
    words = [w for w in name.split("_") if w]
    return Symbol(rf"\mathrm{{{words[0]}}}" if len(words) == 1 else rf"\text{{{' '.join(words)}}}")
