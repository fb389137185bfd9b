"""The sheet for students: what is chosen is nowhere to be read, and the answers are all there."""

import re

import pytest

from bnsym.report.formats import FORMATS
from bnsym.report.markdown import markdown
from bnsym.report.sheet import sheet
from tests.report_cases import DERIVED, KERNELS, WRITERS


def right_sides(name, chosen):
    printer = WRITERS[name].latex
    steps = [s.equation for s in DERIVED[name].steps if s.equation.left.name in chosen]
    return [printer.equation(e).replace("_", " _").split(" = ", 1)[1] for e in steps]


@pytest.mark.parametrize(
    ("name", "chosen"),
    [("batch_norm", ("dvar", "dmean", "dx")), ("layer_norm", ("dx",)), ("rms_norm", ("dx_hat", "dmean_square", "dx"))],
)
def test_chosen_right_sides_are_left_open_and_answered(name, chosen):
    questions, answers = (markdown(s).replace("  _", " _") for s in sheet(DERIVED[name], KERNELS[name], chosen))
    for right in right_sides(name, chosen):
        assert f" = {right} \\tag" in answers
        assert f" = {right} \\tag" not in questions
    assert questions.count(r"\ldots\ldots\ldots") == len(chosen)
    assert "…" not in answers
    number = re.search(r"\\ldots \\tag\{(\d+)\}", questions)[1]
    open_rows = questions.split("Backward, step by step")[1].split(f"| ({number}) |")[1].splitlines()[0]
    assert open_rows.endswith("=$…………… |")
    assert "What `backward` computes" not in questions + answers


def test_what_is_not_chosen_stands():
    questions, answers = (markdown(s) for s in sheet(DERIVED["batch_norm"], KERNELS["batch_norm"], ()))
    assert questions.replace("to be filled in", "answers") == answers


def test_what_follows_from_an_answer_is_not_said():
    said = "What comes back through (2) adds up to 0"
    questions, answers = (markdown(s) for s in sheet(DERIVED["batch_norm"], KERNELS["batch_norm"], ("dmean",)))
    assert said in answers
    assert said not in questions


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_room_to_write(form):
    told = [FORMATS[form](s, DERIVED["relu"].definition) for s in sheet(DERIVED["relu"], KERNELS["relu"], ("dx",))]
    room = {"md": "……", "ipynb": "……", "html": 'class="blank"', "tex": r"\underline{\hspace"}[form]
    assert told[0].count(room) > told[1].count(room) == 0
