"""The tests, compute-sanitizer and the table of times on this machine's GPU, in one command and a limited time."""

import argparse
import sys
from pathlib import Path

from . import bandwidth, correctness, render, sanitizer, step
from .budget import Budget
from .peer import ROOT
from .report import Report

PARTS = ("correctness", "sanitizer", "step", "bandwidth")
DRY = ("step", "bandwidth")
RESULTS = ROOT / "bnsym" / "bench" / "results"


def options(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.gpu_report", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given more than once")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder for the report and the logs")
    parser.add_argument("--budget", type=float, default=540.0, metavar="SECONDS", help="when to end; 540 unless told")
    kinds = [f"{which}{tuned}" for which in ("headline", "all") for tuned in ("", "+tuned")]
    parser.add_argument("--compiled", choices=["none", *kinds], default="headline", help="torch.compile's cases")
    parser.add_argument("--case", action="append", help="measure only cases whose name has this in it")
    parser.add_argument("--dry", action="store_true", help="try the program on a CPU: no figure is a measurement")
    return parser.parse_args(arguments)


def main(arguments=None):
    given = options(arguments)
    budget = Budget(given.budget - 5)
    report = Report(given.out, given.dry)
    report.save()
    parts = given.only or [p for p in PARTS if p in DRY or not given.dry]
    if "correctness" in parts:
        correctness.run_all(report, given.out, budget.part(0.45 if len(parts) > 1 else 1.0))
    if "sanitizer" in parts:
        sanitizer.run_all(report, given.out, budget.part(0.3 if "bandwidth" in parts else 1.0))
    if "step" in parts:
        step.run(report, budget.part(0.3 if "bandwidth" in parts else 1.0), is_dry=given.dry)
    if "bandwidth" in parts:
        known = bandwidth.tiny() if given.dry else bandwidth.every()
        cases = [c for c in known if not given.case or any(text in c.name for text in given.case)]
        bandwidth.run(report, budget, is_dry=given.dry, compiled=given.compiled, cases=cases)
    report.save()
    render.show(report.data)
    print(f"written: {given.out / report.name}.json and .md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
