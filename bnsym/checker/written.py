"""A norm's derived backward, written out as one program: statistics, sums, and each term of a gradient by itself.

Nothing here is typed in: equations come from the definition, the chain rule and the closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from bnsym.calculus.chain import Derivative
from bnsym.calculus.derive import Derivation
from bnsym.calculus.evaluate import Evaluation
from bnsym.lowering.direct import hoisted_powers
from bnsym.lowering.lower import textbook_backward
from bnsym.lowering.operations import is_element
from bnsym.lowering.sequence import ordered, pruned
from bnsym.model import Axis, Definition, Equation, Program, Quantity, Term

MOST_TERMS = 8
"""Terms beyond which a gradient is not told apart by them."""


@dataclass(frozen=True, eq=False)
class Written:
    """The backward as one program whose outputs are the gradients and their terms; each is equal to itself alone.

    `inverses` are the equations of inverse powers such as inv_std; `terms` are those of a gradient with an entry for
    each element, where it is a short sum; `kept` the axes of the statistics.
    """

    derivation: Derivation
    program: Program
    inverses: tuple[Equation, ...]
    terms: dict[Quantity, tuple[Quantity, ...]]
    kept: tuple[Axis, ...]

    @property
    def definition(self) -> Definition:
        """The norm."""
        return self.derivation.definition

    @property
    def chain(self) -> Derivative:
        """The chain rule's own backward."""
        return self.derivation.backward

    @property
    def gradients(self) -> tuple[Quantity, ...]:
        """What a backward returns, in order."""
        return self.chain.program.outputs

    @property
    def data(self) -> Quantity:
        """The array that is normalized."""
        return next(q for q in self.definition.program.inputs if q.role == "data")

    @property
    def reduced(self) -> tuple[Axis, ...]:
        """The axes that statistics are taken over."""
        return tuple(a for a in self.data.axes if a not in self.kept)

    def is_element(self, q: Quantity) -> bool:
        """Whether a quantity has an entry for each element of the data."""
        return is_element(q, self.chain.program.inputs)

    def of(self, program: Program, q: Quantity) -> sympy.Expr:
        """The right side by which a program computes a quantity; itself, where it is given."""
        e = program.equation(q)
        return q if e is None else e.right


def written_out(derivation: Derivation) -> Written:
    """The backward of a derivation, written out."""
    chain, forward = derivation.backward.program, derivation.forward
    operations = [o.equation for o in textbook_backward(derivation).operations]
    inverses = tuple(hoisted_powers(Evaluation().run(chain), chain.inputs).equations.values())
    own = {e.left for e in operations}
    stated = [e for e in (*forward.equations, *inverses) if e.left not in own]
    equations = [*stated, *operations]
    terms: dict[Quantity, tuple[Quantity, ...]] = {}
    for dx in (q for q in chain.outputs if is_element(q, chain.inputs)):
        parts = [Equation(Quantity(f"{dx}_{n}", dx.axes), (Term(t),)) for n, t in enumerate(_split(operations, dx))]
        if len(parts) <= MOST_TERMS:
            whole = Equation(dx, (Term(sympy.Add(*(e.left for e in parts))),))
            equations = [*(e for e in equations if e.left != dx), *parts, whole]
            terms[dx] = tuple(e.left for e in parts)
    outputs = (*chain.outputs, *(t for parts in terms.values() for t in parts))
    kept = tuple(dict.fromkeys(a for q in forward.equations if q.left.role == "statistic" for a in q.left.axes))
    needed = (*outputs, *(e.left for e in inverses))
    program = Program(chain.inputs, pruned(ordered(equations, set(chain.inputs)), needed), outputs)
    return Written(derivation, program, inverses, terms, kept)


def _split(operations: list[Equation], dx: Quantity) -> tuple[sympy.Expr, ...]:
    """The terms of a gradient, what is only a name for arithmetic per channel put in."""
    right = {e.left: e.right for e in operations}
    names = {e.left: e.right for e in operations if e.left.role == "sum" and not any(t.axes for t in e.terms)}
    body = right[dx]
    while body in right:  # another name for the same array
        body = right[body]
    while body.free_symbols & names.keys():
        body = body.xreplace(names)
    return tuple(sorted(sympy.Add.make_args(sympy.expand(body)), key=lambda t: (len(t.args), str(t))))
