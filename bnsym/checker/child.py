"""The process that a user's file runs in: `python -m bnsym.checker.child FOLDER`. It imports NumPy and nothing else.

It reads FOLDER/request.json and FOLDER/probes.npz, and leaves FOLDER/answers.json and FOLDER/answers.npz.
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bnsym.checker.arguments import Unmatched, matched


class Refused(Exception):
    """The function cannot be called at all; one sentence."""


def main(folder: Path) -> None:
    """Call the functions on every probe, and leave what came of it."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    with np.load(folder / "probes.npz") as stored:
        given: list[dict[str, Any]] = [{} for _ in range(request["probes"])]
        for key in stored.files:
            n, name = key.split("/", 1)
            given[int(n)][name] = stored[key] if stored[key].ndim else stored[key].item()
    arrays: dict[str, Any] = {}
    try:
        backward = _function(request["backward"])
        forward = _function(request["forward"]) if request["forward"] else None
        answers = [_answer(backward, forward, g, request["args"], f"{n}/", arrays) for n, g in enumerate(given)]
    except (Refused, Unmatched) as refused:
        (folder / "answers.json").write_text(json.dumps({"refused": str(refused)}), encoding="utf-8")
        return
    np.savez(folder / "answers.npz", **arrays)
    (folder / "answers.json").write_text(json.dumps({"answers": answers}), encoding="utf-8")


def _function(named: list[str]) -> Callable[..., Any]:
    """A function of a file. The file's own folder is where it imports from."""
    file, name = named
    path = Path(file).resolve()
    module = sys.modules.get(f"checked.{path}") or _loaded(file, path)
    function = getattr(module, name, None)
    if not callable(function):
        own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
        raise Refused(f"{file} has no function {name}" + (f"; it has {', '.join(own)}" if own else ""))
    made: Callable[..., Any] = function
    return made


def _loaded(file: str, path: Path) -> ModuleType:
    """The file as a module: once, though it may hold both functions."""
    sys.path.insert(0, str(path.parent))
    module = ModuleType(f"checked.{path}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise Refused(f"{file} cannot be loaded ({_said(error)})") from None
    return module


def _answer(
    backward: Callable[..., Any],
    forward: Callable[..., Any] | None,
    given: dict[str, Any],
    spelled: str | None,
    prefix: str,
    arrays: dict[str, Any],
) -> dict[str, Any]:
    """One call: what it returned goes into `arrays`; and a word on how it went."""
    before = {n: np.copy(v) for n, v in given.items()}
    cache = None
    if forward is not None:
        made = _called(forward, matched(forward, given, None, None), "the forward")
        if "raised" in made:
            return made
        result = made["result"]
        if not isinstance(result, (tuple, list)) or len(result) < 2:
            raise Refused("the forward must return (y, cache), as a tuple")
        arrays[f"{prefix}y"], cache = np.asarray(result[0], float), result[1] if len(result) == 2 else result[1:]
    made = _called(backward, matched(backward, given, spelled, cache), "it")
    changed = [n for n, v in given.items() if not np.array_equal(v, before[n], equal_nan=True)]
    if "raised" in made:
        return made | {"changed": changed}
    return {"changed": changed, "results": _kept(made["result"], prefix, arrays)}


def _called(function: Callable[..., Any], arguments: dict[str, Any], who: str) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {"result": function(**arguments)}
    except (Exception, SystemExit) as error:
        return {"raised": f"{who} raises {_said(error)}"}


def _kept(result: Any, prefix: str, arrays: dict[str, Any]) -> list[str]:
    """Each result's kind: an array's dtype, or the name of a type that is no array of numbers."""
    kinds = []
    for n, r in enumerate(result if isinstance(result, (tuple, list)) else (result,)):
        try:
            array = np.asarray(r)
        except ValueError:
            array = np.empty(0, object)
        if array.dtype.kind in "fiu":
            arrays[f"{prefix}{n}"] = array.astype(float)
        kinds.append(str(array.dtype) if array.dtype.kind in "fiu" else type(r).__name__)
    return kinds


def _said(error: BaseException) -> str:
    """An error, and the line of the user's file that it came from."""
    own = [n.split(".", 1)[1] for n in sys.modules if n.startswith("checked.")]
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename in own]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())[:200]
    return f"{type(error).__name__}{f' in line {line}' if line else ''}: {text}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
