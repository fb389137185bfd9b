"""`bnsym check-backward`: right backwards are called right, mistakes by their names and no others; nothing hangs."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bnsym import cli
from bnsym.calculus.derive import derive
from bnsym.calculus.elements import evaluate
from bnsym.checker.check import check_backward
from bnsym.checker.edits import edits
from bnsym.checker.probes import probes
from bnsym.checker.written import written_out
from bnsym.definitions import NAMES, definition
from tests.backward_mistakes import MISTAKES
from tests.backward_mistakes.texts import CLOSED, GRAPH, LAYER, RMS, STAGED

ROOT = Path(__file__).parents[1]
FORWARD = {GRAPH}
NORMS = {LAYER: "layer_norm", RMS: "rms_norm"}
FLOAT32 = "\nown = {}\ndef in_float32(*given):\n    return [np.asarray(g, np.float32) for g in given]\n"
"""A right text that a function computes in float32."""


def changed(name):
    """A mistake's right text, the wrong one, and the lines that are to name it."""
    base, old, new, lines = MISTAKES[name]
    assert base.count(old) == 1, f"{name}: what is replaced stands there {base.count(old)} times"
    return base, base.replace(old, new), lines


def single(text):
    """The same backward in float32."""
    head = "    {0} = (np.asarray(a, np.float32) for a in ({0}))\n"
    return re.sub(
        r"def backward\(([^)]*)\):\n",
        lambda f: f[0] + head.format(re.sub(r"=[^,]*", "", f[1])) if "cache" not in f[1] else f[0],
        text,
    )


def lines_of(folder, base, text):
    """What is said of a text, but for what is right in it and for what cannot be seen."""
    path = folder / "own.py"
    path.write_text(text)
    forward = (str(path), "forward") if base in FORWARD else None
    report = check_backward((str(path), "backward"), NORMS.get(base, "batch_norm"), forward, None, 30)
    said = [line for line in report.lines if not line.endswith(": right") and not line.startswith("not seen")]
    assert report.right == (len(said) == 1 and said[0].startswith("right: "))
    return said


def is_named(lines):
    return not any("has no name here" in line for line in lines)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(name, tmp_path):
    base, text, lines = changed(name)
    said = lines_of(tmp_path, base, text)
    assert said == lines if lines is not None else not is_named(said)


@pytest.mark.parametrize("name", [n for n in MISTAKES if n.startswith(("dvar", "m ", "eps", "dgamma", "the mean"))])
def test_a_mistake_in_float32_is_named_or_not_but_never_otherwise(name, tmp_path):
    base, text, lines = changed(name)
    said = lines_of(tmp_path, base, single(text))
    assert not is_named(said) or said == lines


def test_there_are_many_mistakes():
    named = [lines for *_, lines in MISTAKES.values() if lines is not None]
    assert len(MISTAKES) >= 40
    assert len(named) >= 36


def test_a_wrong_name_is_noticed(tmp_path, monkeypatch):
    """The tests above can fail: where terms are called by each other's name, they do."""
    from bnsym.checker import naming

    right = naming.term_text
    monkeypatch.setattr(naming, "term_text", lambda w, term: right(w, w.terms[w.gradients[0]][0]))
    base, text, lines = changed("dmean's first term is left out")
    assert lines_of(tmp_path, base, text) != lines


@pytest.mark.parametrize("base", [STAGED, CLOSED, GRAPH, LAYER, RMS], ids=["staged", "closed", "graph", "layer", "rms"])
@pytest.mark.parametrize("kind", [str, single], ids=["float64", "float32"])
def test_what_is_right_is_called_right(base, kind, tmp_path):
    (line,) = lines_of(tmp_path, base, kind(base))
    assert line.startswith("right: dx, dgamma")


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm", "group_norm", "instance_norm"])
def test_the_generated_backward_is_right(name):
    path = str(ROOT / "generated" / "numpy" / f"{name}.py")
    report = check_backward((path, "backward"), name, (path, "forward"), None, 30)
    assert report.right, report.lines


def norms():
    return [n for n in NAMES if definition(n).layout in ("channels", "trailing", "groups", "instance")]


