"""The parent's end of a process that is measured: asks, waits no longer than told, starts it anew when it has died."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["Peer"]


class Peer:
    """A command that answers lines of JSON with lines of JSON. It is started when it is first asked."""

    def __init__(
        self, name: str, command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.command, self.cwd, self.env = name, command, cwd, env
        self.process: subprocess.Popen[str] | None = None

    def _start(self) -> subprocess.Popen[str]:
        """In a session of its own: an interrupt from the keyboard is the parent's to answer."""
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self.process = process = subprocess.Popen(
            self.command,
            cwd=self.cwd,
            env=self.env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=True,
        )
        self.answers: queue.Queue[str] = queue.Queue()

        def read(lines: Any, answers: queue.Queue[str]) -> None:
            for line in lines:
                answers.put(line)
            answers.put("")

        self.reader = threading.Thread(target=read, args=(process.stdout, self.answers), daemon=True)
        self.reader.start()
        return process

    def ask(self, **what: Any) -> None:
        """Send a request; the answer is fetched by `told`, so that several can work at once."""
        process = self.process
        if process is None or process.poll() is not None:
            self.stop()
            process = self._start()
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it has died; `told` says so
            process.stdin.write(json.dumps(what) + "\n")
            process.stdin.flush()

    def told(self, seconds: float) -> dict[str, Any]:
        """The answer, or {"failed": why}: it took too long, or the process ended."""
        assert self.process is not None
        try:
            line = self.answers.get(timeout=max(seconds, 0.1))
        except queue.Empty:
            self.stop()
            return {"failed": f"given up after {seconds:.0f} s"}
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        status = self.process.wait()
        self.errors.seek(0)
        last = (self.errors.read().strip().splitlines() or [""])[-1]
        self.stop()
        return {"failed": f"ended with status {status}: {last:.300}"}

    def stop(self) -> None:
        """End the process and all that it started."""
        process, self.process = self.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        self.reader.join()
        for file in (process.stdout, self.errors, process.stdin):
            with contextlib.suppress(BrokenPipeError):  # what was asked and never read
                if file is not None:
                    file.close()
