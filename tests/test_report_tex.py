"""The report as LaTeX: it compiles with article, amsmath and amssymb alone, and nothing leaves the page."""

import re
import shutil
import subprocess

import pytest

from bnsym.report.blocks import Table
from bnsym.report.sentences import Math, sentence
from bnsym.report.tex import latex, shares, tex
from tests.report_cases import STORIES, Asked, every

TEX = Asked(lambda name: latex(STORIES[name]))
MARGIN = 64
"""Points between the text and the edge of the paper: what is wider than a line ends well before that."""
compiled = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX here")


@every
def test_it_needs_no_other_packages(name):
    assert re.findall(r"\\usepackage(?:\[.*?\])?\{(.*?)\}", TEX[name]) == ["amsmath,amssymb"]
    assert r"\documentclass[11pt,a4paper]{article}" in TEX[name]
    assert TEX[name].isascii() or name == "odd"
    assert all(TEX[name].count(rf"\begin{{{e}}}") == TEX[name].count(rf"\end{{{e}}}") for e in ("tabular", "verbatim"))


@compiled
@pytest.mark.parametrize("name", ["batch_norm", "batch_norm_gelu_tanh", "rows", "softmax_cross_entropy"])
def test_it_compiles(name, tmp_path):
    (tmp_path / "report.tex").write_text(TEX[name], encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    run = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "report.pdf").stat().st_size > 50_000
    over = [float(w) for w in re.findall(r"Overfull \\hbox \((.*?)pt too wide\)", run.stdout)]
    assert max(over, default=0) < MARGIN / 2


@compiled
def test_a_wrong_formula_does_not_compile(tmp_path):
    (tmp_path / "report.tex").write_text(TEX["relu"].replace(r"\frac{", r"\frac{{", 1), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0


def test_words_are_no_mark_up():
    assert tex("a_b 50% {x} \\ ~ σ 中") == r"a\_b 50\% \{x\} \textbackslash{} \textasciitilde{} $\sigma$ [U+4E2D]"


def test_a_column_gets_room_for_its_longest_cell():
    table = Table(("by", "what"), ((sentence("(1)"), sentence(Math(r"\frac{a}{b} = " + "x + " * 20))),))
    narrow, broad = shares(table)
    assert narrow < 0.2 < 0.8 < broad
    assert abs(narrow + broad - 1) < 0.01
