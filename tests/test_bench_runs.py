"""The bench's processes: what they answer, that what is wrong or dies is not timed, and that none is left."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from bnsym.bench import naive, ours, rounds
from bnsym.bench.cases import DATA, Case
from bnsym.bench.figures import times
from bnsym.bench.measuring import calls_for, peak
from bnsym.bench.modules import load
from bnsym.bench.options import Options
from bnsym.bench.peer import Peer
from bnsym.bench.worker import Worker, subject

BNSYM = Path(sys.executable).parent / "bnsym"
CASE = Case("batch_norm", (8, 3))
BOTH = ["forward", "backward"]


def prepared(name, case=CASE, functions=BOTH):
    worker = Worker(subject(name, 1))
    said = worker.answer({"do": "prepare", "case": case.asdict(), "functions": list(functions), "round_seconds": 1e-4})
    return worker, said


@pytest.mark.parametrize("name", ["numpy", "naive", "roof"])
def test_a_subject_is_checked_and_timed(name):
    worker, said = prepared(name)
    for data in DATA:
        for function in BOTH:
            assert max(said[data][function]["errors"]) < 1e-6
            assert worker.answer({"do": "round", "function": function, "data": data})["seconds"] > 0


@pytest.mark.parametrize("case", [Case("batch_norm", (8, 3), "float16"), Case("masked_batch_norm", (8, 3))])
def test_a_copy_of_half_precision_and_beside_a_mask(case):
    _, said = prepared("roof", case, [*BOTH, "double_backward"])
    assert max(e for data in DATA for found in said[data].values() for e in found["errors"]) < 1e-6


@pytest.mark.parametrize("norm", ["layer_norm", "rms_norm"])
def test_the_naive_peer_of_rows(norm):
    _, said = prepared("naive", Case(norm, (6, 5)))
    assert max(e for data in DATA for f in BOTH for e in said[data][f]["errors"]) < 1e-6


def test_every_generated_function_is_timed():
    functions = ["jvp", "double_backward", "backward_jvp", "inference", "fold", "population", "update_running"]
    _, said = prepared("numpy", functions=functions)
    assert [f for f in functions if "failed" in said["centred"][f]] == []
    _, roof = prepared("roof", functions=functions)
    assert roof["centred"]["fold"]["failed"] == "fold moves no data"
    assert max(roof["centred"]["double_backward"]["errors"]) < 1e-6


class Plan:
    """Of a module that counts its threads: x is remembered, as a plan may."""

    def __init__(self, module):
        self.module = module

    def forward(self, x, gamma, beta):
        self.x = x
        y, self.saved = self.module.forward(x, gamma, beta)
        return y, self.saved

    def backward(self, dy, gamma):
        return self.module.backward(dy, self.x, gamma, self.saved)


@pytest.fixture
def threaded(monkeypatch):
    """A module whose forward takes `threads` and which has a plan, as compiled ones do; and what it was told."""
    module, told = load("numpy", "batch_norm"), []

    def forward(x, gamma, beta, *, out=None, threads=None):
        told.append(threads)
        return module.forward(x, gamma, beta, out=out)

    def plan(shape, dtype, *, threads=None):
        told.append((shape, dtype, threads))
        return Plan(module)

    made = SimpleNamespace(forward=forward, backward=module.backward, plan=plan)
    monkeypatch.setattr(ours, "load", lambda backend, norm: made)
    return told


def test_threads_and_a_plan_are_used_where_a_module_has_them(threaded):
    _, said = prepared("numba")
    assert said["mean 3"]["forward"]["way"] == "out="
    assert set(threaded) == {1}
    _, said = prepared("numba plan")
    assert {said[data][function]["way"] for data in DATA for function in BOTH} == {"plan"}
    assert ((8, 3), "float32", 1) in threaded


def test_a_wrong_peer_is_refused(monkeypatch):
    right = naive.batch_norm_backward
    monkeypatch.setitem(naive.BACKWARD, "batch_norm", lambda dy, cache: (dy, *right(dy, cache)[1:]))
    worker, said = prepared("naive")
    assert said["centred"]["backward"]["failed"].startswith("wrong: result 1 by")
    assert "failed" not in said["centred"]["forward"]
    assert ("backward", "centred") not in worker.calls


def test_memory_and_calls_in_a_round():
    assert 8e6 <= peak(lambda: bytearray(8_000_000)) < 9e6
    count, once = calls_for(lambda: time.sleep(1e-3), 0.01)
    assert 1 <= count <= 10
    assert once >= 1e-3


ANSWERS = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "round":
        sys.exit("out of luck")
    each = {f: {} for f in asked.get("functions", ())}
    print(json.dumps({"centred": each, "mean 3": each}), flush=True)
"""


