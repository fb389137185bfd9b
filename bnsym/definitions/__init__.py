"""What the papers write: one file a definition, and the registry that names them."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path

from bnsym.checks import DefinitionError
from bnsym.model import Definition

NAMES = (
    "batch_norm", "layer_norm", "rms_norm", "group_norm", "instance_norm", "masked_batch_norm", "batch_renorm",
    "batch_norm_relu", "batch_norm_sigmoid", "batch_norm_tanh", "batch_norm_gelu", "batch_norm_gelu_tanh",
    "batch_norm_silu", "batch_norm_add_relu", "add_layer_norm", "add_rms_norm",
    "relu", "sigmoid", "tanh", "gelu", "gelu_tanh", "silu",
    "dense", "linear", "softmax_cross_entropy",
)  # fmt: skip
"""The project's own definitions; a new one is a file beside this one and a name here."""


def definition(name: str | Path) -> Definition:
    """A definition by its registered name, or from a file of the user's own that ends in `.py`.

    Raises DefinitionError, one sentence, where there is none or it says what it may not say.
    """
    if str(name) in NAMES:
        return read(Path(__file__).with_name(f"{name}.py"))
    if str(name).endswith(".py"):
        return read(Path(name))
    raise DefinitionError(f"{str(name)!r} is no definition: give one of {', '.join(NAMES)}, or a file that ends in .py")


def read(path: Path) -> Definition:
    """The one definition that a file makes; those that it imports are others'."""
    if not path.is_file():
        raise DefinitionError(f"there is no definition file {path}")
    try:
        namespace = runpy.run_path(str(path))
    except DefinitionError as error:
        raise DefinitionError(_one_line(error)) from None
    except SyntaxError as error:
        place = f"{error.filename or path}:{error.lineno}" if error.lineno else str(path)
        raise DefinitionError(f"{place}: {_one_line(error.msg)}") from None
    except (Exception, SystemExit) as error:  # whatever a user's file raises: one sentence that points at its line
        raise DefinitionError(f"{_place(error, path)}: {type(error).__name__}: {_one_line(error)}") from None
    found = {id(v): v for v in namespace.values() if isinstance(v, Definition) and v.file == str(path)}
    if len(found) != 1:
        raise DefinitionError(f"{path} needs one Definition, and has {len(found)}")
    return next(iter(found.values()))


def _place(error: BaseException, path: Path) -> str:
    """The last line of the user's file that led to an error."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
