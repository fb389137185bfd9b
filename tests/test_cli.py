"""The commands: exit statuses, sentences, and that nothing is half written."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bnsym import cli, write
from bnsym.definitions import NAMES, definition
from bnsym.model import Proof
from tests.definitions import written

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def run(*arguments):
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


def check_error(result, status, *says):
    """An error: its status, one line, no traceback."""
    assert result.exit_code == status, result.output
    text = result.stderr.strip()
    assert len(text.splitlines()) == 1, text
    assert "Traceback" not in text
    for part in says:
        assert part in text


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


FEW = ("batch_norm", "dense", "sigmoid")
"""Enough to tell what a command does with several; that the rest are fresh is one test's business."""


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A few definitions, regenerated into an empty folder."""
    folder = tmp_path_factory.mktemp("out")
    assert run("regenerate-kernels", *FEW, "--out", folder).exit_code == 0
    return folder


def files(name):
    """What a definition of the project's own gives: a module in each backend, the source of kernels, and a report."""
    has_kernels = definition(name).layout != "arrays" or name in ("dense", "linear")  # matrix products
    kernels = [f"cupy/{name}.cu"] if has_kernels else []
    return [f"numpy/{name}.py", f"numba/{name}.py", f"cupy/{name}.py", *kernels, f"report/{name}.md"]


@pytest.fixture
def few(monkeypatch):
    """A registry of a few definitions."""
    monkeypatch.setattr("bnsym.definitions.NAMES", FEW)
    monkeypatch.setattr("bnsym.regenerate.NAMES", FEW)


def test_the_committed_files_are_fresh():
    result = run("regenerate-kernels", "--check", "--out", ROOT / "generated")
    assert result.exit_code == 0, result.output
    assert result.output.count(": fresh") == sum(map(len, map(files, NAMES)))


def test_regenerating_gives_the_committed_bytes(out):
    for path, content in tree(out).items():
        assert (ROOT / "generated" / path).read_bytes() == content, path
    assert {str(path) for path in tree(out)} == {file for name in FEW for file in files(name)}


@pytest.mark.parametrize("seed", ["1", "77"])
def test_the_same_bytes_under_every_hash_seed(out, tmp_path, seed):
    environment = os.environ | {"PYTHONHASHSEED": seed}
    command = [BIN / "regenerate-kernels", *FEW, "--out", tmp_path]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert tree(tmp_path) == tree(out)


def test_a_stale_file_an_edited_file_and_a_missing_file_are_told_apart(out, few, tmp_path):
    folder = tmp_path / "copy"
    for path, content in tree(out).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    kernel = folder / "numpy" / "batch_norm.py"
    kernel.write_text(kernel.read_text().replace("/ m", "/ (m - 1)", 1))
    (folder / "numpy" / "dense.py").write_text((folder / "numpy" / "sigmoid.py").read_text())
    (folder / "numpy" / "sigmoid.py").unlink()
    before = tree(folder)
    result = run("regenerate-kernels", "--check", "--out", folder)
    assert result.exit_code == 1
    assert "batch_norm.py: edited by hand" in result.output
    assert "dense.py: stale" in result.output
    assert "sigmoid.py: missing" in result.output
    assert tree(folder) == before
    shown = run("regenerate-kernels", "batch_norm", "--diff", "--out", folder)
    assert "/ (m - 1)" in shown.output
    assert tree(folder) == before
    assert run("regenerate-kernels", "--out", folder).exit_code == 0
    assert tree(folder) == tree(out)


def test_a_file_that_no_definition_gives_any_more(out, few, tmp_path):
    for path, content in tree(out).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "numpy" / "old_norm.py").write_bytes((tmp_path / "numpy" / "dense.py").read_bytes())
    (tmp_path / "numpy" / "own.py").write_text("# somebody's own\n")
    result = run("regenerate-kernels", "--check", "--out", tmp_path)
    assert result.exit_code == 1
    assert "old_norm.py: no definition gives this file" in result.output
    assert "own.py" not in result.output


