"""What machine this is, as far as it says."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from bnsym import __version__

__all__ = ["load", "machine"]


def machine(threads: int) -> dict[str, str]:
    """The processor, the threads that are used and the versions that every process has."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "threads": str(threads),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "bnsym": __version__,
    }


def load() -> float | None:
    """How many programs wanted a processor over the last minute; None where the system does not say."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _processor() -> str:
    """The name that Linux has for it, with its family and model, since names of virtual machines say little."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name, family, model = (found.get(key, "") for key in ("model name", "cpu family", "model"))
    return f"{name} (family {family}, model {model})" if family else name or "unknown"
