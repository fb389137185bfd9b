"""How quantities are spelled in formulas: names as papers write them, indices where they say something.

An index that nothing is summed over is left out, as the paper leaves out the feature's: every equation then holds for
each of its values alone. Two names never get one symbol, and a summed index never the letter of a free one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bnsym.calculus.derive import Derivation
from bnsym.lowering.kernel import Kernel
from bnsym.model import Axis, Program, Quantity, Size, quantities

GREEK = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"]
KNOWN = {g: rf"\{g}" for g in GREEK} | {"eps": r"\epsilon", "mean": r"\mu", "var": r"\sigma^2"}
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}
LETTERS = "jklpqrstuvwabcdefghinmoxyz"

Scope = Mapping[Axis, str]
"""The axes that have a value at some place in a formula, and the letters they go by there."""


@dataclass(frozen=True)
class Symbol:
    """A letter or a word, and a word that stands below it."""

    base: str
    note: str = ""


@dataclass(frozen=True)
class Notation:
    """The symbols of one report."""

    symbols: Mapping[str, Symbol]
    gradients: Mapping[str, tuple[Quantity, bool]]
    letters: Mapping[Axis, str]
    shown: frozenset[Axis]
    sizes: Mapping[Axis, Size]

    def quantity(self, q: Quantity, scope: Scope | None = None) -> str:
        """A quantity with its indices; a gradient as a derivative of the loss."""
        if q.name in self.gradients:
            of, total = self.gradients[q.name]
            d = r"\mathrm{d}" if total else r"\partial"
            return rf"\frac{{{d} \ell}}{{{d} {self.quantity(of, scope)}}}"
        symbol = self.symbols.get(q.name) or _word(q.name)
        places = [(scope or {}).get(a, self.letter(a)) for a in q.axes if a in self.shown]
        below = ",".join([*([symbol.note] if symbol.note else []), *places])
        return symbol.base + (f"_{below}" if len(below) == 1 else f"_{{{below}}}" if below else "")

    def is_compound(self, q: Quantity) -> bool:
        """Whether a power of it needs brackets."""
        return q.name in self.gradients or "^" in (self.symbols.get(q.name) or _word(q.name)).base

    def letter(self, axis: Axis) -> str:
        """The index of an axis."""
        return self.letters.get(axis, axis.name if len(axis.name) == 1 else rf"\mathrm{{{axis.name}}}")

    def size(self, axis: Axis) -> str | None:
        """The last value of an index, where the definition has a name for it."""
        return self.quantity(self.sizes[axis]) if axis in self.sizes else None

    def inner(self, axis: Axis, scope: Scope) -> str:
        """A letter for a summed index: the axis's own, or another one where that is taken."""
        used = set(scope.values())
        if self.letter(axis) not in used:
            return self.letter(axis)
        taken = used | set(self.letters.values()) | {s.base for s in self.symbols.values()}
        primed = (self.letter(axis) + "'" * n for n in range(1, len(used) + 2))
        return next((x for x in LETTERS if x not in taken), None) or next(x for x in primed if x not in used)

    def scope(self, axes: Iterable[Axis]) -> dict[Axis, str]:
        """Each axis under its own letter."""
        return {a: self.letter(a) for a in axes}

    def calling(self, symbols: Mapping[str, Symbol], letters: Mapping[Axis, str], sizes: Iterable[Size]) -> Notation:
        """The same with other symbols for some names, and more axes."""
        return replace(
            self,
            symbols={**self.symbols, **symbols},
            letters={**self.letters, **letters},
            shown=self.shown | set(letters),
            sizes={**self.sizes, **{s.axis: s for s in sizes}},
        )


def notation(derivation: Derivation, kernels: Mapping[str, Kernel]) -> Notation:
    """The symbols for everything that a derivation and its kernels name."""
    stated, chain = derivation.forward, derivation.backward.program
    programs = [stated, chain, *(k.program for k in kernels.values())]
    named = {q.name: q for p in reversed(programs) for q in _named(p)}
    premises = [p.term for p in derivation.definition.premises]
    terms = [*premises, *(t for p in (stated, chain) for e in p.equations for t in e.terms)]
    axes = [a for p in programs for a in p.axes]
    letters = _letters(tuple(dict.fromkeys(axes)), set(named))
    return Notation(
        symbols=_distinct(named, letters),
        gradients=_gradients(derivation),
        letters=letters,
        shown=frozenset(a for t in terms for a in t.axes),
        sizes={q.axis: q for q in named.values() if isinstance(q, Size)},
    )


def _named(program: Program) -> list[Quantity]:
    bodies = [q for e in program.equations for t in e.terms for q in quantities(t.body)]
    return [*program.inputs, *(e.left for e in program.equations), *bodies]


def _gradients(derivation: Derivation) -> dict[str, tuple[Quantity, bool]]:
    """Which quantity each gradient belongs to, and whether it is all of an output's that others use as well."""
    found = {}
    pairs = [(derivation.inference, derivation.inference_backward), (derivation.forward, derivation.backward)]
    for program, derivative in pairs:
        if program is not None and derivative is not None:
            found |= {seed.name: (y, False) for y, seed in zip(program.outputs, derivative.seeds, strict=True)}
            found |= {s.equation.left.name: (s.of, s.of in program.outputs) for s in derivative.steps}
    return found


def _letters(axes: tuple[Axis, ...], names: set[str]) -> dict[Axis, str]:
    """A one-letter axis is its own index; a longer name gets its first letter where that is free."""
    letters = {a: a.name for a in axes if len(a.name) == 1}
    for a in axes:
        free = a.name[0] not in {*names, *letters.values()}
        letters.setdefault(a, a.name[0] if free else rf"\mathrm{{{a.name.replace('_', '')}}}")
    return letters


def _distinct(named: Mapping[str, Quantity], letters: Mapping[Axis, str]) -> dict[str, Symbol]:
    """The usual symbol of each name; where two names would share one, both are written as words."""
    usual = {name: _usual(q, set(named), letters) for name, q in named.items()}
    shared = Counter(usual.values())
    return {name: symbol if shared[symbol] == 1 else _word(name) for name, symbol in usual.items()}


def _usual(q: Quantity, names: set[str], letters: Mapping[Axis, str]) -> Symbol:
    if isinstance(q, Size) and q.name == f"size_{q.axis.name}" and "N" not in names:
        return Symbol("N", letters.get(q.axis, q.axis.name))
    return _word(q.name) if q.role == "sum" else _spelled(q.name, names)


def _spelled(name: str, names: set[str]) -> Symbol:
    if name in KNOWN or len(name) == 1:
        return Symbol(KNOWN.get(name, name))
    stem, _, ending = name.rpartition("_")
    if ending in ACCENTS and (stem in KNOWN or len(stem) == 1):
        return Symbol(f"{ACCENTS[ending]}{{{KNOWN.get(stem, stem)}}}")
    if stem in names:
        return Symbol(_spelled(stem, names - {stem}).base, rf"\mathrm{{{ending}}}")
    return _word(name)


def _word(name: str) -> Symbol:
    """A name without a sign of its own; `_` would be read as an index, so words stand apart."""
    words = [w for w in name.split("_") if w]
    return Symbol(rf"\mathrm{{{words[0]}}}" if len(words) == 1 else rf"\text{{{' '.join(words)}}}")
