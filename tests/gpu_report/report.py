"""The report's data, and its files: written anew after each part, so that a kill loses nothing."""

import json
import os
from pathlib import Path

from . import render
from .machine import file_name, machine


class Report:
    def __init__(self, folder, is_dry=False, found=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        found = found or machine(is_dry)
        self.name = file_name(found, is_dry)
        self.data = {"title": f"bnsym's CuPy kernels on {found['GPU']}", "dry": is_dry, "machine": found}

    def save(self):
        """Each file is the old one or the new one, whole."""
        texts = {"json": json.dumps(self.data, indent=1, ensure_ascii=False) + "\n", "md": render.markdown(self.data)}
        for ending, text in texts.items():
            path = self.folder / f"{self.name}.{ending}"
            beside = path.with_name(path.name + ".part")
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, path)
