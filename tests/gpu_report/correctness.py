"""Every kernel compiled for this device, then `pytest -m gpu`, each in processes of its own."""

import re
import sys
from pathlib import Path

from .running import run

SKIPPED = re.compile(r"^(SKIPPED|FAILED|ERROR)\b.*")
SUMMARY = re.compile(r"\b\d+ (passed|failed|skipped|errors?|deselected)\b|no tests ran")
TESTS = ("tests/gpu", "tests/kernels")  # others need more to be installed, and have nothing to do with a GPU
QUIET = ("DeprecationWarning", "FutureWarning", "UserWarning", "PendingDeprecationWarning")


def summary(lines):
    """pytest's last line that counts tests, or nothing."""
    return next((line.strip("= ") for line in reversed(lines) if SUMMARY.search(line)), "")


def troubles(lines, most=60):
    """The lines that name what failed or was skipped, and how many more there are."""
    found = [line[:300] for line in lines if SKIPPED.match(line)]
    return [*found[:most], *([f"and {len(found) - most} more"] if len(found) > most else [])]


def entry(what, status, seconds, log, said):
    stopped = f"stopped after {seconds:.0f} s; " if status is None else ""
    ended = "" if status in (0, None) else f" (exit status {status})"
    return {"what": what, "result": f"{stopped}{said or 'said nothing'}{ended}", "seconds": seconds, "log": log.name}


def run_all(report, folder, budget, python=sys.executable):
    part = report.data["correctness"] = []
    log = Path(folder) / "compile.log"
    status, seconds = run([python, "-m", "tests.gpu_report.compile"], log, budget.part(0.5).left, grace=3.0)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    part.append(entry("compile every kernel", status, seconds, log, lines[-1] if lines else ""))
    part[-1]["detail"] = [line[:300] for line in lines if line.startswith("FAILED")][:20]
    report.save()
    log = Path(folder) / "pytest.log"
    quiet = [option for name in QUIET for option in ("-W", f"default::{name}")]
    command = [python, "-P", "-m", "pytest", "-m", "gpu", "-rsfE", "--tb=short", "--color=no", *quiet, *TESTS]
    status, seconds = run([*command, "-p", "no:cacheprovider", "-p", "no:benchmark"], log, budget.left - 20)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    part.append(entry("pytest -m gpu", status, seconds, log, summary(lines)) | {"detail": troubles(lines)})
    report.save()
