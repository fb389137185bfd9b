"""What the report prints is what is meant: every formula is read back from its LaTeX and has the equation's value."""

import itertools
import math
import random
import re

import pytest
import sympy

from bnsym.functions import Abs, maximum, minimum, sign, step
from bnsym.language import Sum, exp, sqrt
from bnsym.lowering.lower import textbook_backward
from bnsym.model import Equation, Largest, Reduction, Size, Term, quantities
from bnsym.report.latex import Latex
from bnsym.report.notation import SHOWN, notation
from bnsym.report.symbols import word
from bnsym.report.told import helpers, put_in
from tests.latex_reader import everywhere, read
from tests.report_cases import DERIVED, KERNELS, WRITERS, d, every, gamma, mean, n, var, x


@every
def test_what_is_printed_is_what_is_meant(name):
    """Every equation, read back from its LaTeX, has the value that the equation itself has."""
    spelled = WRITERS[name].notation
    for e in dict.fromkeys(_equations(name)):
        assert _agrees(e, Latex(spelled).equation(e), spelled)


def _equations(name):
    """All that a report may show: the programs, and the kernels with and without their helpers."""
    derivation, kernels = DERIVED[name], KERNELS[name]
    derivatives = (derivation.backward, derivation.jvp, derivation.inference_backward)
    programs = [d.program for d in derivatives if d] + [derivation.correction, derivation.inference, derivation.fold]
    for program in programs:
        yield from program.equations if program else ()
    for kernel in (*(kernels[k] for k in SHOWN), textbook_backward(derivation)):
        known = helpers(WRITERS[name], kernel)
        whole = known | {o.left: o.equation.right for o in kernel.operations if o.left.role == "sum"}
        for e in kernel.program.equations:
            yield from (e, put_in(e, known), put_in(e, whole))


COUNT = 2


def _agrees(e, latex, spelled):
    numbers, given = _numbers(e, spelled)
    left, right = latex.split(" = ", 1)
    letters = {a: spelled.letter(a) for a in e.left.axes if a in spelled.shown}
    found = read(right, numbers, COUNT)
    for env in everywhere(letters.values(), COUNT):
        at = {a: env[letter] for a, letter in letters.items()}
        meant = sum(_meant(t.expression, at, given) for t in e.terms)
        assert math.isclose(found(env), meant, rel_tol=1e-9, abs_tol=1e-12), latex
    return left == spelled.quantity(e.left)


def _numbers(e, spelled):
    """A number for each entry of each quantity, under its printed name and under its own."""
    rng, printed, given = random.Random(1), {}, {}
    named = {q for t in e.terms for q in quantities(t.expression)} | set(spelled.sizes.values())
    for q in sorted(named, key=str):
        along = [a for a in q.axes if a in spelled.shown]
        for places in itertools.product(range(COUNT), repeat=len(along)):
            number = COUNT if isinstance(q, Size) else rng.uniform(0.3, 1.7)
            given[q.name, places] = number
            of, total = spelled.gradients.get(q.name, (q, False))
            kind = (r"\mathrm{d}" if total else r"\partial") * (of is not q)
            symbol = spelled.symbols.get(of.name) or word(of.name)
            printed[kind + symbol.base + symbol.note.replace(" ", ""), places] = number
    return printed, given


MEANING = {
    sympy.Add: lambda *terms: sum(terms),
    sympy.Mul: lambda *factors: math.prod(factors),
    sympy.Pow: pow,
    sympy.exp: math.exp,
    sympy.log: math.log,
    sympy.tanh: math.tanh,
    sympy.erf: math.erf,
    Abs: abs,
    maximum: max,
    minimum: min,
    step: lambda v: float(v > 0),
    sign: lambda v: float((v > 0) - (v < 0)),
}


def _meant(e, at, given):
    if isinstance(e, Reduction):
        every_place = everywhere(e.axes, COUNT)
        found = [_meant(e.body, at | place, given) for place in every_place]
        return max(found) if isinstance(e, Largest) else sum(found)
    if not isinstance(e, sympy.Symbol) and e.args:
        args = [_meant(a, at, given) for a in e.args]
        return MEANING[type(e)](*args)
    return given[e.name, tuple(at[a] for a in e.axes if a in at)] if isinstance(e, sympy.Symbol) else float(e)


def test_nested_sums_over_one_axis_read_back_right():
    spelled = notation(DERIVED["rows"], KERNELS["rows"])
    inner = Sum(x, d) / spelled.sizes[d]
    nested = Equation(x, (Term(-x * Sum((inner - x) ** 2, d) * Sum(gamma * (2 * inner - 2 * x), d) - inner),))
    latex = Latex(spelled).equation(nested)
    assert _agrees(nested, latex, spelled)
    assert {r"\sum_{j=1}^{D}", r"\sum_{k=1}^{D}"} <= set(re.findall(r"\\sum_\{\w=1\}\^\{D\}", latex))


@pytest.mark.parametrize(
    "e",
    [
        x / (gamma * Sum(x, n)),
        gamma * Sum(x, n) ** 2 * Sum(x**2, n),
        (mean - x) ** 3 / (2 * var) ** 2 - 1 / (var * sqrt(2)),
        -Sum(-gamma * (mean - x), n) * (1 - gamma) / 4,
        exp(-x) ** 2 * sympy.Rational(-3, 4) * (x - 1) ** -1,
        0.25 * x - sympy.pi,
        -x,
    ],
    ids=str,
)
def test_signs_brackets_and_fractions_read_back_right(e):
    spelled = notation(DERIVED["rows"], KERNELS["rows"])
    equation = Equation(x, (Term(sympy.sympify(e)),))
    assert _agrees(equation, Latex(spelled).equation(equation), spelled)