def test_json_tells_what_was_done(tmp_path):
    found = json.loads(run("regenerate-kernels", "sigmoid", "--json", "--out", tmp_path).stdout)
    assert [f["was"] for f in found["files"]] == ["missing"] * len(files("sigmoid"))
    assert all(c["residual"] == "0" for d in found["definitions"] for c in d["claims"])
    assert (
        json.loads(run("regenerate-kernels", "sigmoid", "--json", "--out", tmp_path).stdout)["files"][0]["was"]
        == "fresh"
    )


def test_a_users_own_norm(tmp_path):
    result = run("regenerate-kernels", written(tmp_path, "three_sums"), "--out", tmp_path / "kernels")
    assert result.exit_code == 0, result.output
    made = ("cupy/three_sums.cu", "cupy/three_sums.py", "numba/three_sums.py", "numpy/three_sums.py")
    assert list(tree(tmp_path / "kernels")) == [Path(file) for file in made]


def test_wrong_use_is_one_sentence_and_changes_nothing(tmp_path):
    broken, undefined = tmp_path / "broken.py", tmp_path / "undefined.py"
    broken.write_text("from bnsym.language import *\nEq(x, \n")
    undefined.write_text("from bnsym.language import *\ni = axes('i')\nx = data('x', i)\nEq(x, y)\n")
    target = tmp_path / "out"
    check_error(run("regenerate-kernels", "nonesuch", "--out", target), 2, "'nonesuch' is no definition", "batch_norm")
    check_error(run("regenerate-kernels", broken, "--out", target), 2, "broken.py:2")
    check_error(run("regenerate-kernels", undefined, "--out", target), 2, "undefined.py:4", "'y' is not defined")
    check_error(run("regenerate-kernels", "sigmoid", broken, "--out", target), 2, "broken.py:2")
    check_error(run("regenerate-kernels", "sigmoid", "--backend", "cobol", "--out", target), 2, "'cobol'", "numpy")
    assert not target.exists()


def test_an_output_directory_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file, no directory")
    check_error(run("regenerate-kernels", "sigmoid", "--out", blocked), 2, "cannot write to", str(blocked))
    assert blocked.read_text() == "a file, no directory"


