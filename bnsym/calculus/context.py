"""A context in which expressions are brought to normal form: its generators, its rules, and what it decides.

Powers of sums and functions become generators: G stands for 1/base, f(arg) for itself, keyed by the *reduced* base or
argument, so that equal things get equal names: `powers` and `exponentials` make them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from bnsym.calculus.folding import folded
from bnsym.calculus.forms import Form, factor, free_labels, include, subtract, text
from bnsym.calculus.generators import Generator, by_rank, is_lone_factor, is_lone_sum, solved
from bnsym.calculus.monomials import Monomial, merge
from bnsym.calculus.rules import Rule


@dataclass
class Context:
    """Generators and rules gathered while a program is brought to normal form; equal input, equal output.

    `for_printing`, sums stay as they are written, and a base such as 1 + exp(-x) rewrites its one function: exp(-x) is
    1/G - 1. That gives short closed forms, but decides nothing, so proofs do without.
    """

    for_printing: bool = False
    rules: tuple[Rule, ...] = ()
    generators: dict[str, Generator] = field(default_factory=dict)
    positive: set[str] = field(default_factory=set)
    zero_one: set[str] = field(default_factory=set)
    signs: dict[str, tuple[str, tuple[int, ...]] | None] = field(default_factory=dict)
    premises: dict[str, None] = field(default_factory=dict)
    cited: dict[str, None] = field(default_factory=dict)
    held: dict[str, object] = field(default_factory=dict)  # what each stop-gradient quantity stands for
    written: dict[str, sympy.Expr] = field(default_factory=dict)  # a generator's base, as the program writes it
    functions: dict[str, sympy.Expr] = field(default_factory=dict)  # a function's atom, as the program writes it
    exponents: dict[str, Form] = field(default_factory=dict)  # what an exponential's atom is the exponential of
    arguments: dict[str, Form] = field(default_factory=dict)  # what any other function's atom is the function of
    parted: set[str] = field(default_factory=set)  # generators that rules take apart into partial fractions
    roots: set[str] = field(default_factory=set)  # generators that occur with fractional exponents
    _settled: set[Monomial] = field(default_factory=set)
    _settled_by: tuple[tuple[Rule, ...], int, int] = ((), 0, 0)

    def reduce(self, form: Form) -> Form:
        """Every rule applied until none fires."""
        done: Form = {}
        todo = list(form.items())
        settled = self._settled_by_now()
        while todo:
            monomial, c = todo.pop()
            simpler = None if monomial in settled else self._simplified(monomial)
            if simpler is None:
                settled.add(monomial)
                include(done, monomial, c)
            else:
                todo.extend((m, c * k) for m, k in simpler.items())
        return done

    def reduce_with(self, further: Iterable[Rule], form: Form) -> Form:
        """The same with further rules, for this form alone."""
        own = self.rules
        self.rules = (*own, *further)
        try:
            return self.reduce(form)
        finally:
            self.rules = own

    def _settled_by_now(self) -> set[Monomial]:
        """The monomials that no rule changes, remembered until there are other rules, masks or signs.

        `rules` are a tuple, so that they cannot change unnoticed; comparing it with itself takes no time.
        """
        rules = (self.rules, len(self.zero_one), len(self.signs))
        if rules != self._settled_by:
            self._settled, self._settled_by = set(), rules
        return self._settled

    def _simplified(self, monomial: Monomial) -> Form | None:
        if any(e > 1 and (f[0] in self.zero_one or f[0] in self.signs) for f, e in monomial):
            powers = folded(monomial, self.zero_one, self.signs)
            if powers != monomial:
                return {merge(powers): Fraction(1)}
        names = {f[0] for f, _ in monomial}
        for rule in (r for r in self.rules if r.pattern[0][0][0] in names):  # in their order, whatever the hash seed
            found = rule.apply(monomial)
            if found is not None:
                self.cited.setdefault(rule.name)
                return found
        return None

    def assume(self, name: str, form: Form) -> None:
        """Take for granted that a form is zero: its lone sum, or else its lone factor, is replaced from here on.

        Raises ValueError where it has neither.
        """
        form = self.reduce(form)
        if form:
            candidates = sorted(form, key=str)
            lone = next((m for m in candidates if is_lone_sum(m, form) or is_lone_factor(m, form)), None)
            if lone is None:
                raise ValueError(f"the {name} holds no sum, and no factor, that occurs once and could be replaced")
            self.rules += (solved(name, form, lone),)

    def named_sum(self, name: str, form: Form, atom: Form) -> Form:
        """An atom for the sum that it is the name of; what is no sum stays as it is."""
        lone = next((m for m in form if is_lone_sum(m, form)), None)
        if lone is None:
            return form
        self.rules += (solved(f"{name} is its sum", subtract(form, atom), lone),)
        return atom

    def assume_positive(self, name: str) -> None:
        """Note that what follows holds where a factor is positive, if that is not known of it."""
        if name not in self.positive and not name.startswith("#"):
            self.premises.setdefault(f"{name} > 0")

    def function(self, name: str, argument: Form) -> Form:
        """f(argument) as an atom keyed by the reduced argument."""
        argument = self.reduce(argument)
        atom = f"{name}({text(by_rank(argument))})"
        self.arguments.setdefault(atom, argument)
        return factor(atom, free_labels(argument))

    def inside(self, name: str) -> Form:
        """What a generator is made of, or what a function is taken of; nothing where a name is that of a quantity."""
        if name in self.generators:
            return self.generators[name].base
        return self.exponents.get(name) or self.arguments.get(name, {})
