"""Kernels as sweeps: how often they go over the data, that they are proved, and that a wrong one is not."""

from dataclasses import replace
from functools import cache

import pytest

from bnsym.backends.cuda_module import schedules
from bnsym.backends.cuda_places import Places
from bnsym.backends.layout import Dimensions
from bnsym.calculus.derive import derive
from bnsym.checks import DefinitionError
from bnsym.definitions import NAMES, definition
from bnsym.lowering.kernel import Kind
from bnsym.lowering.lower import lower
from bnsym.lowering.verify import verify
from bnsym.model import Equation, Term

SWEPT = [n for n in NAMES if definition(n).layout != "arrays"]


@cache
def swept(name):
    derivation = derive(definition(name))
    return derivation, schedules(derivation.definition, lower(derivation))


@pytest.mark.parametrize("name", SWEPT)
def test_the_sweeps_compute_what_was_derived(name):
    derivation, made = swept(name)
    proofs = verify(derivation, {n: s.kernel for n, s in made.items()}, "the sweeps'")
    assert proofs
    assert [p.claim for p in proofs if not p.holds] == []


@pytest.mark.parametrize("function", ["forward", "backward", "jvp", "double_backward", "backward_jvp"])
@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm", "group_norm", "masked_batch_norm"])
def test_one_pass_to_sum_and_one_to_write(name, function):
    sums, writes = swept(name)[1][function].sweeps
    assert sums.totals
    assert not sums.outputs
    assert writes.outputs


def test_a_function_of_nothing_but_elements_is_one_pass():
    for function in ("inference", "inference_backward"):
        assert len(swept("batch_norm")[1][function].sweeps) == 1
    for name in ("relu", "gelu", "silu"):
        assert all(len(s.sweeps) == 1 for s in swept(name)[1].values())


def test_what_is_rarely_needed_is_a_pass_of_its_own_that_may_be_left_out():
    rare, *others = swept("batch_norm_gelu")[1]["backward"].sweeps
    assert rare.where is not None
    assert [s.where for s in others] == [None, None]


def planted(kernel):
    """Wrong sums: a value twice, with the other sign, or one more."""
    for n, o in enumerate(kernel.operations):
        if o.kind is Kind.REDUCE:
            (term,) = o.equation.terms
            for body in (2 * term.body, -term.body, term.body + 1):
                wrong = replace(o, equation=Equation(o.left, (Term(body, term.axes, term.largest),)))
                yield o.left, replace(kernel, operations=(*kernel.operations[:n], wrong, *kernel.operations[n + 1 :]))


@pytest.mark.parametrize("function", ["forward", "backward", "double_backward"])
@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "masked_batch_norm"])
def test_a_wrong_sum_is_not_proved(name, function):
    derivation, made = swept(name)
    kernels = {n: s.kernel for n, s in made.items()}
    count = 0
    for left, wrong in planted(kernels[function]):
        if not any(left in o.equation.inputs for o in wrong.operations if o.kind is Kind.SCALAR):
            continue  # only a moment has it: of its two factors one may be about any number
        proofs = verify(derivation, {"forward": kernels["forward"], function: wrong})
        assert not all(p.holds for p in proofs), left
        count += 1
    assert count > 3


def test_sums_over_dimensions_with_others_between_have_no_view():
    made = definition("group_norm")
    n, g, k, s = made.program.inputs[0].axes
    dims = Dimensions(made)
    assert [Places(dims, (n, s), (g, k)).outer, Places(dims, (n, s), (g, k)).inner] == [[0], [3]]
    with pytest.raises(DefinitionError, match=r"no view in which n, k can be summed over"):
        Places(dims, (n, k), (g, s))