@pytest.mark.parametrize("name", norms())
def test_the_backward_written_out_is_the_derived_one(name):
    """And each edit of it is another program on the probes, else it could not be told from what is right."""
    w = written_out(derive(definition(name)))
    tried = [{q: p.values[q] for q in w.program.inputs} for p in probes(w)]
    right = [evaluate(w.chain.program, values) for values in tried]
    for values, expected in zip(tried, right, strict=True):
        found = evaluate(w.program, values)
        for q in w.gradients:
            np.testing.assert_allclose(found[q], expected[q], rtol=0, atol=1e-12 * np.abs(expected[q]).max())
    for edit in edits(w):
        wrong = (evaluate(edit.program, values) for values in tried)
        pairs = ((r[q], f[q]) for r, f in zip(right, wrong, strict=True) for q in w.gradients)
        assert any(np.abs(a - b).max() > 1e-5 * np.abs(a).max() for a, b in pairs), edit.words


BODY = "import numpy as np\nimport os, sys, time\ndef backward(dy, x, gamma, eps=1e-5):\n    "
FAULTS = {
    "raises": ("raise KeyError('no')", "it raises KeyError in line 4: 'no', where x has the shape (5, 4)"),
    "exits": ("sys.exit(3)", "it raises SystemExit in line 4: 3, where x has the shape (5, 4)"),
    "ends the process": ("os._exit(7)", "backward: it ends the process that it runs in, with status 7"),
    "hangs": ("time.sleep(60)", "backward: it does not return within 1 s"),
    "returns one": ("return x", "it returns 1 result where 3 are needed: dx, dgamma, dbeta"),
    "returns none": ("pass", "it returns 1 result where 3 are needed: dx, dgamma, dbeta"),
    "returns words": ("return 'a', 'b', 'c'", "dx is str where an array is needed"),
    "returns lists that are no array": ("return [[1], [1, 2]], gamma, gamma", "dx is list where an array is needed"),
    "returns NaN": (
        "return x * np.nan, gamma, gamma",
        "dx has 20 of 20 entries that are NaN or infinite, for x of the shape (5, 4)",
    ),
    "returns a shape": (
        "return x, gamma[:2], gamma",
        "dgamma has the shape (2,) where (4,) is needed, for x of the shape (5, 4)",
    ),
}


def run(*arguments):
    return CliRunner().invoke(cli.app, ["check-backward", *map(str, arguments)])


@pytest.mark.parametrize("name", FAULTS)
def test_a_function_that_does_not_answer(name, tmp_path):
    body, line = FAULTS[name]
    path = tmp_path / "own.py"
    path.write_text(BODY + body)
    start = time.perf_counter()
    result = run(f"{path}:backward", "--timeout", 1 if name == "hangs" else 30)
    assert result.exit_code == 1, result.output
    assert line in result.stdout.splitlines()
    assert time.perf_counter() - start < 25


def test_inputs_that_are_changed(tmp_path):
    """The gradients are right, and it is wrong all the same."""
    path = tmp_path / "own.py"
    path.write_text(STAGED.replace("    return dx", "    dy *= 2\n    x[0] = 0\n    return dx"))
    result = run(f"{path}:backward")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "it changes its inputs dy and x"


