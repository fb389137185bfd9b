"""A context in which expressions are brought to normal form: its generators, its rules, and what it decides.

Powers of sums and functions become generators: G stands for 1/base, f(arg) for itself, keyed by the *reduced* base or
argument, so that equal things get equal names. Where a base holds a lone sum that occurs nowhere else in it, the
sum is rewritten in terms of the generator: sum_i c_i^2 becomes m (1/G - eps). Then equality is a matter of spelling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from bnsym.calculus.forms import (
    Form,
    add,
    factor,
    free_labels,
    include,
    mul,
    number,
    power,
    renamed,
    scale,
    subtract,
    text,
)
from bnsym.calculus.generators import (
    Generator,
    by_rank,
    is_lone_atom,
    is_lone_factor,
    is_lone_sum,
    rational_power,
    solved,
)
from bnsym.calculus.monomials import ONE, Exponent, Factor, Label, Monomial, bound_labels, merge
from bnsym.calculus.rules import Rule
from bnsym.checks import DefinitionError


@dataclass
class Context:
    """Generators and rules gathered while a program is brought to normal form; equal input, equal output.

    `for_printing`, sums stay as they are written, and a base such as 1 + exp(-x) rewrites its one function: exp(-x) is
    1/G - 1. That gives short closed forms, but decides nothing, so proofs do without.
    """

    for_printing: bool = False
    rules: list[Rule] = field(default_factory=list)
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
    parted: set[str] = field(default_factory=set)  # generators that rules take apart into partial fractions
    roots: set[str] = field(default_factory=set)  # generators that occur with fractional exponents
    _settled: tuple[tuple[int, ...], set[Monomial]] = ((), set())

    def reduce(self, form: Form) -> Form:
        """Every rule applied until none fires."""
        done: Form = {}
        todo = list(form.items())
        settled = self._settled_for_these_rules()
        while todo:
            monomial, c = todo.pop()
            simpler = None if monomial in settled else self._simplified(monomial)
            if simpler is None:
                settled.add(monomial)
                include(done, monomial, c)
            else:
                todo.extend((m, c * k) for m, k in simpler.items())
        return done

    def _settled_for_these_rules(self) -> set[Monomial]:
        """The monomials that no rule changes, remembered until there are other rules."""
        rules = (len(self.zero_one), len(self.signs), *map(id, self.rules))
        if rules != self._settled[0]:
            self._settled = (rules, set())
        return self._settled[1]

    def _simplified(self, monomial: Monomial) -> Form | None:
        if any(e > 1 and (f[0] in self.zero_one or f[0] in self.signs) for f, e in monomial):
            powers = self._folded(monomial)
            if powers != monomial:
                return {merge(powers): Fraction(1)}
        names = {f[0] for f, _ in monomial}
        for rule in (r for r in self.rules if r.pattern[0][0][0] in names):  # in their order, whatever the hash seed
            found = rule.apply(monomial)
            if found is not None:
                self.cited.setdefault(rule.name)
                return found
        return None

    def _folded(self, monomial: Monomial) -> Monomial:
        """mask^2 = mask, step^2 = step, sgn^3 = sgn, and sgn(c)^2 c = c (right at 0 as well)."""
        present = {f for f, _ in monomial}
        return tuple((f, self._folded_exponent(f, e, present)) for f, e in monomial)

    def _folded_exponent(self, f: Factor, e: Exponent, present: set[Factor]) -> Exponent:
        if f[0] in self.zero_one and e > 1:
            return 1
        if f[0] in self.signs and e > 1:
            return e % 2 if self._argument(f) in present else 2 - e % 2
        return e

    def _argument(self, f: Factor) -> Factor | None:
        """The factor that a sign was taken of, where it was taken of one alone."""
        found = self.signs[f[0]]
        return (found[0], tuple(f[1][place] for place in found[1])) if found else None

    def power(self, base: Form, exponent: Exponent) -> Form:
        """A form to any rational power: multiplied out, or through a generator for 1/base."""
        base = self.reduce(base)
        if Fraction(exponent).denominator == 1 and exponent >= 0:
            return self.reduce(power(base, int(exponent)))
        if not base:
            raise DefinitionError("the definition divides by an expression that is identically zero")
        single = self._monomial_power(base, exponent)
        if single is not None:
            return single
        for generator in self.generators.values():
            ratio, mapping = self._ratio(base, generator)
            if ratio is not None and mapping is not None:
                atom = factor(generator.name, tuple(mapping.get(p, p) for p in generator.parameters), -exponent)
                self._note_root(generator, exponent)
                return self.reduce(mul(self.power(ratio, exponent), atom))
        generator = self._new_generator(base)
        self._note_root(generator, exponent)
        return self.reduce(factor(generator.name, generator.parameters, -exponent))

    def _part_fractions(self, generator: Generator) -> None:
        """For 1/G = f + b, f an exponential, b a number: every f^n G^k in powers of f^-1 alone, and of G alone.

        These are what partial fractions in f leave, and are independent: f is 1/G - b, f^-1/G is 1 + b f^-1, and f^-1 G
        is (f^-1 - G)/b.
        """
        atoms = [m for m in generator.base if m and all(f[0] in self.exponents for f, _ in m)]
        if len(generator.base) != 2 or len(atoms) != 1 or ONE not in generator.base or generator.base[atoms[0]] != 1:
            return
        b, g = generator.base[ONE], (generator.name, generator.parameters)
        inverse = merge([(f, -e) for f, e in atoms[0]])
        name = f"definition of {generator.name}"
        self.rules += [
            Rule(name, atoms[0], ((((g, -1),), Fraction(1)), (ONE, -b))),
            Rule(name, merge([*inverse, (g, -1)]), ((ONE, Fraction(1)), (inverse, b))),
            Rule(name, merge([*inverse, (g, 1)]), ((inverse, 1 / b), (((g, 1),), -1 / b))),
        ]
        self.parted.add(generator.name)

    def _note_root(self, generator: Generator, exponent: Exponent) -> None:
        if Fraction(exponent).denominator > 1:
            self.roots.add(generator.name)

    def _monomial_power(self, base: Form, exponent: Exponent) -> Form | None:
        if len(base) > 1:
            return None
        ((monomial, coefficient),) = base.items()
        root = rational_power(coefficient, Fraction(exponent))
        if bound_labels(monomial) or root is None:
            return None
        for (name, _), e in monomial:
            if Fraction(e * exponent).denominator != 1 or (
                Fraction(e).denominator == 1 and Fraction(exponent).denominator != 1
            ):
                self._assume_positive(name)
        return self.reduce({merge([(f, e * exponent) for f, e in monomial]): root})

    def _assume_positive(self, name: str) -> None:
        if name not in self.positive and not name.startswith("#"):
            self.premises.setdefault(f"{name} > 0")

    def _ratio(self, base: Form, generator: Generator) -> tuple[Form | None, dict[Label, Label] | None]:
        """`base / generator.base` where that is one monomial without labels of its own, and how labels map."""
        labels = free_labels(base)
        if len(labels) != len(generator.parameters) or len(base) != len(generator.base):
            return None, None
        mapping = dict(zip(sorted(generator.parameters), labels, strict=True))
        if any(a[0] != b[0] for a, b in mapping.items()):
            return None, None
        known = renamed(generator.base, mapping)
        first = min(known, key=str)
        for candidate, c in base.items():
            quotient = dict(candidate)
            for f, e in first:
                quotient[f] = quotient.get(f, 0) - e
            ratio = {merge([(f, e) for f, e in quotient.items() if e]): c / known[first]}
            if not bound_labels(next(iter(ratio))) and self._equal(mul(ratio, known), base):
                return ratio, mapping
        return None, None

    def _equal(self, a: Form, b: Form) -> bool:
        return not self.reduce(subtract(a, b))

    def _new_generator(self, base: Form) -> Generator:
        name = f"(1/b{len(self.generators) + 1})"  # no identifier, so that no quantity can have it
        self.positive.add(name)
        labels = free_labels(base)
        alone = is_lone_atom if self.for_printing else is_lone_sum
        lone = next((m for m in sorted(base, key=str) if alone(m, base)), None)
        generator = Generator(name, base, labels, lone is not None)
        self.generators[name] = generator
        if lone is not None:
            self._orient(generator, lone)
        elif not self.for_printing:
            self._part_fractions(generator)
        return generator

    def _orient(self, generator: Generator, lone: Monomial) -> None:
        """From coefficient * sum + rest = 1/G: the sum is (1/G - rest) / coefficient."""
        inverse = factor(generator.name, generator.parameters, -1)
        self.rules.append(solved(f"definition of {generator.name}", subtract(generator.base, inverse), lone))

    def assume(self, name: str, form: Form) -> None:
        """Take for granted that a form is zero: its lone sum, or else its lone factor, is replaced from here on."""
        form = self.reduce(form)
        if form:
            candidates = sorted(form, key=str)
            lone = next((m for m in candidates if is_lone_sum(m, form) or is_lone_factor(m, form)), None)
            if lone is None:
                raise ValueError(f"the {name} holds no sum, and no factor, that occurs once and could be replaced")
            self.rules.append(solved(name, form, lone))

    def named_sum(self, name: str, form: Form, atom: Form) -> Form:
        """An atom for the sum that it is the name of; what is no sum stays as it is."""
        lone = next((m for m in form if is_lone_sum(m, form)), None)
        if lone is None:
            return form
        self.rules.append(solved(f"{name} is its sum", subtract(form, atom), lone))
        return atom

    def without_scale(self, form: Form) -> Form:
        """A form without positive factors that all of its terms share: what has the same sign."""
        if not form:
            return form
        shared = set.intersection(*({x for x in m if self._is_positive(x[0])} for m in form))
        least = abs(form[min(form, key=str)])
        return {merge([x for x in m if x not in shared]): c / least for m, c in form.items()}

    def _is_positive(self, f: Factor) -> bool:
        return (f[0] in self.positive or f[0].startswith("#")) and not any(n > 0 for _, n in f[1])

    def function(self, name: str, argument: Form) -> Form:
        """f(argument) as an atom keyed by the reduced argument."""
        argument = self.reduce(argument)
        return factor(f"{name}({text(by_rank(argument))})", free_labels(argument))

    def logarithm(self, argument: Form) -> Form:
        """The log of a product is a sum of logs; a sum is the inverse of its generator first."""
        inverse = self.power(argument, -1)
        ((monomial, c),) = inverse.items()
        logs = [] if c == 1 else [scale(factor(f"log({c})"), -1)]
        for (name, labels), e in monomial:
            if name in self.exponents:
                places = dict(zip(free_labels(self.exponents[name]), labels, strict=True))
                logs.append(scale(renamed(self.exponents[name], places), -Fraction(e)))
                continue
            self._assume_positive(name)
            logs.append(scale(factor(f"log({name})", labels), -Fraction(e)))
        return add(*logs)

    def exponential(self, argument: Form) -> Form:
        """The exp of a sum is a product of exps, one for each monomial."""
        result = number(1)
        for monomial, c in self.reduce(argument).items():
            single = {monomial: Fraction(1)}
            name = f"exp({text(by_rank(single))})"
            self.positive.add(name)
            self.exponents.setdefault(name, single)
            result = mul(result, factor(name, free_labels(single), c if c.denominator > 1 else int(c)))
        return self.reduce(result)