def test_a_users_own_batch_norm_does_not_replace_the_projects(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text((ROOT / "bnsym" / "definitions" / "sigmoid.py").read_text())
    check_error(run("regenerate-kernels", path), 2, "sigmoid is a definition of the project's own", "--out DIR")
    assert run("regenerate-kernels", path, "--out", tmp_path / "out").exit_code == 0


def test_a_file_that_ends_python_is_a_sentence(tmp_path):
    path = tmp_path / "quits.py"
    path.write_text("raise SystemExit(0)\n")
    check_error(run("regenerate-kernels", path, "--out", tmp_path), 2, "quits.py:1", "SystemExit")


def test_nothing_is_written_where_one_folder_cannot_be(tmp_path):
    (tmp_path / "report").write_text("a file where a folder is needed")
    check_error(run("regenerate-kernels", "sigmoid", "--out", tmp_path), 2, "nothing there was changed")
    assert list(tree(tmp_path)) == [Path("report")]


def test_a_defect_is_a_sentence_too(tmp_path, monkeypatch):
    monkeypatch.setattr("bnsym.regenerate.derive", lambda _: 1 / 0)
    check_error(run("regenerate-kernels", "sigmoid", "--out", tmp_path), 1, "a defect of bnsym", "ZeroDivisionError")
    monkeypatch.setenv("BNSYM_DEBUG", "1")
    assert isinstance(run("regenerate-kernels", "sigmoid", "--out", tmp_path).exception, ZeroDivisionError)


def test_a_diff_in_json_can_be_parsed(tmp_path):
    found = json.loads(run("regenerate-kernels", "sigmoid", "--diff", "--json", "--out", tmp_path).stdout)
    assert "+def forward(" in found["diff"]


def test_out_is_required_outside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_error(run("regenerate-kernels", "sigmoid"), 2, "give --out DIR")


def test_nothing_is_written_where_one_claim_fails(tmp_path, monkeypatch):
    unproved = Proof("dx is the derivative", "normal form", False, "dy[i]", 0.0)
    monkeypatch.setattr("bnsym.proofs.prove", lambda d: (unproved,) if d.definition.name == "dense" else ())
    check_error(
        run("regenerate-kernels", "sigmoid", "dense", "--out", tmp_path / "out"), 1, "dense: not proved", "dy[i]"
    )
    assert not (tmp_path / "out").exists()
    result = run("prove", "dense")
    assert result.exit_code == 1
    assert "FAILED" in result.output


def test_prove_prints_a_line_a_claim():
    result = run("prove", "batch_norm")
    assert result.exit_code == 0
    lines = result.output.strip().splitlines()
    assert len(lines) > 80
    assert all(line.startswith("proved") and "residual 0" in line and " ms " in line for line in lines[:-1])
    assert sum("the paper's equation" in line for line in lines) == 6


def test_a_report_goes_to_standard_output_or_to_a_file(tmp_path):
    shown = run("derivation-report", "sigmoid")
    assert shown.exit_code == 0
    assert run("derivation-report", "sigmoid", "--out", tmp_path / "sigmoid.md").exit_code == 0
    assert (tmp_path / "sigmoid.md").read_text() == shown.stdout
    check_error(run("derivation-report", "sigmoid", "--format", "odt"), 2, "'odt'", "md")


def test_a_report_has_the_format_that_its_file_ends_in(tmp_path):
    for ending, start in (("html", "<!DOCTYPE html>"), ("tex", "\\documentclass"), ("ipynb", "{"), ("md", "# ")):
        assert run("derivation-report", "relu", "--out", tmp_path / f"relu.{ending}").exit_code == 0
        assert (tmp_path / f"relu.{ending}").read_text().startswith(start)
    assert run("derivation-report", "relu", "--format", "tex").stdout == (tmp_path / "relu.tex").read_text()


def test_a_sheet_and_its_answers_are_two_files(tmp_path):
    assert run("derivation-report", "relu", "--blanks", "all", "--out", tmp_path / "sheet.md").exit_code == 0
    assert set(tree(tmp_path)) == {Path("sheet.md"), Path("sheet-answers.md")}
    assert "\\ldots" in (tmp_path / "sheet.md").read_text()
    check_error(run("derivation-report", "relu", "--blanks", "all"), 2, "--out")
    wrong = run("derivation-report", "relu", "--blanks", "dgamma", "--out", tmp_path / "sheet.md")
    check_error(wrong, 2, "'dgamma'", "dx")


def test_a_browser_opens_only_where_it_is_asked_for(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert run("derivation-report", "relu", "--out", tmp_path / "relu.html").exit_code == 0
    assert opened == []
    assert run("derivation-report", "relu", "--out", tmp_path / "relu.html", "--open").exit_code == 0
    assert opened == [(tmp_path / "relu.html").as_uri()]
    assert run("derivation-report", "relu", "--open").exit_code == 0
    assert Path(opened[1].removeprefix("file://")).read_text() == (tmp_path / "relu.html").read_text()
    check_error(run("derivation-report", "relu", "--open", "--format", "tex"), 2, "html", "tex")
    assert len(opened) == 2


def test_the_console_scripts_are_the_subcommands(tmp_path):
    for script, sub in (("regenerate-kernels", "regenerate-kernels"), ("derivation-report", "derivation-report")):
        alone = subprocess.run([BIN / script, "--help"], capture_output=True, text=True, check=True).stdout
        assert "NAME" in alone.upper()
        assert subprocess.run([BIN / "bnsym", sub, "--help"], capture_output=True, check=True).returncode == 0
    wrong = subprocess.run([BIN / "regenerate-kernels", "--nonsense"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "kernel.py"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write.replace_file(path, "new")
    assert tree(tmp_path) == {Path("kernel.py"): b"old"}


def test_a_kill_at_any_moment_leaves_each_file_old_or_new(out, tmp_path):
    """Killed while it writes over and over: every file is one of the two versions, whole."""
    script = (
        "import sys; from pathlib import Path; from bnsym.write import replace_file\n"
        "while True:\n  for t in ('a', 'b'): replace_file(Path(sys.argv[1]), t * 4_000_000)"
    )
    path = tmp_path / "kernel.py"
    path.write_text("a" * 4_000_000)
    for pause in (0.25, 0.31, 0.37):
        process = subprocess.Popen([sys.executable, "-c", script, str(path)])
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        text = path.read_text()
        assert len(text) == 4_000_000
        assert text in (text[0] * 4_000_000,)
