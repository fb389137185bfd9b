"""The proof that a kernel computes what was derived, checked: wrong kernels are refused, by proof and by numbers."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy

from bnsym.calculus.derive import derive
from bnsym.calculus.elements import evaluate
from bnsym.definitions import NAMES, definition
from bnsym.lowering.kernel import Kind, Operation
from bnsym.lowering.lower import lower
from bnsym.lowering.verify import verify
from bnsym.model import Equation, Size, Term
from tests.definitions import OWN, written

DERIVATIVES = ("backward", "jvp", "double_backward", "backward_jvp")
WHOLE = ("batch_norm", "layer_norm")
"""Every mutant of these; of the others, whose kernels are like them, a sample in which every kind is represented."""
SAMPLE = 5
ALL = (*NAMES, *(f"own/{name}" for name in OWN))
SLOW = {"batch_norm_gelu_tanh": 2, "batch_norm_gelu": 4, "batch_norm_silu": 4}
KINDS = ("sign", "term dropped", "wrong sign", "factor forgotten", "power", "- 1", "argument", "eps")


@pytest.fixture(scope="module")
def derived(tmp_path_factory):
    """A definition's derivation and kernels by its name, or by `own/` and the name of a user's own."""
    folder = tmp_path_factory.mktemp("own")

    @cache
    def get(name):
        made = definition(written(folder, name.removeprefix("own/")) if name.startswith("own/") else name)
        derivation = derive(made)
        return derivation, lower(derivation)

    return get


def mutated(equation):
    """Wrong versions of one equation: a sign, a term, a factor, a power, the count. What is held may be any value."""
    if equation.held:
        return
    for n, term in enumerate(equation.terms):
        for kind, what, body in bodies(term.body):
            terms = list(equation.terms)
            terms[n] = Term(body, term.axes, term.largest)
            yield kind, f"{equation.left}: {what} {kind}", replace(equation, terms=tuple(terms))
    if len(equation.terms) > 1:
        yield "term dropped", f"{equation.left}: term dropped", replace(equation, terms=equation.terms[1:])


def bodies(body):
    yield "sign", "", -body
    for part in (body, *(body.args if body.is_Mul else ())):
        rest = body / part
        for addend in part.args if part.is_Add else ():
            yield "term dropped", addend, rest * (part - addend)
            yield "wrong sign", addend, rest * (part - 2 * addend)
            for factor in addend.args if addend.is_Mul and addend.args[0] != -1 else ():
                yield "factor forgotten", factor, rest * (part - addend + addend / factor)
    for factor in body.args if body.is_Mul else ():
        yield "factor forgotten", factor, body / factor
        if factor.is_Pow and factor.exp.is_Integer and factor.exp > 1:
            yield "power", factor, body / factor.base
    for q in sorted(body.free_symbols, key=str):
        if isinstance(q, Size) or q.name == "count":
            yield "- 1", q, body.xreplace({q: q - 1})
    for function in sorted(body.atoms(sympy.Function), key=str):
        yield "argument", function, body.xreplace({function: function.func(-function.args[0], *function.args[1:])})


def mutants(kernel, forward):
    for n, operation in enumerate(kernel.operations):
        for kind, label, equation in mutated(operation.equation):
            operations = list(kernel.operations)
            operations[n] = replace(operation, equation=equation)
            yield kind, label, replace(kernel, operations=tuple(operations))
    yield from eps_misplaced(kernel, forward)


def eps_misplaced(kernel, forward):
    """What forward hoisted out of a root, computed with eps in the wrong place."""
    for o in forward.operations:
        right = o.equation.right
        taken = [(name, q) for name, q in kernel.takes_saved if q == o.left]
        eps = next((q for q in right.free_symbols if q.role == "constant"), None)
        if not taken or not right.is_Pow or eps is None:
            continue
        var, power = right.base - eps, right.exp
        outside = 1 / (var**-power + eps) if power != -1 else 1 / var + eps
        for label, wrong in (("outside", outside), ("dropped", var**power), ("twice", (var + 2 * eps) ** power)):
            saved = dict.fromkeys([*kernel.takes_saved, *((q.name, q) for q in var.free_symbols)])
            yield (
                "eps",
                f"{o.left}: eps {label}",
                replace(
                    kernel,
                    arguments=(*kernel.arguments, eps),
                    takes_saved=tuple(s for s in saved if s not in taken),
                    operations=(Operation(Kind.SCALAR, Equation(o.left, (Term(wrong),))), *kernel.operations),
                ),
            )


def sampled(found, most, kinds=()):
    """All of them, or evenly spaced ones and the middle one of each kind."""
    if len(found) <= most:
        return found
    spaced = {(2 * n + 1) * len(found) // (2 * most) for n in range(most)}
    for kind in kinds:
        of_kind = [n for n, (k, _, _) in enumerate(found) if k == kind]
        spaced |= set(of_kind[len(of_kind) // 2 : len(of_kind) // 2 + 1])
    return [found[n] for n in sorted(spaced)]


def refused(derivation, kernels, mutant):
    """Whether the proof refuses a kernel."""
    return not all(p.holds for p in verify(derivation, {"forward": kernels["forward"], mutant.name: mutant}))


def differs(mutant, right):
    """Whether random numbers tell a kernel from the right one."""
    found = results(mutant, right)
    return any(
        not np.allclose(found[q], right[q], rtol=1e-9, atol=1e-9 * np.abs(right[q]).max())
        for q in mutant.program.outputs
    )


def random_inputs(derivation, kernel):
    """Random numbers for what a kernel's function is given; eps is large, so that its place counts."""
    rng = np.random.default_rng(7)
    program = derivation.forward if kernel.name == "forward" else getattr(derivation, kernel.name).program
    sizes = {a: 4 + n for n, a in enumerate(program.axes)}
    inputs = {q: rng.standard_normal([sizes[a] for a in q.axes]) for q in program.inputs}
    inputs |= {q: 0.37 + q.at_least for q in program.inputs if q.role == "constant"}
    inputs |= {q: mask(value, derivation.definition) for q, value in inputs.items() if q.role == "mask"}
    return inputs


