"""The derivation report: complete, right, the same everywhere, and such that GitHub shows it as it is meant."""

import importlib
import itertools
import math
import os
import random
import re
import subprocess
import sys

import pytest
import sympy
from markdown_it import MarkdownIt

from bnsym.calculus.derive import derive
from bnsym.functions import Abs, maximum, sign, step
from bnsym.language import (
    Definition,
    Eq,
    Max,
    Sum,
    axes,
    constant,
    data,
    exp,
    log,
    mask,
    parameter,
    premise,
    size,
    sqrt,
    statistics,
    stop_gradient,
    tanh,
    values,
)  # fmt: skip
from bnsym.lowering.lower import lower
from bnsym.model import Equation, Largest, Proof, Reduction, Size, Term, quantities
from bnsym.report.closed import put_in
from bnsym.report.latex import Latex
from bnsym.report.markdown import report_markdown
from bnsym.report.notation import notation
from bnsym.report.paths import count, paths
from tests.latex_reader import everywhere, value

n, d = axes("n d")
D = size(d)
x, gamma, eps = data("x", n, d), parameter("gamma", d), constant("eps", default=1e-6)
mean, var = statistics("mean var", n)
x_hat, y = values("x_hat y", n, d)
ROWS = Definition(
    "rows",
    source="an | odd *source*, with $ and _marks_ for `code`",
    layout="trailing",
    equations=[
        Eq(mean, Sum(x, d) / D),
        Eq(var, Sum((x - mean) ** 2, d) / D),
        Eq(x_hat, (x - mean) / sqrt(var + eps)),
        Eq(y, gamma * x_hat),
    ],
)

row, col = axes("row col")
rows = size(row)
u, keep = data("u", row, col), mask("keep", row, col)
w_in, bias = parameter("w_in", col), parameter("bias")
mean_, mu, kept = statistics("mean", col), statistics("mu", col), values("kept", col)
h, out_y, mean_square, s = (*values("h_tilde out_y", row, col), values("mean_square"), values("s"))
ODD = Definition(
    "odd",
    source="invented",
    layout="arrays",
    equations=[
        Eq(kept, Sum(keep, row)),
        Eq(mean_, Sum(keep * u, row) / rows),
        Eq(mu, stop_gradient(Max(u, row))),
        Eq(mean_square, Sum(u**2, row, col)),
        Eq(h, tanh(w_in * (u - mean_) - mu) + Abs(u) / (1 + mean_square)),
        Eq(out_y, h * exp(-(u**2) / 2) + bias * kept + Max(h, 0)),
        Eq(s, Sum(out_y**2, row, col) + log(2 + mean_square)),
    ],
    outputs=[out_y, s],
    premises=[premise(Sum(keep, col), 1)],
)

PROJECT = ["batch_norm", "dense", "sigmoid", "softmax_cross_entropy"]
DEFINITIONS = [getattr(importlib.import_module(f"bnsym.definitions.{name}"), name) for name in PROJECT] + [ROWS, ODD]
DERIVED = {made.name: derive(made) for made in DEFINITIONS}
KERNELS = {name: lower(derivation) for name, derivation in DERIVED.items()}
PROOFS = (
    Proof("a holds", "written out, m = 2", True, "0", 0.25),
    Proof("a holds", "written out, m = 3", True, "0", 0.5, ()),
    Proof("b | c", "normal form", False, "x_i|y", 1.25, ("x > 0",)),
)
REPORTS = {name: report_markdown(DERIVED[name], KERNELS[name], PROOFS) for name in DERIVED}
every = pytest.mark.parametrize("name", list(DERIVED))


def printer(name):
    return Latex(notation(DERIVED[name], KERNELS[name]))


def formulas(text):
    return re.findall(r"^\$\$\n(.*)\n\$\$$", text, re.M)


def without_number(formula):
    return re.sub(r" \\tag\{\d+\}$", "", formula).replace(" _", "_")


@every
def test_every_equation_of_the_definition_and_every_step_is_there_with_a_number(name):
    printed = [without_number(f) for f in formulas(REPORTS[name])]
    for e in DERIVED[name].backward.program.equations:
        assert printer(name).equation(e) in printed
    assert all(re.search(r" \\tag\{\d+\}$", f) for f in formulas(REPORTS[name]))


