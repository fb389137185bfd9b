"""A peer of the report: a process of its own, from this checkout."""

import sys
from pathlib import Path

from bnsym.bench import peer

ROOT = Path(__file__).parents[2]


class Peer(peer.Peer):
    def __init__(self, name, is_dry=False, command=None):
        module = [sys.executable, "-m", "tests.gpu_report.worker", name, *(["--dry"] if is_dry else [])]
        super().__init__(name, command or module, cwd=ROOT)