def mask(value, definition):
    """Zeros and ones; one-hot where a premise says so."""
    if definition.premises:
        return (value == value.max(1, keepdims=True)) * 1.0
    return (value > np.quantile(value, 0.4, axis=0)) * 1.0


def results(kernel, known):
    """What a kernel computes of known numbers, its own left sides computed anew."""
    program = kernel.program
    inputs = {q: known[q] for q in program.inputs}
    with np.errstate(all="ignore"):
        return evaluate(program, inputs)


def right_results(derivation, kernels, kernel):
    """Inputs, what forward saves of them, and what the right kernel gives, which is what was derived.

    A saved mean that was rounded may be any number.
    """
    inputs = random_inputs(derivation, kernel)
    forward = kernels["forward"].program
    pivots = {p.pivot: np.full(pivot_shape(p, inputs), 0.3) for p in kernels["forward"].pivots}
    saved = evaluate(forward, {q: (inputs | pivots)[q] for q in forward.inputs})
    saved |= {s.mean: saved[s.mean] + 0.3 for s in kernel.steadied}
    known = saved | inputs | results(kernel, saved | inputs)
    program = derivation.forward if kernel.name == "forward" else getattr(derivation, kernel.name).program
    expected = evaluate(program, inputs)
    for q in kernel.outputs:
        np.testing.assert_allclose(known[q], expected[q], rtol=1e-9, atol=1e-9 * np.abs(expected[q]).max())
    return known


def pivot_shape(pivot, inputs):
    """One pivot for each statistic of the data."""
    sizes = {a: n for q, value in inputs.items() for a, n in zip(q.axes, np.shape(value), strict=True)}
    return [sizes[a] for a in pivot.pivot.axes]


def check(derivation, kernels, found, right):
    """Each mutant is refused by proof exactly where random numbers tell it from the right one; most are."""
    told = 0
    for _, label, mutant in found:
        told += (wrong := differs(mutant, right))
        assert wrong == refused(derivation, kernels, mutant), label
    assert told >= 0.75 * len(found)


@pytest.mark.parametrize("kernel", DERIVATIVES)
@pytest.mark.parametrize("name", ALL)
def test_every_mutant_of_every_derivative_is_refused_or_equal(name, kernel, derived):
    derivation, kernels = derived(name)
    right = right_results(derivation, kernels, kernels[kernel])
    assert not refused(derivation, kernels, kernels[kernel])
    found = list(mutants(kernels[kernel], kernels["forward"]))
    if name not in WHOLE:
        found = sampled(found, SLOW.get(name, SAMPLE), () if name in SLOW else KINDS)
    check(derivation, kernels, found, right)


def test_every_kind_of_mutant_is_met(derived):
    met = {
        kind
        for name in ALL
        for k in DERIVATIVES
        for kind, _, _ in mutants(derived(name)[1][k], derived(name)[1]["forward"])
    }
    assert met == set(KINDS)


@pytest.mark.parametrize("name", ALL)
def test_every_mutant_of_every_forward_is_refused_or_equal(name, derived):
    """The pivot may be any value, so one with another sign everywhere would do; nothing else may pass."""
    derivation, kernels = derived(name)
    forward = kernels["forward"]
    found = [(kind, label, mutant) for kind, label, mutant in mutants(forward, forward)]
    check(derivation, kernels, sampled(found, 4 * SAMPLE), right_results(derivation, kernels, forward))


def test_a_wrong_count_of_what_a_mask_leaves_is_refused(derived):
    """A count is an atom of the normal form: that the kernel's is the mask's own sum has to be asked as well."""
    derivation, kernels = derived("masked_batch_norm")
    forward = kernels["forward"]
    wrong = [(label, mutant) for _, label, mutant in mutants(forward, forward) if label.startswith("count:")]
    assert wrong
    for label, mutant in wrong:
        assert refused(derivation, kernels, mutant), label
