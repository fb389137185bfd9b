"""The report of a GPU, without one: its arithmetic and its files."""

import json
import sys

import pytest

from tests.gpu_report import measuring, render, table
from tests.gpu_report.budget import Budget
from tests.gpu_report.cases import Case, case_of, every, tiny
from tests.gpu_report.report import Report
from tests.gpu_report.worker import NETWORKS, PEERS

CASE = Case("batch_norm", (1000, 250), "float32")
MACHINE = {"GPU": "NVIDIA Made-Up 1", "driver": "not known"}


def time_of(peer, direction, *rounds, mode="device"):
    found = {"direction": direction, "mode": mode, "peer": peer, "rounds": list(rounds)}
    return found | {"microseconds": measuring.median(rounds)}


def part(**changed):
    """A million bytes; forward in one launch, backward in three; 4 TB/s."""
    record = {
        "case": CASE.asdict(),
        "name": CASE.name,
        "nbytes": CASE.nbytes,
        "prepared": {
            "copy": {"sets": 32},
            "bnsym": {
                "sets": 32,
                "launches": {"forward": ["1_slab_along"], "backward": ["1_along", "1_settle", "2_along"]},
                "errors": {"y": 1e-7},
                "reference": "made up",
            },
            "torch": {"sets": 32},
            "torch cuDNN": {"failed": "PyTorch has no cuDNN"},
        },
        "times": [
            time_of("copy", "forward", 0.5),
            time_of("bnsym", "forward", 1.0, 1.2, 0.9),
            time_of("torch", "forward", 3.0, 2.0),
            time_of("bnsym, tickets", "forward", 0.8),
            time_of("bnsym", "backward", 2.0),
            {"direction": "backward", "mode": "device", "peer": "torch", "rounds": [], "failed": "given up after 30 s"},
        ],
    }
    copy = {"bytes": 1 << 30, "microseconds": 500.0, "bandwidth": 4e12}
    return {"peers": [], "ours": "bnsym", "copy": copy, "records": [record], "not measured": []} | changed


def test_arithmetic():
    assert CASE.nbytes == 10**6
    forward, backward = table.rows(part())
    assert forward["passes"] == 2
    assert forward["GB/s"] == pytest.approx(2000)
    assert forward["of copy"] == pytest.approx(0.5)
    assert forward["best peer"] == "torch"  # bnsym going another way is no peer
    assert forward["microseconds"]["bnsym, tickets"] == 0.8
    assert forward["ratio"] == pytest.approx(2.5)
    assert forward["spread"] == pytest.approx(0.3)
    assert (backward["passes"], backward["GB/s"]) == (5, pytest.approx(2500))
    assert {"best peer", "ratio", "spread"}.isdisjoint(backward)


@pytest.mark.parametrize(
    ("direction", "launches", "count"),
    [
        ("forward", ["1_slab_along"], 2),
        ("forward", ["1_across", "1_settle", "2_across"], 3),
        ("backward", ["1_ticket_rows", "2_settle"], 3),
        ("backward", ["1_slab_along", "2_across", "2_settle"], 5),
        ("backward", None, None),
    ],
)
def test_traffic(direction, launches, count):
    assert table.passes(direction, launches) == count


def test_what_was_not_measured_is_absent_and_said():
    absent = part(copy={"failed": "no memory"})
    absent["not measured"].append({"name": "another", "why": "no time was left"})
    absent["records"][0]["prepared"]["bnsym"] = {"failed": "WrongResult: wrong: dx by 1e+00"}
    absent["records"][0]["times"] = [t for t in absent["records"][0]["times"] if t["peer"] != "bnsym"]
    row, other = table.rows(absent)
    assert row["microseconds"] == {"torch": 2.5, "bnsym, tickets": 0.8}
    assert other["microseconds"] == {}
    assert {"GB/s", "of copy", "ratio", "passes"}.isdisjoint(row)
    assert {(peer, why) for _, peer, why in table.missing(absent)} == {
        ("every peer", "no time was left"),
        ("copy", "no memory"),
        ("bnsym", "WrongResult: wrong: dx by 1e+00"),
        ("torch cuDNN", "PyTorch has no cuDNN"),
        ("torch", "given up after 30 s"),
    }


def test_medians_and_sets():
    assert measuring.median([3.0, 1.0, 2.0]) == 2
    assert measuring.median([]) is None
    assert [measuring.sets_for(n) for n in (1, 100 << 20, 10 << 30)] == [measuring.MOST_SETS, 3, 2]


class Clock:
    """Each run takes 2 ms of the device."""

    def __init__(self):
        self.time, self.spun = 0.0, 0

    def run(self, k):
        self.time += 2.0

    def event(self):
        return self.time

    def milliseconds(self, first, last):
        return last - first

    def synchronize(self):
        """It is no real device."""

    def spin(self, milliseconds):
        self.spun += 1

    def graph(self, run, count):
        return lambda: [run(k) for k in range(count)]


def test_times_are_those_of_single_runs():
    clock = Clock()
    assert set(measuring.on_the_device(clock, clock.run, 4)) == {2000.0}
    assert clock.spun == 1
    assert set(measuring.in_a_graph(clock, clock.run, 4)) == {2000.0}
    assert measuring.as_called(clock, clock.run, 4)[0] >= 0


def test_markdown_and_json(tmp_path):
    report = Report(tmp_path, found=MACHINE)
    report.data |= {"bandwidth": part(), "correctness": [{"what": "pytest", "result": "1 passed | 2", "seconds": 3.0}]}
    report.save()
    text = (tmp_path / "nvidia-made-up-1.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| batch_norm 1000x250 float32 | forward |")]
    assert "| 1 | 2000 (2S) | 50 % | 2.5 (torch) | 2.50 | torch 2.5; bnsym, tickets 0.8; copy 0.5 | 30 % |" in row
    assert "1 passed \\| 2" in text
    assert "PyTorch has no cuDNN" in text
    assert "dry run" not in text
    written = json.loads((tmp_path / "nvidia-made-up-1.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(report.data))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["nvidia-made-up-1.json", "nvidia-made-up-1.md"]


def test_a_dry_run_says_that_it_measures_nothing(tmp_path):
    report = Report(tmp_path, is_dry=True, found=MACHINE)
    assert report.name == "dry-run"
    assert render.DRY in render.markdown(report.data)


def test_the_table_without_rich(monkeypatch, capsys):
    data = {"title": "T", "dry": False, "machine": MACHINE, "bandwidth": part()}
    render.show(data)
    assert "batch_norm 1000x250" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "rich.console", None)
    render.show(data)
    assert "| 2.50 |" in capsys.readouterr().out


def test_budget():
    now = [0.0]
    budget = Budget(100, lambda: now[0])
    half = budget.part(0.5)
    now[0] = 40.0
    assert (budget.left, half.left) == (60, 10)
    assert budget.part(0.1, least=30).left == 30
    now[0] = 200.0
    assert (budget.left, half.left, budget.part(0.5, least=9).left) == (0, 0, 0)


def test_no_two_peers_have_one_name():
    assert PEERS.keys().isdisjoint(NETWORKS)


def test_cases():
    names = [case.name for case in every()]
    assert len(set(names)) == len(names) == 57
    assert names[0] == "batch_norm 65536x1024 float32"
    assert all(case_of(json.loads(json.dumps(case.asdict()))) == case for case in (*every(), *tiny()))
