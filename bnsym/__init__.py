"""Write the forward pass as the paper writes it. Get gradients that are proved, and kernels that are fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bnsym.api import ProofError, derive, generate, load, prove, prove_step
    from bnsym.checks import DefinitionError
    from bnsym.definitions import definition

__version__ = "0.1.0"
__all__ = ["DefinitionError", "ProofError", "definition", "derive", "generate", "load", "prove", "prove_step"]

_HOMES = {"DefinitionError": "bnsym.checks", "definition": "bnsym.definitions"}


def __getattr__(name: str) -> Any:
    """SymPy is imported when one of these is first used: a generated module must never wait for it (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'bnsym' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES.get(name, "bnsym.api")), name)
