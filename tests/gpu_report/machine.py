"""What machine this is: asked in a process of its own, so that the report holds no memory of the device.

python -m tests.gpu_report.machine
"""

import datetime
import importlib.metadata
import json
import platform
import re
import shutil
import subprocess
import sys

from .peer import ROOT

UNKNOWN = "not known"


def _first(command):
    """The first line that a command prints; nothing where it fails."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout.strip().splitlines() or [""])[0] if done.returncode == 0 else ""


def _version(*names):
    """Of the first of these packages that is installed."""
    for name in names:
        try:
            return f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return "not installed"


def of_the_device():
    """What CuPy knows of the device."""
    from tests.gpu import device

    if why := device.missing():
        return {"GPU": UNKNOWN, "why": why}
    runtime = device.cupy().cuda.runtime
    found = runtime.getDeviceProperties(0)
    return {
        "GPU": found["name"].decode(),
        "compute capability": f"{found['major']}.{found['minor']}",
        "multiprocessors": found["multiProcessorCount"],
        "memory, bytes": found["totalGlobalMem"],
        "L2, bytes": found["l2CacheSize"],
        "CUDA runtime": runtime.runtimeGetVersion(),
        "CUDA of the driver": runtime.driverGetVersion(),
    }


def machine(is_dry=False):
    """All of it, with texts for what could not be found out."""
    command = [sys.executable, "-m", "tests.gpu_report.machine"]
    found = {"GPU": "none: a dry run"}
    if not is_dry:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        lines = done.stdout.strip().splitlines()
        last = (done.stderr.strip().splitlines() or [""])[-1]
        found = json.loads(lines[-1]) if done.returncode == 0 and lines else {"GPU": UNKNOWN, "why": last}
    driver = _first(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    return found | {
        "driver": driver or UNKNOWN,
        "CuPy": _version("cupy-cuda13x", "cupy-cuda12x", "cupy"),
        "PyTorch": _version("torch"),
        "NumPy": _version("numpy"),
        "Python": platform.python_version(),
        "bnsym": _first(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]) or UNKNOWN,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def file_name(found, is_dry=False):
    """The GPU's name with nothing in it but letters, digits, dots and hyphens."""
    name = re.sub(r"[^A-Za-z0-9.]+", "-", found["GPU"]).strip("-").lower()
    return "dry-run" if is_dry else name or "unknown"


if __name__ == "__main__":
    print(json.dumps(of_the_device()))