def test_a_peer_that_dies_is_said_and_the_others_are_measured(monkeypatch):
    options = Options(("numpy",), ("naive",), (CASE,), ("forward",), 1, 2)
    real = rounds.command
    stand_in = lambda name, *how: [sys.executable, "-c", ANSWERS] if name == "naive" else real(name, *how)  # noqa: E731
    monkeypatch.setattr(rounds, "command", stand_in)
    with rounds.running(options) as peers:
        records = rounds.measured(CASE, options, peers, lambda step: None)
    assert peers["numpy"].process is None
    for record in records:
        assert {"numpy", "numpy plan", "roof"} == set(times(record))
        assert record["peers"]["naive"]["failed"] in ("ended with status 1: out of luck", "ended before its turn")
        assert len(record["peers"]["numpy"]["rounds"]) == len(record["peers"]["numpy plan"]["rounds"]) == 2


def test_a_peer_that_does_not_answer_is_given_up():
    peer = Peer("slow", [sys.executable, "-c", "import time; time.sleep(60)"])
    peer.ask(do="begin")
    assert peer.told(0.2) == {"failed": "given up after 0 s"}
    assert peer.process is None


def test_a_process_that_is_asked_nothing_more_ends():
    command = rounds.command("roof", 1)
    done = subprocess.run(command, input='{"do": "begin"}\n', capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["versions"]["numpy"]


# the command


def bench(*arguments, **more):
    return subprocess.run(
        [BNSYM, "bench", "--quick", "--no-peers", *arguments], capture_output=True, text=True, check=False, **more
    )


def test_from_end_to_end(tmp_path):
    files = tmp_path / "new" / "a.json", tmp_path / "a.svg"
    done = bench("--shape", "8,3", "--backend", "numpy", "--json", files[0], "--plot", files[1])
    assert (done.returncode, done.stderr) == (0, "measuring 8,3\n")
    assert "Microseconds of a call" in done.stdout
    result = json.loads(files[0].read_text())
    assert [(r["function"], r["data"]) for r in result["records"]] == [(f, d) for f in BOTH for d in DATA]
    for record in result["records"]:
        found = record["peers"]["numpy"]
        assert len(found["rounds"]) == result["rounds"] == 5
        assert found["low"] <= found["median"] <= found["high"]
        assert found["memory"] < 1e6
        assert record["shape"] == [8, 3]
    assert result["first calls"]["numpy"]["cached"]["seconds"] > 0
    assert result["summary"]["numpy"]["mean 3 / centred, mean"] > 0
    assert files[1].read_text().startswith("<?xml")


@pytest.mark.parametrize(
    "wrong",
    [("--shape", "8"), ("--backend", "fortran"), ("--norm", "nothing"), ("--plot", "a.txt"), ("--dtype", "int8")],
)
def test_wrong_use_is_one_sentence(wrong):
    done = bench(*wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def left(token):
    """The processes that were told this token by their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if token.encode() in (folder / "environ").read_bytes():
                found.append(folder.name)
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_process_and_no_file(tmp_path, how):
    token = f"bench-{uuid.uuid4()}"
    command = [BNSYM, "bench", "--no-peers", "--shape", "256,1024", "--json", tmp_path / "a.json"]
    env = {**os.environ, "BNSYM_TEST": token}
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "measuring 256,1024\n"
    assert len(left(token)) > 1
    process.send_signal(how)
    out, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert out == ""
    assert left(token) == []
    assert [*tmp_path.iterdir()] == []