@every
def test_the_lowered_backward_is_told_whole(name):
    told = REPORTS[name].split("## What `backward` computes")[1]
    for o in KERNELS[name]["backward"].operations:
        left = printer(name).quantity(o.left).replace("_", " _")
        assert f"\n{left} = " in told or f"| `{o.left}` |" in told


@every
def test_numbers_are_given_in_order_and_one_number_is_one_equation(name):
    numbers = {}
    for f in formulas(REPORTS[name]):
        numbers.setdefault(int(re.search(r"\\tag\{(\d+)\}", f)[1]), set()).add(f)
    assert list(numbers)
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert all(len(found) == 1 for found in numbers.values())


@every
def test_markdown_finds_no_mark_up_in_a_formula(name):
    """Read as if mathematics meant nothing to Markdown: not one emphasis, escape, link or entity is found."""
    tokens = MarkdownIt("commonmark").enable("table").parse(REPORTS[name])
    inline = [c for t in tokens for c in t.children or []]
    assert {c.type for c in inline} <= {"text", "code_inline", "softbreak", "text_special"}
    assert not re.search(r"\$[^$\n]*\\[^a-zA-Z][^$\n]*\$", REPORTS[name].replace(r"\$", ""))
    assert all("<" not in f and "*" not in f for f in formulas(REPORTS[name]))


@every
def test_display_formulas_stand_between_blank_lines(name):
    lines = ["", *REPORTS[name].splitlines(), ""]
    fences = [k for k, line in enumerate(lines) if "$$" in line]
    assert fences
    assert len(fences) % 2 == 0
    for start, end in zip(fences[::2], fences[1::2], strict=True):
        assert lines[start] == lines[end] == "$$"
        assert end == start + 2
        assert lines[start - 1] == lines[end + 1] == ""
    assert "\n\n\n" not in REPORTS[name]
    assert not re.search(r"[ \t]$", REPORTS[name], re.M)


@every
def test_a_table_has_equally_many_cells_in_every_row(name):
    tokens = MarkdownIt("commonmark").enable("table").parse(REPORTS[name])
    tables = [block for block in REPORTS[name].split("\n\n") if block.startswith("|")]
    assert len(tables) == sum(t.type == "table_open" for t in tokens) >= 3
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@every
def test_nothing_is_left_of_sympy_of_clocks_or_of_machines(name):
    text = re.sub(r"`[^`\n]*`", "", REPORTS[name])
    assert not re.search(r"Sum\(|\*\*|Derivative|Subs|sqrt\(|None|Axis|second", text)
    for secret in ("0.25", "1.25", os.sep + "work", os.getcwd()):
        assert secret not in REPORTS[name]


@every
def test_what_is_printed_is_what_is_meant(name):
    """Every equation, read back from its LaTeX, has the value that the equation itself has."""
    spelled, kernel = notation(DERIVED[name], KERNELS[name]), KERNELS[name]["backward"]
    known = {o.left: o.equation.right for o in kernel.operations if o.left not in kernel.outputs}
    for e in (*DERIVED[name].backward.program.equations, *kernel.program.equations):
        for told in (e, put_in(e, known)):
            assert _agrees(told, Latex(spelled).equation(told), spelled)


COUNT = 2


def _agrees(e, latex, spelled):
    numbers, given = _numbers(e, spelled)
    left, right = latex.split(" = ", 1)
    letters = {a: spelled.letter(a) for a in e.left.axes if a in spelled.shown}
    for env in everywhere(letters.values(), COUNT):
        at = {a: env[letter] for a, letter in letters.items()}
        meant = sum(_meant(t.expression, at, given) for t in e.terms)
        assert math.isclose(value(right, numbers, COUNT, env), meant, rel_tol=1e-9, abs_tol=1e-12), latex
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
            symbol = spelled.symbols[of.name]
            printed[kind + symbol.base + symbol.note.replace(" ", ""), places] = number
    return printed, given


