"""From a name or a file to a module: what is undecided, missing or unproved is said, and nothing is emitted."""

import re

import pytest
import sympy
from typer.testing import CliRunner

import bnsym
from bnsym.cli import app
from bnsym.definitions import NAMES
from bnsym.model import Proof
from tests.test_definitions import read, with_lines

UNDECIDED = with_lines(
    "Eq(mean, Sum(sqrt(x**2 + 1), i) / m)",
    "Eq(var, Sum(sqrt(x**2 + mean), i) / m)",
    "Eq(y, gamma * x / sqrt(var + eps))",
)


def test_what_the_normal_form_cannot_decide_is_undecided(tmp_path, monkeypatch):
    """A root under a sum under a root: no answer is a refusal, and nothing is written anywhere."""
    monkeypatch.setenv("BNSYM_CACHE_DIR", str(tmp_path / "cache"))
    made = read(tmp_path, UNDECIDED)
    assert "undecided" in {p.residual for p in bnsym.prove(bnsym.derive(made)) if not p.holds}
    with pytest.raises(bnsym.ProofError, match=r"^made: not proved that .*: residual undecided$"):
        bnsym.load(tmp_path / "made.py")
    assert not (tmp_path / "cache").exists()


def test_the_commands_say_undecided_and_write_nothing(tmp_path):
    read(tmp_path, UNDECIDED)
    result = CliRunner().invoke(app, ["regenerate-kernels", str(tmp_path / "made.py"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "residual undecided" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
    result = CliRunner().invoke(app, ["prove", "--quiet", str(tmp_path / "made.py")])
    assert result.exit_code == 1
    assert "residual undecided" in result.output


def test_a_name_that_is_none_lists_those_there_are():
    with pytest.raises(bnsym.DefinitionError, match=f"'batchnorm' is no definition: give one of {', '.join(NAMES)}"):
        bnsym.definition("batchnorm")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(bnsym.DefinitionError, match=r"there is no definition file .*none\.py"):
        bnsym.definition(tmp_path / "none.py")


@pytest.mark.parametrize("residual", ["undecided", "1/2 dy[i]"])
def test_what_is_not_proved_is_not_emitted(monkeypatch, residual):
    """One claim that fails, or that the normal form cannot decide, and there is no file."""
    unproved = Proof("dx is the derivative", "normal form", False, residual, 0.0)
    monkeypatch.setattr("bnsym.proofs.prove", lambda derivation: (unproved,))
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
