"""Second derivatives of a composition, from those of its parts.

For y = B(z), z = A(x): the gradient to x is A's backward of B's, so that its own gradients are A's double backward at
dz, B's at (dy, z), and A's backward once more for what B's gives to z. The parts are proved by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

from bnsym.calculus.chain import Derivative, forward, reverse
from bnsym.calculus.derive import Derivation, arguments, double_backward
from bnsym.calculus.equality import same_outputs
from bnsym.model import Equation, Program, Proof, Quantity, Term

DERIVED = ("d{}", "t{}", "td{}", "g_{}", "g_d{}")
"""What is derived of the quantity between the parts."""

METHOD = "composition of its parts' derivatives, symbolic sizes"


def proofs(derivation: Derivation) -> tuple[Proof, ...]:
    """The second derivatives of a definition that was composed; none of any other."""
    if not derivation.definition.parts:
        return ()
    first, then = (part.program for part in derivation.definition.parts)
    back = _Backwards(first, then)
    double, pushed = derivation.double_backward, derivation.backward_jvp
    z = back.z
    at = [Quantity(n.format(z), z.axes, r) for n, r in (("{}", z.role), *((d, "gradient") for d in DERIVED))]
    gradients = {g: double.gradients[u] for u, g in back.gradients().items() if u in double.wrt}
    tangents = {q: q for q in pushed.program.outputs}
    return (
        *_compared("double_backward", double.program, back.double_equations(), gradients, at),
        *_compared("backward_jvp", pushed.program, back.pushed_equations(), tangents, at),
    )


def _compared(
    name: str,
    whole: Program,
    equations: Iterable[Equation],
    outputs: Mapping[Quantity, Quantity],
    at: Iterable[Quantity],
) -> tuple[Proof, ...]:
    """The program that was derived of the whole, and the one put together from the parts; outputs in one order."""
    once: dict[Quantity, Equation] = {}
    for e in equations:
        once.setdefault(e.left, e)
    ordered = tuple(sorted(outputs, key=lambda q: whole.outputs.index(outputs[q])))
    together = Program(whole.inputs, tuple(once.values()), ordered).needed(ordered)
    wanted = Program(whole.inputs, whole.equations, tuple(outputs[q] for q in ordered))
    claim = f"{name}: {{output}} is what the definition's two parts give"
    return same_outputs(wanted, together, at=at, claim=claim, method=METHOD)


class _Backwards:
    """The derivatives of two programs, the second of which takes what the first gives."""

    def __init__(self, first: Program, then: Program):
        (self.z,) = first.outputs
        self.first, self.a = first, _backward(first, self.z)
        self.b = _backward(then, self.z)
        self.aa, self.bb = double_backward(self.a), double_backward(self.b)
        self.dz = self.a.seeds[0]

    def gradients(self) -> dict[Quantity, Quantity]:
        """What the double backward of the whole gives, by what it is the gradient to."""
        inner = {u: q for u, q in self.bb.gradients.items() if u in self.bb.wrt and u != self.z}
        return {u: _whole(u) for u in self.aa.wrt + self.a.wrt if u != self.dz} | inner

    def double_equations(self) -> list[Equation]:
        """A's forward, B's backward, both double backwards, A's backward for what comes back to z, and the sums."""
        g_dz, g_z = self.aa.gradients[self.dz], self.bb.gradients.get(self.z, Quantity("nothing", self.z.axes))
        nothing = Equation(Quantity("nothing", self.z.axes), (Term(sympy.Integer(0)),))
        inner = self.bb.program.replace({_seed_of(self.bb, self.z): g_dz})
        renamed = {s.equation.left: Quantity(f"more_{s.equation.left}", s.equation.left.axes) for s in self.a.steps}
        more = self.a.program.replace({**renamed, self.dz: g_z})
        totals = []
        for u in dict.fromkeys(self.aa.wrt + self.a.wrt):
            own = [self.aa.gradients[u]] if u in self.aa.wrt else []
            returned = [renamed[self.a.gradients[u]]] if u in self.a.wrt else []
            totals.append(Equation(_whole(u), tuple(Term(q) for q in own + returned)))
        parts = (self.first, self.b.program, self.aa.program, inner, more)
        return [nothing, *(e for part in parts for e in part.equations), *totals]

    def pushed_equations(self) -> list[Equation]:
        """A's tangent, then the derivatives of B's backward and of A's along the tangents."""
        tangent = forward(self.first, self.a.wrt).program
        parts = (tangent, *(forward(d.program, arguments(d)).program for d in (self.b, self.a)))
        return [e for part in parts for e in part.equations]


def _backward(program: Program, z: Quantity) -> Derivative:
    return reverse(program, tuple(q for q in program.inputs if q == z or q.role in ("data", "parameter")))


def _seed_of(double: Derivative, z: Quantity) -> Quantity:
    return next(q for q in double.seeds if q.name == f"dd{z}")


def _whole(u: Quantity) -> Quantity:
    return Quantity(f"whole_{u}", u.axes)
