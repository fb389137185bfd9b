"""The parent's end of a peer's process: asks, waits no longer than told, and starts it anew when it has died."""

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Peer:
    def __init__(self, name, is_dry=False, command=None):
        self.name = name
        module = [sys.executable, "-m", "tests.gpu_report.worker", name, *(["--dry"] if is_dry else [])]
        self.command = command or module
        self.process = None

    def _start(self):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors
        )
        self.answers = queue.Queue()

        def read(lines, answers):
            for line in lines:
                answers.put(line)
            answers.put("")

        self.reader = threading.Thread(target=read, args=(self.process.stdout, self.answers), daemon=True)
        self.reader.start()

    def ask(self, **what):
        """Send a request; the answer is fetched by `told`, so that several peers can work at once."""
        if self.process is None or self.process.poll() is not None:
            self.stop()
            self._start()
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
        except OSError:
            """It has died; `told` says so."""

    def told(self, seconds):
        """The answer, or {"failed": why}: it took too long, or the process ended."""
        try:
            line = self.answers.get(timeout=max(seconds, 0.1))
        except queue.Empty:
            self.stop()
            return {"failed": f"given up after {seconds:.0f} s"}
        if line:
            return json.loads(line)
        status = self.process.wait()
        self.errors.seek(0)
        last = (self.errors.read().strip().splitlines() or [""])[-1]
        self.stop()
        return {"failed": f"ended with status {status}: {last:.300}"}

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            for file in (self.process.stdout, self.errors):
                file.close()
            with contextlib.suppress(BrokenPipeError):  # what was asked and never read
                self.process.stdin.close()
            self.process = None