def test_a_forward_that_is_wrong(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(GRAPH.replace("gamma * xhat + beta", "xhat + beta"))
    result = run(f"{path}:backward", "--forward", f"{path}:forward")
    assert result.exit_code == 1
    assert result.stdout.startswith("the forward gives another y, by up to ")


def test_what_it_prints_does_not_matter(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(STAGED.replace("    m =", "    print('here')\n    m ="))
    result = run(f"{path}:backward")
    assert result.exit_code == 0
    assert result.stdout.startswith("right: dx, dgamma, dbeta are the derived ones, to ")
    assert "what comes back to dmean through var is 0 whatever the data are" in result.stdout


def test_arguments_by_keyword_and_by_word(tmp_path):
    path = tmp_path / "own.py"
    heads = (
        "(q, u, w, *, epsilon)",
        "(u, w, q, epsilon=1e-5)",
        "(grad, inputs, weight, **rest)",
        "(DY, X, Gamma, Eps_)",
    )
    words = (("--args", "q=dy,u=x,w=gamma"), ("--args", "x,gamma,dy"), (), ())
    for head, said in zip(heads, words, strict=True):
        names = re.findall(r"\w+", re.sub(r"=[^,)]*", "", head.replace("*", "")))[:4]
        order = names if not head.startswith("(u") else [names[2], *names[:2], names[3]]
        eps = order[3] if "rest" not in head else "1e-5"
        text = STAGED.replace(
            "def backward(dy, x, gamma, eps):",
            f"def backward{head}:\n    dy, x, gamma, eps = {', '.join([*order[:3], eps])}",
        )
        path.write_text(text)
        result = run(f"{path}:backward", *said)
        assert result.exit_code == 0, (head, result.output)


def test_statistics_as_arguments(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "def backward(dout, gamma, x_norm, ivar, m):\n"
        "    dgamma, dbeta = (dout * x_norm).sum(0), dout.sum(0)\n"
        "    return gamma * ivar * (dout - dbeta / m - x_norm * dgamma / m), dgamma, dbeta\n"
    )
    assert run(f"{path}:backward").exit_code == 0


def test_a_users_own_norm(tmp_path):
    """A definition that nobody foresaw has terms as well."""
    norm, path = tmp_path / "l4.py", tmp_path / "own.py"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = [
        b for b in re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE) if "power_norm.py" in b[:20]
    ]
    norm.write_text(block)
    path.write_text(
        "def backward(dy, x, gamma, eps):\n"
        "    m, c = len(x), x - x.mean(0)\n"
        "    r = ((c**4).mean(0) + eps) ** -0.25\n"
        "    u = dy * gamma\n"
        "    s = (u * c).sum(0) * r**5 / m\n"
        "    return u * r - u.mean(0) * r - s * c**3 + s * (c**3).mean(0), (dy * c * r).sum(0), dy.sum(0)\n"
    )
    right = run(f"{path}:backward", "--norm", norm)
    path.write_text(path.read_text().replace("- u.mean(0) * r ", ""))
    wrong = run(f"{path}:backward", "--norm", norm)
    assert (right.exit_code, wrong.exit_code) == (0, 1), right.output + wrong.output
    assert re.search(r"^dx: the term gamma \S+ mean\(dy\) is missing$", wrong.stdout, re.MULTILINE), wrong.stdout


WRONG_USE = {
    "no colon": (("{path}",), "is no function of a file: give FILE.py:FUNCTION"),
    "no file": (("{path}x.py:backward",), "there is no file "),
    "no function": (("{path}:backwards",), "has no function backwards; it has backward"),
    "no norm": (("{path}:backward", "--norm", "bn"), "'bn' is no definition: give one of batch_norm"),
    "a layer that is no norm": (("{path}:backward", "--norm", "dense"), "dense is no norm that check-backward knows"),
    "an argument that nobody knows": (
        ("{path}:odd",),
        "what its argument 'zeta' is cannot be told: say so with --args",
    ),
    "a cache without a forward": (("{path}:cached",), "a cache comes from --forward FILE.py:FUNCTION"),
    "args that nobody knows": (
        ("{path}:odd", "--args", "dy,zeta"),
        "--args names 'zeta', which is none of dy, x, gamma",
    ),
    "args for another function": (("{path}:odd", "--args", "z=dy"), "--args names the argument 'z'"),
    "too many args": (("{path}:odd", "--args", "dy,x,gamma"), "--args has 3 names, and the function 2 arguments"),
    "a forward that returns no cache": (
        ("{path}:cached", "--forward", "{path}:bare"),
        "the forward must return (y, cache)",
    ),
    "a file that is no Python": (("{path}.txt:backward",), "cannot be loaded (SyntaxError in line 1"),
}


@pytest.mark.parametrize("name", WRONG_USE)
def test_wrong_use(name, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        STAGED + "\ndef odd(dy, zeta):\n    pass\n\ndef cached(dy, cache):\n    pass\n\ndef bare(x):\n    return x\n"
    )
    Path(f"{path}.txt").write_text("def def\n")
    arguments, says = WRONG_USE[name]
    result = run(*(a.format(path=path) for a in arguments))
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert says in line


def test_the_command_is_quick(tmp_path):
    """Under three seconds on an idle machine; here, beside other tests, a hang is told from that."""
    path = tmp_path / "own.py"
    path.write_text(changed("the mean over everything")[1])
    command = [Path(sys.executable).parent / "bnsym", "check-backward", f"{path}:backward"]
    start = time.perf_counter()
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
    assert time.perf_counter() - start < 15
