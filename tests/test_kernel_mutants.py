"""The proof that a kernel computes what was derived, checked: wrong kernels are refused, by proof and by numbers."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from bnsym.calculus.derive import derive
from bnsym.calculus.elements import evaluate
from bnsym.definitions import definition
from bnsym.lowering.lower import lower
from bnsym.lowering.verify import verify
from bnsym.model import Equation, Size, Term
from tests.definitions import OWN, written

NAMES = ("batch_norm", "layer_norm", "three_sums", "l1_norm", "dense", "softmax_cross_entropy")


def derived(name, folder):
    made = definition(written(folder, name) if name in OWN else name)
    derivation = derive(made)
    return derivation, lower(derivation)


def mutated(equation):
    """Wrong versions of one equation: a sign, a term, a factor, the count, eps outside the root."""
    for n, term in enumerate(equation.terms):
        for kind, body in bodies(term.body):
            terms = list(equation.terms)
            terms[n] = Term(body, term.axes, term.largest)
            yield f"{equation.left}: {kind}", Equation(equation.left, tuple(terms))
    if len(equation.terms) > 1:
        yield f"{equation.left}: a term dropped", Equation(equation.left, equation.terms[1:])


def bodies(body):
    yield "sign flipped", -body
    for addend in body.args if body.is_Add else ():
        yield f"{addend} dropped", body - addend
        yield f"{addend} with the wrong sign", body - 2 * addend
    for factor in body.args if body.is_Mul else ():
        yield f"{factor} forgotten", body / factor
        for inner in factor.args if factor.is_Add else ():
            yield f"{inner} dropped", body / factor * (factor - inner)
            yield f"{inner} with the wrong sign", body / factor * (factor - 2 * inner)
    for size in body.atoms(Size):
        yield f"{size} - 1 for {size}", body.xreplace({size: size - 1})
    for root in (p for p in body.atoms(sympy.Pow) if p.base.is_Add and p.exp == sympy.Rational(-1, 2)):
        eps = next((a for a in root.base.args if a.role == "constant"), None)
        if eps is not None:
            yield "eps outside the root", body.xreplace({root: 1 / (sympy.sqrt(root.base - eps) + eps)})


def mutants(kernel):
    for n, operation in enumerate(kernel.operations):
        for label, equation in mutated(operation.equation):
            operations = list(kernel.operations)
            operations[n] = replace(operation, equation=equation)
            yield label, replace(kernel, operations=tuple(operations))


@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_of_every_backward_is_refused_or_equal(name, tmp_path):
    """Refused by proof exactly where random numbers tell it from the right one; equal where they do not."""
    derivation, kernels = derived(name, tmp_path)
    right = values(kernels["backward"])
    count = refused = 0
    for label, mutant in mutants(kernels["backward"]):
        proofs = verify(derivation, {"forward": kernels["forward"], "backward": mutant})
        count += 1
        refused += not all(p.holds for p in proofs)
        assert all(p.residual != "undecided" for p in proofs), label
        same = all(np.allclose(a, b, rtol=1e-9) for a, b in zip(right, values(mutant), strict=True))
        assert same == all(p.holds for p in proofs), label
    assert refused >= 0.9 * count > 3


def test_forgotten_forward_factors_are_refused(tmp_path):
    derivation, kernels = derived("batch_norm", tmp_path)
    labels = []
    for label, mutant in mutants(kernels["forward"]):
        proofs = verify(derivation, {"forward": mutant})
        saved_only = all(p.holds for p in proofs)
        if saved_only:
            labels.append(label)
    # The pivot may be any value, so a pivot with another sign everywhere would do; nothing else may pass.
    assert labels == []


def values(kernel):
    """The kernel's results on random numbers, saved statistics random as well: only the arithmetic is compared."""
    program = kernel.program
    rng = np.random.default_rng(7)
    sizes = {a: 3 + n for n, a in enumerate(program.axes)}
    inputs = {q: rng.standard_normal([sizes[a] for a in q.axes]) for q in program.inputs}
    found = evaluate(program, inputs)
    return [found[q] for q in kernel.outputs]
