"""What every section of a report needs: the notation, numbers for equations, and ways to speak of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from bnsym.calculus.derive import Derivation
from bnsym.lowering.kernel import Kernel
from bnsym.lowering.steady import unsteadied
from bnsym.model import Axis, Equation, Quantity
from bnsym.report.blocks import Formula
from bnsym.report.latex import Latex
from bnsym.report.listing import Listings
from bnsym.report.notation import Notation, Scope, notation
from bnsym.report.sentences import Code, Math, Reference, Sentence, Span, enumerated
from bnsym.report.symbols import Symbol, numeral


class Writer:
    """Numbers equations as they are written, and knows them again."""

    def __init__(self, derivation: Derivation, kernels: Mapping[str, Kernel]):
        self.derivation, self.definition = derivation, derivation.definition
        self.kernels = {name: unsteadied(kernel) for name, kernel in kernels.items()}
        self.steadied = kernels["backward"].steadied
        self.listings = Listings(derivation.definition, kernels)
        self.notation = notation(derivation, self.kernels)
        self.stated = self.notation  # before the code's own names were given symbols
        self.latex = Latex(self.notation)
        self._numbers: dict[Equation, int] = {}
        self._premises: list[Span] = []
        self.told: dict[str, dict[Quantity, Equation]] = {}  # what each kernel was told as
        self._written = 0
        self._christened: dict[str, str] = {}
        self.explained: set[str] = set()
        self.closed: list[Equation] = []  # gradients in closed form, with every sum written out

    def formula(self, equation: Equation, spelled: Notation | None = None) -> Formula:
        """An equation with the next number; one that was written before keeps its own."""
        if equation in self._numbers:
            return Formula(self.latex.equation(equation), self._numbers[equation])
        return self.numbered((Latex(spelled) if spelled else self.latex).equation(equation), equation)

    def numbered(self, latex: str, equation: Equation | None = None) -> Formula:
        """A formula with the next number."""
        self._written += 1
        if equation is not None:
            self._numbers.setdefault(equation, self._written)
        return Formula(latex, self._written)

    def premise(self, latex: str) -> Formula:
        """What is taken for granted, with the next number."""
        made = self.numbered(latex)
        self._premises.append(Reference(made.number))
        return made

    @property
    def premises(self) -> Sentence:
        """The numbers of all that is taken for granted."""
        return enumerated(self._premises)

    def known(self, equation: Equation) -> bool:
        """Whether an equation was written already."""
        return equation in self._numbers

    def number(self, equation: Equation) -> int | None:
        """The number of an equation, if it was written already."""
        return self._numbers.get(equation)

    def christen(self, q: Quantity) -> None:
        """Give a quantity that only the code has a name for a symbol of its own: A with a number."""
        if q.name in self._christened:
            return
        taken = {s.base for s in self.notation.symbols.values()} - set(self._christened.values())
        base = next((x for x in "ACKPQ" if x not in {*taken, *self.notation.letters.values()}), r"\mathrm{A}")
        self._christened[q.name] = base
        symbol = Symbol(base, rf"\mathrm{{{numeral(len(self._christened))}}}")
        self.notation = self.notation.calling({q.name: symbol}, {}, ())
        self.latex = Latex(self.notation)

    def references(self, equations: Iterable[Equation]) -> Sentence:
        """`(1), (2) and (4)`."""
        numbers = sorted({self._numbers[e] for e in equations})
        return enumerated(Reference(n) for n in numbers)

    def symbol(self, q: Quantity) -> Math:
        """A quantity with its indices."""
        return Math(self.latex.quantity(q))

    def bare(self, q: Quantity) -> Math:
        """A quantity as a whole, without indices."""
        return Math(self.notation.quantity(Quantity(q.name)))

    def local(self, e: sympy.Expr, scope: Scope) -> Math:
        """An expression within a sentence."""
        return Math(self.latex.local(e, scope))

    def index(self, axis: Axis) -> Math:
        """The letter of an axis."""
        return Math(self.notation.letter(axis))

    def indices(self, axes: Iterable[Axis]) -> Sentence:
        """`i and c`."""
        return enumerated(self.index(a) for a in axes)

    def symbols(self, quantities: Iterable[Quantity]) -> Sentence:
        """Several quantities in a row."""
        return enumerated(self.bare(q) for q in quantities)

    def listed(self, quantities: Iterable[Quantity]) -> Sentence:
        """Several quantities in a row, with their indices."""
        return enumerated(self.symbol(q) for q in quantities)

    def names(self, names: Iterable[str]) -> Sentence:
        """Several names in a row, as code spells them."""
        spans: list[Span] = [Code(n) for n in names]
        return enumerated(spans)
