"""A user's functions called in a process of their own, which may raise, hang or end without harm to this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bnsym.calculus.elements import Array

Named = tuple[str, str]
"""A file, and a function in it."""


class Refused(Exception):
    """The functions cannot be called as was asked; one sentence."""


class Stopped(Exception):
    """The process gave no answer: it hung, or it ended; one sentence."""


@dataclass(frozen=True)
class Answer:
    """What came of one call: the results by place, None for one that is no array; or what it raised."""

    results: tuple[Array | None, ...] = ()
    kinds: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    raised: str = ""
    y: Array | None = field(default=None, compare=False)


class Calls:
    """The calls, begun as soon as this is made: the derivation can be done meanwhile."""

    def __init__(self, backward: Named, forward: Named | None, args: str | None, given: Sequence[dict[str, Array]]):
        self._folder = tempfile.TemporaryDirectory(prefix="bnsym-check-")
        self.count, folder = len(given), Path(self._folder.name)
        request = {"backward": backward, "forward": forward, "args": args, "probes": len(given)}
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        arrays: dict[str, Any] = {f"{n}/{k}": v for n, g in enumerate(given) for k, v in g.items()}
        np.savez(folder / "probes.npz", **arrays)
        command = [sys.executable, "-m", "bnsym.checker.child", str(folder)]
        none = subprocess.DEVNULL
        self._process = subprocess.Popen(command, start_new_session=True, stdin=none, stdout=none, stderr=none)

    def answers(self, seconds: float) -> list[Answer]:
        """Wait for them. Raises Refused and Stopped."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Stopped(f"it does not return within {seconds:g} s") from None
        finally:
            self._end()
        folder = Path(self._folder.name)
        if not (folder / "answers.json").is_file():
            raise Stopped(f"it ends the process that it runs in, with status {status}")
        said = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
        if "refused" in said:
            raise Refused(said["refused"])
        with np.load(folder / "answers.npz") as stored:
            arrays = {key: stored[key] for key in stored.files}
        return [_answer(a, f"{n}/", arrays) for n, a in enumerate(said["answers"])]

    def _end(self) -> None:
        """Where it still runs it is ended, with whatever it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        """End it, and remove what it was given."""
        self._end()
        self._folder.cleanup()


def _answer(said: dict[str, list[str]], prefix: str, arrays: dict[str, Array]) -> Answer:
    kinds = said.get("results", [])
    results = tuple(arrays.get(f"{prefix}{n}") for n in range(len(kinds)))
    return Answer(
        results, tuple(kinds), tuple(said.get("changed", ())), str(said.get("raised", "")), arrays.get(f"{prefix}y")
    )