MEANING = {
    sympy.Add: lambda *terms: sum(terms),
    sympy.Mul: lambda *factors: math.prod(factors),
    sympy.Pow: pow,
    sympy.exp: math.exp,
    sympy.log: math.log,
    sympy.tanh: math.tanh,
    Abs: abs,
    maximum: max,
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


def test_a_summed_index_never_has_the_letter_of_a_free_one():
    whole = formulas(REPORTS["batch_norm"])
    written = next(without_number(f) for f in whole if r"\sum _{j=1}^{m}" in f)
    assert written == (
        r"\frac{\partial \ell}{\partial x_i} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \left(\frac{\partial \ell}"
        r"{\partial y_i} - \frac{\hat{x}_i}{m} \sum_{j=1}^{m} \frac{\partial \ell}{\partial y_j} \hat{x}_j"
        r" - \frac{1}{m} \sum_{j=1}^{m} \frac{\partial \ell}{\partial y_j}\right)"
    )
    rows_written = next(without_number(f) for f in formulas(REPORTS["rows"]) if r"\sum _{j=1}^{D}" in f)
    assert r"\sum_{j=1}^{D} \frac{\partial \ell}{\partial y_{n,j}} \gamma_j \hat{x}_{n,j}" in rows_written
    assert r"\sum_{d=1}" not in rows_written
    assert "$j$ running as $d$" in REPORTS["rows"]


def test_nested_sums_over_one_axis_read_back_right():
    spelled = notation(DERIVED["rows"], KERNELS["rows"])
    inner = Sum(x, d) / spelled.sizes[d]
    nested = Equation(x, (Term(-x * Sum((inner - x) ** 2, d) * Sum(gamma * (2 * inner - 2 * x), d) - inner),))
    latex = Latex(spelled).equation(nested)
    assert _agrees(nested, latex, spelled)
    assert {r"\sum_{j=1}^{D}", r"\sum_{k=1}^{D}"} <= set(re.findall(r"\\sum_\{\w=1\}\^\{D\}", latex))


def test_the_paths_of_batch_norm_are_enumerated():
    text = REPORTS["batch_norm"]
    assert "$x$ reaches $y$ by 4 paths:" in text
    for chain in (r"x \to \hat{x} \to y", r"x \to \mu \to \sigma^2 \to \hat{x} \to y"):
        assert f"- ${chain}$\n" in text


@every
def test_paths_are_counted_as_they_are_enumerated(name):
    program = DERIVED[name].forward
    for start, end in itertools.product(program.inputs, program.outputs):
        assert count(program, start, end) == len(list(paths(program, start, end)))


def test_held_equations_let_no_gradient_back():
    text = REPORTS["softmax_cross_entropy"]
    assert "(1) is held" in text
    assert "q0 -.-> q2" in text
    assert "$z$ reaches $\\mathrm{loss}$ by 2 paths:" in text


def test_one_symbol_is_one_quantity():
    symbols = notation(DERIVED["odd"], KERNELS["odd"]).symbols
    assert len(set(symbols.values())) == len(symbols)
    assert symbols["mean"].base == r"\mathrm{mean}"
    assert symbols["mu"].base == r"\mathrm{mu}"


def test_an_output_that_others_use_has_a_total_derivative():
    assert r"\frac{\mathrm{d} \ell}{\mathrm{d} \text{out y} _{r,c}} = \frac{\partial \ell}" in REPORTS["odd"]
    assert "It is an output as well" in REPORTS["odd"]


def test_the_unbiasing_factor_is_told_from_its_expectation():
    text = REPORTS["batch_norm"].replace(" _", "_")
    assert r"\mathrm{E}\left[\sigma^2\right] = \frac{m - 1}{m} \mathrm{Var}\left[x\right]" in text
    assert r"\sigma^2 = \frac{m}{B \left(m - 1\right)} \sum_{b=1}^{B} \sigma^2_b" in text
    assert "Statistics of the population" not in REPORTS["rows"]
    assert "## Inference" not in REPORTS["rows"]


def test_claims_are_told_once_with_every_method_and_failures_are_not_hidden():
    text = REPORTS["sigmoid"]
    assert "| a holds | written out, m = 2, 3 | proved, residual 0 | nothing |" in text
    assert r"| b \| c | normal form | not proved: `x_i\|y` | `x > 0` |" in text
    assert "Of 3 proofs 1 did not succeed." in text
    proved = report_markdown(DERIVED["sigmoid"], KERNELS["sigmoid"], PROOFS[:2])
    assert "One claim, 2 proofs: every residual is 0." in proved


def test_foreign_words_are_no_mark_up():
    assert r"Source: an \| odd \*source\*, with \$ and \_marks\_ for `code`." in REPORTS["rows"]


SCRIPT = """
import hashlib, tests.test_report as t
print(hashlib.sha256("".join(t.REPORTS.values()).encode()).hexdigest())
"""


def test_the_report_does_not_depend_on_the_hash_seed():
    seen = set()
    for seed in ("0", "1", "4242"):
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        seen.add(ran.stdout)
    assert len(seen) == 1
