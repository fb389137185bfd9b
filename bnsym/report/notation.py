"""How quantities stand in formulas: symbols for their names, and indices where they say something.

An index that nothing is summed over is left out, as the paper leaves out the feature's: every equation then holds for
each of its values alone. A summed index never has the letter of a free one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bnsym.calculus.derive import Derivation
from bnsym.lowering.kernel import Kernel
from bnsym.model import Axis, Program, Quantity, Size, quantities
from bnsym.report.symbols import Symbol, distinct, word

SHOWN = ("backward", "jvp", "double_backward")
"""The kernels whose equations a report tells."""
LETTERS = "jkpqrstuvwabcdefghinmoxyz"
"""Letters for indices, in the order in which they are taken: l would be read as the loss."""


@dataclass(frozen=True)
class Scope:
    """The letters that axes go by at some place in a formula, and all letters that mean something around it."""

    letters: Mapping[Axis, str]
    used: frozenset[str]

    def under(self, axis: Axis, letter: str) -> Scope:
        """Inside of a sum over an axis: an outer letter for it means nothing here, and is still taken."""
        return Scope({**self.letters, axis: letter}, self.used | {letter})


NOWHERE = Scope({}, frozenset())


@dataclass(frozen=True)
class Notation:
    """The symbols of one report."""

    symbols: Mapping[str, Symbol]
    gradients: Mapping[str, tuple[Quantity, bool]]
    letters: Mapping[Axis, str]
    shown: frozenset[Axis]
    sizes: Mapping[Axis, Size]

    def quantity(self, q: Quantity, scope: Scope = NOWHERE) -> str:
        """A quantity with its indices; a gradient as a derivative of the loss."""
        if q.name in self.gradients:
            of, total = self.gradients[q.name]
            d = r"\mathrm{d}" if total else r"\partial"
            return rf"\frac{{{d} \ell}}{{{d} {self.quantity(of, scope)}}}"
        symbol = self.symbols.get(q.name) or word(q.name)
        places = [scope.letters.get(a, self.letter(a)) for a in q.axes if a in self.shown]
        below = ",".join([*([symbol.note] if symbol.note else []), *places])
        return symbol.base + (f"_{below}" if len(below) == 1 else f"_{{{below}}}" if below else "")

    def is_compound(self, q: Quantity) -> bool:
        """Whether a power of it needs brackets."""
        return q.name in self.gradients or "^" in (self.symbols.get(q.name) or word(q.name)).base

    def mark(self, q: Quantity) -> str:
        """What lowering made a quantity as: a mean has a bar, what is centred a tilde, a sum an S."""
        base = self.symbols[q.name].base if q.name in self.symbols else ""
        kinds = {r"\overline": "bar", r"\widetilde": "tilde"}
        return next((k for sign, k in kinds.items() if base.startswith(sign)), "sum" if q.role == "sum" else "")

    def letter(self, axis: Axis) -> str:
        """The index of an axis."""
        return self.letters.get(axis, axis.name if len(axis.name) == 1 else rf"\mathrm{{{axis.name}}}")

    def size(self, axis: Axis) -> str | None:
        """The last value of an index, where the definition has a name for it."""
        return self.quantity(self.sizes[axis]) if axis in self.sizes else None

    def inner(self, axis: Axis, scope: Scope) -> str:
        """A letter for a summed index: the axis's own, or another one where that is taken."""
        if self.letter(axis) not in scope.used:
            return self.letter(axis)
        taken = scope.used | set(self.letters.values()) | {s.base for s in self.symbols.values()}
        primed = (self.letter(axis) + "'" * n for n in range(1, len(scope.used) + 2))
        return next((x for x in LETTERS if x not in taken), None) or next(x for x in primed if x not in scope.used)

    def scope(self, axes: Iterable[Axis]) -> Scope:
        """Each axis under its own letter."""
        letters = {a: self.letter(a) for a in axes}
        return Scope(letters, frozenset(letters.values()))

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
    """The symbols for everything that a derivation and its kernels name, as far as a report shows it."""
    stated, chain = derivation.forward, derivation.backward.program
    shown = [kernels[k].program for k in SHOWN]
    own = [p for p in (stated, derivation.correction, derivation.fold) if p is not None]
    averages = [p for p in (derivation.population, derivation.update_running) if p is not None]
    programs = [*own, chain, derivation.jvp.program, *shown, *averages]
    named: dict[str, Quantity] = {}
    for q in (q for p in programs for q in _named(p)):
        named.setdefault(q.name, q)
    premises = [p.term for p in derivation.definition.premises]
    terms = [*premises, *(t for p in (stated, chain, *shown) for e in p.equations for t in e.terms)]
    axes = [a for p in programs for a in p.axes]
    letters = _letters(tuple(dict.fromkeys(axes)), set(named))
    return Notation(
        symbols=distinct(named, letters, frozenset(q.name for p in own for q in _named(p)), _derived(derivation)),
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
    found: dict[str, tuple[Quantity, bool]] = {}
    pairs = [(derivation.inference, derivation.inference_backward), (derivation.forward, derivation.backward)]
    for program, derivative in pairs:
        if program is not None and derivative is not None:
            found |= {seed.name: (y, False) for y, seed in zip(program.outputs, derivative.seeds, strict=True)}
            found |= {s.equation.left.name: (s.of, s.of in program.outputs) for s in derivative.steps}
    return found


def _derived(derivation: Derivation) -> dict[str, tuple[str, str]]:
    """What the names are of that the chain rule made: gradients, tangents, and gradients of the second order."""
    again = derivation.double_backward
    seeds = zip(derivation.backward.program.outputs, again.seeds, strict=True)
    found = {g.name: ("g", q.name) for q, g in again.gradients.items()} | {s.name: ("g", q.name) for q, s in seeds}
    found |= {t.name: ("t", q.name) for q, t in derivation.jvp.gradients.items()}
    return found | {name: ("d", q.name) for name, (q, _) in _gradients(derivation).items()}


def _letters(axes: tuple[Axis, ...], names: set[str]) -> dict[Axis, str]:
    """A one-letter axis is its own index; a longer name gets its first letter where that is free."""
    letters = {a: a.name for a in axes if len(a.name) == 1}
    for a in axes:
        free = a.name[0] not in {*names, *letters.values()}
        letters.setdefault(a, a.name[0] if free else rf"\mathrm{{{a.name.replace('_', '')}}}")
    return letters
