"""A command with a limit, whose output is kept as it comes."""

import contextlib
import hashlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .peer import ROOT


def environment(**more):
    """With bnsym importable from this checkout, whether it is installed or not."""
    known = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    home = Path(tempfile.gettempdir()) / f"bnsym-{os.getuid()}-{known}" / "bnsym"
    home.mkdir(parents=True, exist_ok=True)
    parts = [*(ROOT / "bnsym").iterdir(), ROOT / "generated", ROOT / "templates"]
    for part in parts:
        if part.name != "__pycache__":
            with contextlib.suppress(FileExistsError):
                (home / part.name).symlink_to(part)
    paths = [str(home.parent), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1", **more}


def run(command, log, seconds, grace=20.0):
    """(status, seconds it took), with the output in the file `log`; status None where it was stopped.

    It is interrupted first, so that it can say what it has, and killed with all that it started after `grace` more.
    """
    begin = time.monotonic()
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment(), start_new_session=True
        )
        status = None
        try:
            status = process.wait(max(seconds, 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                """It does not listen."""
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                """It has ended, and all that it started."""
            process.wait()
    return status, time.monotonic() - begin
