"""What a definition file may say and may not: each refusal is one sentence that points at the line."""

import re

import pytest
import sympy

import bnsym
from bnsym.definitions import NAMES
from bnsym.model import Proof

GOOD = """from bnsym.language import *
i, c = axes("i c")
m = size(i)
x, gamma = data("x", i, c), parameter("gamma", c, absent=1)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", c)
y, z = values("y z", i, c)
EQUATIONS = [
    Eq(mean, Sum(x, i) / m),
    Eq(var, Sum((x - mean) ** 2, i) / m),
    Eq(y, gamma * (x - mean) / sqrt(var + eps)),
]
made = Definition("made", source="a test", layout="channels", equations=EQUATIONS)
"""


def read(tmp_path, text):
    path = tmp_path / "made.py"
    path.write_text(text)
    return bnsym.definition(path)


def refused(tmp_path, text):
    with pytest.raises(bnsym.DefinitionError) as error:
        read(tmp_path, text)
    message = str(error.value)
    assert "\n" not in message
    return message


def with_lines(*lines):
    """The good file with its equations replaced."""
    start, _, end = GOOD.partition("EQUATIONS = [\n")
    return start + "EQUATIONS = [\n" + "".join(f"    {line},\n" for line in lines) + "]\n" + end.partition("]\n")[2]


def test_the_good_file_is_read(tmp_path):
    made = read(tmp_path, GOOD)
    assert [q.name for q in made.program.inputs] == ["x", "gamma", "eps"]
    assert [q.name for q in made.saved] == ["mean", "var"]
    assert [str(s) for e in made.program.equations[:1] for s in e.terms[0].body.free_symbols if s.role == "size"] == [
        "m"
    ]
    assert made.program.equations[1].origin.line == 10


