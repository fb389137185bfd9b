"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def replace_file(path: Path, text: str | bytes) -> None:
    """Write a file so that a kill at any moment leaves the old one or the new one. Raises OSError, nothing changed."""
    replace_files({path: text})


def replace_files(texts: Mapping[Path, str | bytes]) -> None:
    """Write several files: every text is on the disk before the first file is replaced. Raises OSError as above."""
    ready: dict[Path, str] = {}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            ready[path] = _beside(path, text)
        for path in texts:
            os.replace(ready[path], path)
            del ready[path]
    finally:
        for left in ready.values():
            with contextlib.suppress(OSError):
                os.unlink(left)


def _beside(path: Path, text: str | bytes) -> str:
    """A file next to another one, with the text in it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
    except BaseException:
        os.unlink(name)
        raise
    return name


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
