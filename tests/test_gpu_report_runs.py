"""The report's processes and limits, and a dry run of the whole program, on a stand-in for a GPU."""

import json
import sys
from functools import cache

from tests.cuda.fake_cupy import fake_cupy
from tests.cuda.generated import FOLDER, load
from tests.cuda.launching import NEEDS_COMPILER
from tests.gpu import modules
from tests.gpu_report import __main__ as command
from tests.gpu_report import bandwidth, correctness, machine, running, sanitized, sanitizer, table
from tests.gpu_report.budget import Budget
from tests.gpu_report.cases import tiny
from tests.gpu_report.peer import Peer
from tests.gpu_report.report import Report

MACHINE = {"GPU": "NVIDIA Made-Up 1", "driver": "not known"}


def peer(code):
    return Peer("made up", command=[sys.executable, "-c", code])


def test_a_peer_that_answers_hangs_and_dies():
    echo = peer("import sys\nfor line in sys.stdin: print(line, end='', flush=True)")
    echo.ask(do="this")
    assert echo.told(30) == {"do": "this"}
    echo.stop()
    hangs = peer("import time; time.sleep(600)")
    hangs.ask(do="this")
    assert hangs.told(0.2) == {"failed": "given up after 0 s"}
    assert hangs.process is None
    dies = peer("import sys; sys.exit('out of memory')")
    for _ in range(2):  # it is started anew
        dies.ask(do="this")
        assert dies.told(30) == {"failed": "ended with status 1: out of memory"}


def test_no_time_is_left(tmp_path):
    report = Report(tmp_path, is_dry=True, found=MACHINE)
    bandwidth.run(report, Budget(0), is_dry=True, compiled="none", cases=tiny()[:1])
    assert report.data["bandwidth"]["not measured"][0]["why"] == "no time was left"
    assert report.data["bandwidth"]["records"] == []


def test_a_command_is_stopped_in_time(tmp_path):
    log = tmp_path / "log"
    code = (
        "import time\nprint('begun', flush=True)\ntry: time.sleep(600)\nexcept KeyboardInterrupt: print('interrupted')"
    )
    status, seconds = running.run([sys.executable, "-c", code], log, 1.5)
    assert status is None
    assert seconds < 60
    assert log.read_text().splitlines() == ["begun", "interrupted"]
    assert correctness.entry("it", None, 1.0, log, "")["result"] == "stopped after 1 s; said nothing"
    assert correctness.entry("it", 1, 1.0, log, "2 failed")["result"] == "2 failed (exit status 1)"


def test_bnsym_is_importable_in_what_is_run(tmp_path):
    log = tmp_path / "log"
    code = "import bnsym.generated.numpy.relu, bnsym.definitions, bnsym.templates, tests.gpu; print(bnsym.__file__)"
    status, _ = running.run([sys.executable, "-P", "-S", "-c", code], log, 60)
    assert status == 0 or "numpy" in log.read_text(), log.read_text()


def test_what_pytest_and_the_sanitizer_say():
    lines = ["SKIPPED [2] tests/gpu: CuPy is not installed", "FAILED a.py::b", "1 failed, 2 skipped in 0.1s"]
    assert correctness.summary(lines) == "1 failed, 2 skipped in 0.1s"
    assert correctness.troubles(lines) == lines[:2]
    assert correctness.troubles(["FAILED x"] * 70)[-1] == "and 10 more"
    assert sanitizer.said(["========= ERROR SUMMARY: 0 errors", "x", "called 3"]) == "ERROR SUMMARY: 0 errors; called 3"


def test_a_sanitizer_that_is_not_there_or_finds_something(tmp_path, monkeypatch):
    report = Report(tmp_path, is_dry=True, found=MACHINE)
    monkeypatch.setattr(sanitizer, "found", lambda: None)
    sanitizer.run_all(report, tmp_path, Budget(60))
    assert report.data["sanitizer"][0]["result"] == "not run: the tool is not on this machine"
    tool = tmp_path / "tool"
    tool.write_text(
        "#!/bin/sh\necho '========= Invalid __global__ read'\necho '===== ERROR SUMMARY: 1 error'\nexit 9\n"
    )
    tool.chmod(0o755)
    sanitizer.run_all(report, tmp_path, Budget(60), str(tool))
    assert [p["what"] for p in report.data["sanitizer"]] == ["memcheck", "racecheck"]
    assert report.data["sanitizer"][0]["result"] == "ERROR SUMMARY: 1 error (exit status 9)"
    assert "========= Invalid __global__ read" in report.data["sanitizer"][0]["detail"]


def test_names_of_files():
    assert machine.file_name({"GPU": "NVIDIA H200 (x/y)"}) == "nvidia-h200-x-y"
    assert machine.file_name({"GPU": "NVIDIA H200"}, is_dry=True) == "dry-run"


@NEEDS_COMPILER
def test_a_dry_run(tmp_path, capsys):
    """The whole program on a stand-in: each peer's process, its checks and rounds; peers that are not there say so."""
    given = ["--dry", "--out", str(tmp_path), "--budget", "300", "--compiled", "none", "--case", "batch_norm 60x100"]
    assert command.main([*given, "--case", "rms"]) == 0
    data = json.loads((tmp_path / "dry-run.json").read_text(encoding="utf-8"))
    assert data["dry"]
    assert [r["name"] for r in data["bandwidth"]["records"]] == ["batch_norm 60x100 float32", "rms_norm 16x64 float16"]
    for record in data["bandwidth"]["records"]:
        assert set(record["prepared"]["bnsym"]["errors"]) >= {"y", "dx", "dgamma"}
        assert record["prepared"]["bnsym"]["launches"]["forward"]
        assert {"microseconds", "rounds"} <= set(record["times"][0])
        assert all(len(t["rounds"]) == bandwidth.ROUNDS for t in record["times"] if t["peer"] == "bnsym")
    told = data["bandwidth"]["records"][0]["prepared"]  # of a headline the other ways are measured too
    assert told["bnsym, split"]["launches"]["forward"] == ["1_across", "1_settle", "2_across"]
    assert told["bnsym, tickets"]["launches"]["forward"] == ["1_ticket_across"]
    assert told["bnsym, clusters"] == {"failed": "no cluster takes this shape"}
    assert {r["mode"] for r in table.rows(data["bandwidth"])} == {"device", "call", "graph"}
    assert len(data["step"]["bnsym, in a graph"]["rounds"]) == bandwidth.ROUNDS
    for found in data["step"].values():  # of losses that are NumPy's, or nothing
        assert found.get("failed", "").startswith("PyTorch is not installed") or found["error"] < 1e-5
    assert "dry-run.json" in capsys.readouterr().out


@NEEDS_COMPILER
def test_the_script_for_the_sanitizer_calls_every_function(monkeypatch, capsys):
    monkeypatch.setattr(sanitized, "cupy", fake_cupy)
    loaded = cache(lambda name, copy="": load(f"cupy_{name}{copy}", FOLDER / f"{name}.py"))
    for where in (modules, sanitized):  # `going` finds it in its own place
        monkeypatch.setattr(where, "module", loaded)
    monkeypatch.setattr(sanitized, "SHAPES", ((6, 4, 5),))
    monkeypatch.setattr(sanitized, "DTYPES", ("float32",))
    sanitized.main(sanitizer.NAMES)
    assert capsys.readouterr().out.startswith("called ")
