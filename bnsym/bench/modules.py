"""Generated modules as they are found: which there are, what their functions ask for, and calling one by names."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from bnsym.bench.cases import BenchError

__all__ = ["BACKENDS", "asked", "called", "eps_of", "functions_of", "has", "layout_of", "load", "why_not"]

BACKENDS = ("numpy", "numba", "cupy")
NOT_MEASURED = ("Saved", "Plan", "plan")


def load(backend: str, norm: str) -> ModuleType:
    """The generated module. Raises ImportError."""
    return importlib.import_module(f"bnsym.generated.{backend}.{norm}")


def why_not(backend: str, norm: str) -> str:
    """Why a module cannot be imported here, as far as that is seen without importing it; nothing where it can."""
    if find_spec(f"bnsym.generated.{backend}") is None or find_spec(f"bnsym.generated.{backend}.{norm}") is None:
        return f"there is no generated {backend} module of {norm}"
    return "" if find_spec(backend) else f"{backend} is not installed"


def asked(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments that are given by position."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]


def has(function: Callable[..., Any], name: str) -> bool:
    """Whether it takes an argument of this name."""
    return name in inspect.signature(function).parameters


def called(function: Callable[..., Any], values: Callable[[str], Any], **settings: Any) -> Callable[[], Any]:
    """A call of it with the arguments that it asks for, and with those of the settings that it takes."""
    arguments = [values(name) for name in asked(function)]
    taken = {name: value for name, value in settings.items() if has(function, name)}
    return lambda: function(*arguments, **taken)


def functions_of(module: ModuleType) -> list[str]:
    """All that can be measured of a module, forward and backward first."""
    names = [name for name in module.__all__ if name not in NOT_MEASURED]
    return sorted(names, key=lambda name: {"forward": 0, "backward": 1}.get(name, 2))


def layout_of(module: ModuleType) -> str:
    """What the signature says of the axes: where the channels are, or that there are none."""
    names = set(inspect.signature(module.forward).parameters)
    for word, layout in (("channel_axis", "channels"), ("normalized_ndim", "trailing"), ("num_groups", "groups")):
        if word in names:
            return layout
    if names - {"threads"} == {"x", "out"}:
        return "elementwise"
    if {"x", "gamma"} <= names:
        return "instance"
    raise BenchError(f"{module.__name__.rpartition('.')[2]} is no normalization and no activation: its arrays are many")


def eps_of(module: ModuleType) -> float:
    """The eps that a module adds unless told otherwise; peers are given the same."""
    parameter = inspect.signature(module.forward).parameters.get("eps")
    return 0.0 if parameter is None else float(parameter.default)
