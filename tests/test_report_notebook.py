"""The report as a notebook: it runs from top to bottom, and stops where a step is wrong."""

import json
from dataclasses import replace

import pytest

import bnsym
from bnsym.model import Term
from bnsym.report.notebook import notebook
from tests.report_cases import DERIVED, REPORTS, STORIES, TOLD


def cells(name, kind):
    told = notebook(STORIES[name], DERIVED[name].definition)
    read = json.loads(told)
    assert (read["nbformat"], read["nbformat_minor"]) == (4, 4)
    keys = {"markdown": {"cell_type", "metadata", "source"}}
    keys["code"] = {*keys["markdown"], "execution_count", "outputs"}
    assert all(set(c) == keys[c["cell_type"]] for c in read["cells"])
    return ["".join(c["source"]) for c in read["cells"] if c["cell_type"] == kind]


@pytest.mark.parametrize("name", ["batch_norm", "rms_norm", "relu"])
def test_it_runs_from_top_to_bottom(name, capsys):
    names = {}
    for cell in cells(name, "code"):
        exec(compile(cell, f"{name}.ipynb", "exec"), names)
    said = capsys.readouterr().out
    assert said.count("residual 0: SymPy's total derivative, symbolic sizes") == len(DERIVED[name].steps)
    assert said.endswith("proofs, each with residual 0\n")


@pytest.mark.parametrize("name", ["batch_norm", "odd"])
def test_it_says_what_the_other_formats_say(name):
    assert "\n\n".join(cells(name, "markdown")).strip() == REPORTS[name].strip()


@pytest.mark.parametrize("name", [*TOLD[:8], "batch_norm_add_relu", "softmax_cross_entropy", "odd", "held"])
def test_every_step_holds_by_itself(name):
    for step in DERIVED[name].steps:
        assert all(p.holds for p in bnsym.prove_step(DERIVED[name], step))


def test_a_wrong_step_is_refused():
    derivation = DERIVED["batch_norm"]
    wrong = derivation.steps[2]
    first, second = wrong.equation.terms
    bad = replace(wrong.equation, terms=(Term(-first.body, first.axes), second))
    program = derivation.backward.program
    equations = tuple(bad if e == wrong.equation else e for e in program.equations)
    backward = replace(derivation.backward, program=replace(program, equations=equations))
    assert not any(p.holds for p in bnsym.prove_step(replace(derivation, backward=backward), wrong))
