"""What the trainer's commands leave and show: a results file, progress, tables, the cost of a step."""

import io
import json
import os
import platform
import re

import numpy as np
import pytest
from rich.console import Console

from bnsym import __version__
from bnsym.train import commands, measure
from bnsym.train.measure import StepCost, cost_table, measure_step
from bnsym.train.options import TrainError, options_for
from bnsym.train.results import Evaluation, Result


def text_of(renderable):
    console = Console(file=io.StringIO(), width=200)
    console.print(renderable)
    return console.file.getvalue()


# the results file


def test_the_results_file_has_settings_versions_and_history(tmp_path):
    result = commands.run(out=tmp_path / "new" / "out.json", stream=io.StringIO(), steps=20, eval_every=10, seed=4)
    content = json.loads((tmp_path / "new" / "out.json").read_text())
    assert content["data"] == "digits"
    settings = {"steps": 20, "seed": 4, "batch": 60, "batch_norm": True, "lr": 0.3, "std": 0.05, "hidden": [100] * 3}
    assert settings.items() <= content["settings"].items()
    assert content["versions"] == {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "bnsym": __version__,
    }
    assert [entry["step"] for entry in content["history"]] == [10, 20]
    assert content["history"][-1] == {
        "step": 20,
        "train_loss": result.history[-1].train_loss,
        "test_accuracy": content["test_accuracy"],
    }
    assert content["diverged_at"] is None
    assert 0 < content["seconds"] < 60
    assert os.listdir(tmp_path / "new") == ["out.json"]


def test_a_file_that_was_there_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    out = tmp_path / "out.json"
    out.write_text("before")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no more"):
        commands.run(out=out, stream=io.StringIO(), steps=1)
    assert out.read_text() == "before"
    assert os.listdir(tmp_path) == ["out.json"]
    monkeypatch.undo()
    commands.run(out=out, stream=io.StringIO(), steps=1)
    assert json.loads(out.read_text())["settings"]["steps"] == 1


def fail(*_):
    raise OSError("no more")


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        (".", r"is a directory, expected the name of a file to write results to$"),
        ("file/out.json", r"out.json cannot be written \(.+\), expected a path that can be$"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_loaded(tmp_path, monkeypatch, out, sentence):
    (tmp_path / "file").touch()
    monkeypatch.setattr(commands, "load", fail)
    with pytest.raises(TrainError, match=sentence):
        commands.run(out=tmp_path / out)


def test_another_data_set_is_refused(tmp_path):
    with pytest.raises(TrainError, match=r"^there is no data set 'cifar', expected one of: digits, mnist$"):
        commands.run("cifar")


# what is shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_elsewhere_progress_is_plain_lines(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    result = commands.run(stream=stream, steps=100, eval_every=50, batch_norm=False)
    first, second = stream.getvalue().splitlines()
    entry = result.history[0]
    assert first == (
        f"digits, without batch normalization: step 50 of 100, training loss {entry.train_loss:.4f}, "
        f"test accuracy {entry.test_accuracy:.2%}"
    )
    assert "step 100 of 100" in second
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_progress_is_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    stream = Terminal()
    commands.run(stream=stream, steps=4, eval_every=4)
    assert "\x1b[" in stream.getvalue()
    assert "4/4" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())


def test_progress_goes_to_standard_error(capsys):
    commands.run(steps=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("digits, with batch normalization: step 1 of 1, training loss 2.")


def test_the_table_has_both_networks_side_by_side():
    results = commands.reproduce(stream=io.StringIO(), steps=2, seed=3)
    assert [result.options.batch_norm for result in results] == [True, False]
    assert results[0].options.seed == results[1].options.seed == 3
    lines = text_of(commands.reproduce_table(results)).splitlines()
    assert lines[0].strip() == "Test accuracy on digits"
    rows = [line for line in lines if line.startswith("│")]
    for row, result in zip(rows, results, strict=True):
        cells = [cell.strip() for cell in row.strip("│").split("│")]
        assert cells[1:5] == ["2", "0.3", "-", f"{result.accuracy:.2%}"]


def test_step_2000_is_in_the_table_where_it_was_evaluated():
    history = Evaluation(2000, 0.5, 0.8125), Evaluation(3000, 0.25, 0.90625)
    result = Result("digits", options_for("digits", steps=3000), history, None, 1.25)
    assert "81.25%" in text_of(commands.reproduce_table([result]))
    assert commands.summary(result) == "with batch normalization: test accuracy 90.62% after 3000 steps"
    assert result.accuracy_at(1000) is None


def test_a_run_that_diverged_is_shown_as_one():
    result = Result("digits", options_for("digits", batch_norm=False), (Evaluation(200, 0.5, 0.25),), 301, 1.25)
    assert commands.summary(result) == "without batch normalization: diverged at step 301 of 6000"
    assert "25.00%" not in text_of(commands.reproduce_table([result]))


# the cost of a step


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_step_is_measured_against_its_products(batch_norm):
    cost = measure_step(rounds=10, batch_norm=batch_norm, examples=120)
    assert cost.step > cost.products > 0
    first = "linear" if batch_norm else "dense"
    assert set(cost.kernels) >= {"dense.forward", f"{first}.parameter_backward", "sigmoid.backward"}
    assert ("batch_norm.forward" in cost.kernels) == batch_norm
    assert all(value > 0 for value in cost.kernels.values())


def test_the_cost_is_shown_with_its_ratio():
    cost = StepCost(510.0, 300.0, {"dense.forward": 150.0, "sigmoid.forward": 310.0})
    assert (cost.ratio, cost.rest) == (1.7, 50.0)
    text = text_of(cost_table(cost))
    assert text.index("sigmoid.forward") < text.index("dense.forward")
    assert "1.70" in text


def test_the_measure_prints_its_table(monkeypatch, capsys):
    cost = StepCost(510.0, 300.0, {"dense.forward": 150.0})
    monkeypatch.setattr("bnsym.train.measure.measure_step", lambda: cost)
    measure.main()
    assert "1.70" in capsys.readouterr().out
