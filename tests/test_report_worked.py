"""The worked example: every row, read back, is right; the numbers are exact, and the printed kernels agree."""

import importlib
import math
import re
from fractions import Fraction

import numpy as np
import pytest

from bnsym.calculus.fractions import FRACTIONS, InexactError, root
from bnsym.report.pencil import example
from tests.latex_reader import read
from tests.report_cases import DERIVED, REPORTS

WORKED = (
    "batch_norm", "masked_batch_norm", "batch_renorm", "rms_norm", "group_norm", "batch_norm_relu", "add_layer_norm",
    "dense", "relu",
)  # fmt: skip


def section(name):
    return REPORTS[name].split("## With numbers")[1].split("\n## ")[0].replace(" _", "_")


@pytest.mark.parametrize("name", WORKED)
def test_every_row_is_right(name):
    rows = re.findall(r"^\| (?:\(\d+\))? *\| \$(.*)\$ \|$", section(name), re.M)
    whole = [[read(side, {}, 0)({}) for side in row.split(" = ")[1:]] for row in rows]
    assert len(whole) > 5
    assert all(math.isclose(sides[0], sides[-1], rel_tol=1e-12, abs_tol=1e-12) for sides in whole)


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm", "masked_batch_norm"])
def test_the_printed_kernel_gives_the_same(name):
    values = example(DERIVED[name], signed=name == "rms_norm")
    by_name = {q.name: np.asarray(v, float) for q, v in values.items()}
    kernel, program = importlib.import_module(f"bnsym.generated.numpy.{name}"), DERIVED[name].forward
    given = {q.name: by_name[q.name] for q in program.inputs if q.role != "constant"}
    y, saved = kernel.forward(**given, eps=float(by_name["eps"]))
    taken = {n: a for n, a in given.items() if n != "beta"}
    found = kernel.backward(dy=by_name["dy"], **taken, saved=saved)
    names = [f"d{q.name}" for q in program.inputs if q.role in ("data", "parameter")]
    for name, result in zip(["y", *names], [y, *found], strict=True):
        np.testing.assert_allclose(result, by_name[name], rtol=1e-12, atol=1e-14)


def test_batch_norm_can_be_followed_with_a_pencil():
    told = section("batch_norm")
    assert r"\mu = \frac{1}{3} \left(1 + 6 + 8\right) = 5" in told
    assert all(len(str(v)) <= 4 for a in example(DERIVED["batch_norm"], signed=False).values() for v in a.flat)


def test_why_there_is_none():
    assert "There is no example in exact fractions: `exp` and `log` turn fractions" in section("softmax_cross_entropy")
    assert "The report of `batch_norm` has one" in section("batch_norm_gelu")


def test_what_is_no_fraction_is_refused():
    assert root(Fraction(4, 9), 2) == Fraction(2, 3)
    with pytest.raises(InexactError, match="the root of 2 is no fraction"):
        root(Fraction(2), 2)
    with pytest.raises(InexactError, match="1 over 0"):
        FRACTIONS.power(Fraction(0), -1)
    with pytest.raises(InexactError):
        example(DERIVED["sigmoid"], signed=True)
