"""The derivation report: complete, right, the same everywhere, and such that GitHub shows it as it is meant."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

from markdown_it import MarkdownIt

from bnsym.model import Proof
from bnsym.report.latex import Latex
from bnsym.report.markdown import report_markdown
from bnsym.report.notation import notation
from bnsym.report.paths import count, paths
from tests.report_cases import DERIVED, KERNELS, every

ROOT = Path(__file__).parents[1]
PROOFS = (
    Proof("a holds", "written out, m = 2", True, "0", 0.25),
    Proof("a holds", "written out, m = 3", True, "0", 0.5, ()),
    Proof("b | c", "normal form", False, "x_i|y", 1.25, ("x > 0",)),
)
REPORTS = {name: report_markdown(DERIVED[name], KERNELS[name], PROOFS) for name in DERIVED}


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
            [sys.executable, "-c", SCRIPT], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        seen.add(ran.stdout)
    assert len(seen) == 1