@pytest.mark.parametrize("name", NAMES)
def test_the_projects_own_definitions_are_read_as_a_users_are(name):
    assert bnsym.definition(name).name == name


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        (["Eq(y, x - mean)", "Eq(mean, Sum(x, i) / m)"], 9, "uses mean, which no earlier equation computes"),
        (["Eq(mean, x)"], 9, "x varies along i, and mean does not: sum over i"),
        (["Eq(mean, Sum(x, i) / m)", "Eq(mean, Sum(x, i))"], 10, "mean is computed a second time"),
        (["Eq(gamma, Sum(x, i))"], 9, "gamma is declared as a parameter, an input"),
        (["Eq(y, x + y)"], 9, "uses y itself"),
        (["Eq(y, x - Sum(x, i) * Sum(x, i))"], 9, "stands inside another expression"),
        (["Eq(y, exp(Sum(x, i)))"], 9, "stands inside another expression"),
        (["Eq(y, x - Sum(x, i) / m)"], 9, "name the sum in an equation of its own that does not vary along i"),
        (["Eq(y, x * Sum(x, i))"], 9, "sums over i, which y or another factor varies along too"),
        (["Eq(mean, Max(x, i))"], 9, "Max over an axis has no derivative here"),
        (["Eq(mean, stop_gradient(2 * Max(x, i)))"], 9, "Max over an axis has no derivative here"),
        (["Eq(x - mean, y)"], 9, "the left side of an equation is a declared quantity"),
        (["Eq(y, x + i)"], 9, "i in the equation for y is not a declared quantity"),
        (["Eq(y, x - undefined)"], 9, "NameError: name 'undefined' is not defined"),
        (["Eq(y, x -)"], 9, "invalid syntax"),
        (["Eq(y, x / 0)"], 9, "the equation for y divides by zero"),
        (["Eq(mean, Sum(mean, i))"], 9, "uses mean itself"),
    ],
)
def test_a_wrong_equation_is_refused_at_its_line(tmp_path, lines, line, says):
    message = refused(tmp_path, with_lines(*lines))
    assert f"made.py:{line}:" in message, message
    assert says in message, message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('data("x", i, c)', 'data("not a name", i, c)', "'not a name' cannot name a data: a name is a Python"),
        ('data("x", i, c)', 'data("lambda", i, c)', "a name is a Python identifier"),
        ('data("x", i, c)', 'data("out", i, c)', "the generated functions use that name themselves"),
        ('parameter("gamma", c', 'parameter("x", c', "x is declared twice"),
        ('layout="channels"', 'layout="diagonal"', "layout 'diagonal' is not known; choose from channels"),
        ("equations=EQUATIONS", "equations=[]", "made has no equations"),
        ("equations=EQUATIONS", "equations=EQUATIONS, outputs=[z]", "z is to be returned, but no equation computes it"),
        ('Definition("made"', 'Definition("import"', "a name is a Python identifier"),
        ("made = Definition", "made = lambda: Definition", "needs one Definition, and has 0"),
        ("made = ", "another = Definition('another', source='', layout='channels', equations=EQUATIONS)\nmade = ",
         "needs one Definition, and has 2"),
        ('axes("i c")', 'axes("i i")', "axis i is declared twice"),
        ('data("x", i, c)', 'data("x", i, i)', "x varies along i twice"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_refused(tmp_path, old, new, says):
    assert old in GOOD
    assert says in refused(tmp_path, GOOD.replace(old, new))


def test_a_name_that_is_none_lists_those_there_are():
    with pytest.raises(bnsym.DefinitionError, match="'batchnorm' is no definition: give one of batch_norm, dense"):
        bnsym.definition("batchnorm")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(bnsym.DefinitionError, match=r"there is no definition file .*none\.py"):
        bnsym.definition(tmp_path / "none.py")


@pytest.mark.parametrize("residual", ["undecided", "1/2 dy[i]"])
def test_what_is_not_proved_is_not_emitted(monkeypatch, residual):
    """One claim that fails, or that the normal form cannot decide, and there is no file."""
    unproved = Proof("dx is the derivative", "normal form", False, residual, 0.0)
    monkeypatch.setattr("bnsym.calculus.proofs.prove", lambda derivation: (unproved,))
    with pytest.raises(
        bnsym.ProofError, match=f"^sigmoid: not proved that dx is the derivative.*{re.escape(residual)}"
    ):
        bnsym.generate(bnsym.derive(bnsym.definition("sigmoid")), "numpy")


def test_an_unknown_backend():
    with pytest.raises(ValueError, match="backend 'fortran' is not known; choose from numpy"):
        bnsym.generate(bnsym.derive(bnsym.definition("sigmoid")), "fortran")


def test_load_gives_a_module_from_the_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BNSYM_CACHE_DIR", str(tmp_path))
    module = bnsym.load("sigmoid")
    assert module.__file__.startswith(str(tmp_path))
    assert module.__name__ == "bnsym.loaded.numpy.sigmoid"
    assert {"forward", "backward", "Saved"} <= set(module.__all__)
    assert bnsym.load("sigmoid").__file__ == module.__file__


@pytest.mark.parametrize("written", ["abs(x - mean)", "sqrt((x - mean) ** 2)", "Max(x - mean, mean - x)"])
def test_an_absolute_value_is_one_however_it_is_written(tmp_path, written):
    """SymPy's own Abs has a Dirac delta for its second derivative; it never gets in."""
    made = read(tmp_path, with_lines("Eq(mean, Sum(x, i) / m)", f"Eq(y, {written})"))
    names = {type(f).__name__ for f in made.program.equations[1].right.atoms(sympy.Function)}
    assert names == ({"Abs"} if "Max" not in written else {"maximum"})
    assert not made.program.equations[1].right.has(sympy.Abs, sympy.Max)


def test_a_logarithm_of_a_sum_is_lowered(tmp_path):
    text = with_lines("Eq(mean, Sum(log(1 + x**2), i) / m)", "Eq(y, x / (1 + mean))")
    assert all(p.holds for p in bnsym.prove(bnsym.derive(read(tmp_path, text))))
