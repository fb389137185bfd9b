"""The derivation report: complete, right, the same everywhere, and such that GitHub shows it as it is meant."""

import hashlib
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

from markdown_it import MarkdownIt

from bnsym.report.notation import SHOWN
from bnsym.report.paths import count, paths
from bnsym.report.symbols import word
from bnsym.report.told import helpers
from tests.report_cases import DERIVED, KERNELS, REPORTS, WRITERS, every

ROOT = Path(__file__).parents[1]


def formulas(text):
    return re.findall(r"^\$\$\n(.*)\n\$\$$", text, re.M)


def without_number(formula):
    return re.sub(r" \\tag\{\d+\}$", "", formula).replace(" _", "_")


@every
def test_every_equation_of_the_definition_and_every_step_is_there_with_a_number(name):
    printed = [without_number(f) for f in formulas(REPORTS[name])]
    for e in DERIVED[name].backward.program.equations:
        assert WRITERS[name].latex.equation(e) in printed
    assert all(re.search(r" \\tag\{\d+\}$", f) for f in formulas(REPORTS[name]))


@every
def test_the_lowered_kernels_are_told_whole(name):
    text, w = REPORTS[name], WRITERS[name]
    for kernel, start, end in (
        ("backward", "## What `backward` computes", "## Forward mode"),
        ("jvp", "## Forward mode", "## The double backward"),
        ("double_backward", "## The double backward", "`backward_jvp`"),
    ):
        told = text.split(start)[1].split(end)[0]
        known = helpers(w, w.kernels[kernel])
        for o in w.kernels[kernel].operations:
            left = w.latex.quantity(o.left).replace("_", " _")
            in_steps = kernel == "jvp" and "The code computes just that." in told and f" | ${left} = " in told
            in_table = kernel != "backward" or f"| `{o.left}` |" in told
            assert f"\n{left} = " in told or in_steps or (o.left in known and in_table)


@every
def test_every_tangent_has_its_row(name):
    for s in DERIVED[name].jvp.steps:
        tangent = WRITERS[name].latex.equation(s.equation).replace("_", " _")
        assert f" | ${tangent}$ |" in REPORTS[name].replace("  _", " _")


@every
def test_no_formula_has_the_name_of_a_helper(name):
    stated = {e.left for e in DERIVED[name].forward.equations}
    made = {o.left for k in SHOWN for o in KERNELS[name][k].operations if o.left.role in ("sum", "value")} - stated
    text = REPORTS[name].split("## What `backward` computes")[1].split("`backward_jvp`")[0]
    assert not [q for q in made if len(q.name) > 1 and word(q.name).base in text]


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
    text = re.sub(r"```.*?```|`[^`\n]*`", "", REPORTS[name], flags=re.DOTALL)
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
    assert r"\sum_{j=1}^{D} \frac{\partial \ell}{\partial \hat{x}_{n,j}} \hat{x}_{n,j}" in rows_written
    assert r"\sum_{d=1}" not in rows_written
    assert "where $j$ takes the values of $d$" in REPORTS["rows"]


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


@every
def test_symbols_differ(name):
    symbols = WRITERS[name].notation.symbols
    assert len(set(symbols.values())) == len(symbols)


def test_one_symbol_is_one_quantity():
    symbols = WRITERS["odd"].notation.symbols
    assert len(set(symbols.values())) == len(symbols)
    assert symbols["mean"].base == r"\mathrm{mean}"
    assert symbols["mu"].base == r"\mathrm{mu}"


def test_an_output_that_others_use_has_a_total_derivative():
    assert r"\frac{\mathrm{d} \ell}{\mathrm{d} \text{out y} _{r,c}} = \frac{\partial \ell}" in REPORTS["odd"]
    assert "It is an output as well" in REPORTS["odd"]


TOGETHER = ("batch_renorm", "held")
SCRIPT = "import tests.test_report as t; print(t.told_together())"


def told_together():
    return hashlib.sha256("".join(REPORTS[name] for name in TOGETHER).encode()).hexdigest()


def test_the_report_does_not_depend_on_the_hash_seed():
    """Three seeds: two that are set, and the one that this process has."""
    seeds = [{**os.environ, "PYTHONHASHSEED": seed} for seed in ("0", "4242")]
    runs = [subprocess.Popen([sys.executable, "-c", SCRIPT], env=e, cwd=ROOT, stdout=subprocess.PIPE) for e in seeds]
    assert [run.communicate()[0].decode().strip() for run in runs] == [told_together()] * 2
