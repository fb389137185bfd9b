"""The README's own words: its definition files run as printed, and the commands that it names exist."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from bnsym import cli
from tests.test_own_norms import Norm, check_derivatives

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
EXAMPLES = ("l1_batch_norm.py", "power_norm.py")
COMMANDS = typer.main.get_command(cli.app).commands
ALONE = ("regenerate-kernels", "derivation-report")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def example(name):
    """The definition file that a code block holds whole, by its first line."""
    found = [block for block in blocks("python") if block.startswith(f"# {name}\n")]
    assert len(found) == 1, f"README.md needs one python block that starts with `# {name}`, and has {len(found)}"
    return found[0]


def commands():
    """Every command line that the README prints, in a block or between backticks."""
    lines = [line for language in ("sh", "bash") for block in blocks(language) for line in block.splitlines()]
    parts = [part for line in lines for part in line.split("&&")] + re.findall(r"`([^`\n]+)`", README)
    words = [part.split("#")[0].split() for part in parts]
    return [w for w in words if w and w[0] in (*ALONE, "bnsym")]


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """A folder with the examples, and with what the README's own command makes of them."""
    folder = tmp_path_factory.mktemp("readme")
    for name in EXAMPLES:
        (folder / name).write_text(example(name), encoding="utf-8")
    printed = [w for w in commands() if w[0] == "regenerate-kernels" and set(w) & set(EXAMPLES)]
    assert {n for w in printed for n in w} >= set(EXAMPLES), "README.md prints no command that regenerates them"
    for words in printed:
        subprocess.run([BIN / words[0], *words[1:]], cwd=folder, check=True, capture_output=True)
    return folder


def test_the_kernels_are_used_as_printed():
    (used,) = [block for block in blocks("python") if "from bnsym.generated.numpy import" in block]
    found = {}
    exec(compile(used, "README.md", "exec"), found)
    np.testing.assert_allclose(found["scale"] * found["x"] + found["shift"], found["y"], rtol=1e-12, atol=1e-12)
    assert {found[name].shape for name in ("dx", "ty", "g_dy", "g_x")} == {found["x"].shape}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_under_twenty_lines(name):
    assert len(example(name).splitlines()) < 20


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_right_gradients(name, generated):
    """Gradients, tangents and the double backward of the very file that the command wrote."""
    (path,) = (p for p in generated.rglob(name) if p.parent.name == "numpy")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    kernels = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kernels)
    check_derivatives(Norm(generated / name, kernels))


def test_a_backward_is_checked_as_printed(tmp_path):
    """What the README's homework is told, word for word."""
    (tmp_path / "homework.py").write_text(example("homework.py"), encoding="utf-8")
    (shown,) = [block for block in blocks("console") if "check-backward" in block]
    command, _, said = shown.partition("\n")
    words = command.removeprefix("$ ").split()
    run = subprocess.run([BIN / words[0], *words[1:]], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (1, said, "")


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_each_command_exists(words):
    """A command, or `bnsym` with one of its own, takes each option that the README gives it."""
    name = words[0] if words[0] in ALONE else (words[1:] or [""])[0]
    if name:
        assert name in COMMANDS, words
        taken = {o for p in COMMANDS[name].params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        asked = {o for w in words for o in re.findall(r"--[a-z][\w-]*", w)}
        assert asked <= taken, words
