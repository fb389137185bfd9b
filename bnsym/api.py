"""From a definition to the text of its kernels, and to a module. Nothing unproved is emitted."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from types import ModuleType

from bnsym import proofs as derived
from bnsym.calculus.derive import Derivation, derive
from bnsym.calculus.routes import one_step
from bnsym.definitions import definition
from bnsym.lowering import second_order
from bnsym.lowering.kernel import Kernel
from bnsym.lowering.lower import lower
from bnsym.lowering.naming import check_names
from bnsym.lowering.verify import verify
from bnsym.model import Definition, Proof, Step
from bnsym.render import BACKENDS, module_texts
from bnsym.several import beside
from bnsym.stamp import COMMENTS, stamped
from bnsym.trial import TrialError, try_out
from bnsym.write import replace_files

__all__ = ["ProofError", "derive", "generate", "load", "prove", "prove_step"]


class ProofError(Exception):
    """A claim was not proved, or the printed text failed its trial; nothing is emitted."""


def prove(derivation: Derivation, *, at_once: bool = False) -> tuple[Proof, ...]:
    """Every claim: the derivation's own, and that the kernels compute what was derived; each holds or does not.

    `at_once` takes another core for half of them, where there is one. Raises DefinitionError where a kernel could not
    tell two quantities apart, or where something has no normal form.
    """
    kernels = lower(derivation)
    check_names(derivation.definition, kernels.values())
    second = () if derivation.definition.parts else second_order.cases(derivation, kernels)
    if at_once:
        (first, of_second), (stated, verified) = beside(
            lambda: (derived.by_routes(derived.cases(derivation)), derived.by_routes(second)),
            lambda: (derived.stated(derivation), verify(derivation, kernels)),
        )
        return (*first, *stated, *of_second, *verified)
    return (
        *derived.prove(derivation),
        *derived.by_routes(second),
        *verify(derivation, kernels),
    )


def prove_step(derivation: Derivation, step: Step) -> tuple[Proof, ...]:
    """That one step of a derivation gives the gradient that SymPy finds, with the step's quantity as an input."""
    return one_step.proofs(derivation, step)


def require(derivation: Derivation, proved: tuple[Proof, ...]) -> None:
    """Raise ProofError, one sentence, for the first claim that does not hold."""
    for proof in proved:
        if not proof.holds:
            name = derivation.definition.name
            raise ProofError(f"{name}: not proved that {proof.claim} ({proof.method}): residual {proof.residual}")


def generate(derivation: Derivation, backend: str = "numpy") -> dict[str, str]:
    """The generated files by name. Raises ProofError where a claim fails, ValueError for an unknown backend."""
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is not known; choose from {', '.join(BACKENDS)}")
    return emit(derivation, prove(derivation), backend)


def emit(derivation: Derivation, proofs: tuple[Proof, ...], backend: str) -> dict[str, str]:
    """The generated files of a derivation by name. Raises ProofError where a proof, or the printed text, fails."""
    definition, kernels = derivation.definition, lower(derivation)
    proofs = (*proofs, *_swept(derivation, kernels, backend))
    require(derivation, proofs)
    texts = module_texts(definition, kernels, proofs, backend)
    if BACKENDS[backend].runs_anywhere:
        try:
            try_out(texts[f"{definition.name}.py"], derivation, kernels)
        except TrialError as error:
            raise ProofError(str(error)) from None
    return {file: stamped(text, definition.name, COMMENTS[Path(file).suffix]) for file, text in texts.items()}


def _swept(derivation: Derivation, kernels: dict[str, Kernel], backend: str) -> tuple[Proof, ...]:
    """That sweeps compute what the kernels do, for a backend that prints sweeps."""
    schedules = BACKENDS[backend].schedules
    swept = schedules(derivation.definition, kernels) if schedules else {}
    return verify(derivation, {n: s.kernel for n, s in swept.items()}, "the sweeps'") if swept else ()


def load(name: str | Path | Definition, backend: str = "numpy") -> ModuleType:
    """A definition's kernels as a module, from a file in the user's cache folder (a compiled backend caches beside it).

    `name` is a registered name, a definition file, or a definition. Raises DefinitionError and ProofError.
    """
    made = name if isinstance(name, Definition) else definition(name)
    texts = generate(derive(made), backend)
    folder = cache_folder() / backend / hashlib.sha256("".join(texts.values()).encode()).hexdigest()[:16]
    replace_files({folder / file: text for file, text in texts.items()})
    spec = importlib.util.spec_from_file_location(f"bnsym.loaded.{backend}.{made.name}", folder / f"{made.name}.py")
    assert spec is not None  # the file ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cache_folder() -> Path:
    """Where loaded modules are kept: BNSYM_CACHE_DIR, else bnsym in the user's cache folder."""
    own = os.environ.get("BNSYM_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "bnsym"
