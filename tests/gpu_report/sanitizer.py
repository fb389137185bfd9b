"""compute-sanitizer over a small script that calls every function of several definitions once."""

import os
import shutil
import sys
from pathlib import Path

from .correctness import entry
from .running import run

TOOLS = ("memcheck", "racecheck")
NAMES = ("batch_norm", "batch_norm_relu", "masked_batch_norm", "layer_norm", "rms_norm", "group_norm")
PLACES = ("/usr/local/cuda/bin", "/opt/cuda/bin", "/usr/local/cuda/compute-sanitizer")


def found():
    """Where the tool is: on PATH, or in CUDA's toolkit; None where it is not."""
    homes = [f"{os.environ[n]}/bin" for n in ("CUDA_HOME", "CUDA_PATH") if n in os.environ]
    return shutil.which("compute-sanitizer") or shutil.which(
        "compute-sanitizer", path=os.pathsep.join([*homes, *PLACES])
    )


def said(lines):
    """The tool's own summary, and the script's."""
    kept = [line for line in lines if "SUMMARY" in line or line.startswith("called ")]
    return "; ".join(line.replace("=", "").strip() for line in kept)


def run_all(report, folder, budget, tool=None, python=sys.executable):
    part = report.data["sanitizer"] = []
    tool = tool or found()
    if tool is None:
        part.append({"what": "compute-sanitizer", "result": "not run: the tool is not on this machine"})
        report.save()
        return
    for n, kind in enumerate(TOOLS):
        log = Path(folder) / f"{kind}.log"
        command = [tool, "--tool", kind, "--error-exitcode", "9", "--print-limit", "20", python, "-m"]
        limit = budget.part(1 / (len(TOOLS) - n)).left
        status, seconds = run([*command, "tests.gpu_report.sanitized", *NAMES], log, limit, grace=3.0)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        part.append(entry(kind, status, seconds, log, said(lines)))
        if status != 0:
            part[-1]["detail"] = [line[:200] for line in lines if line.strip()][-25:]
        report.save()
