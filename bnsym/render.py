"""Templates filled in: the text of every generated file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import jinja2

from bnsym.backends.cuda_module import schedules
from bnsym.backends.cupy_module import CupyModule
from bnsym.backends.helpers import names, needed, read
from bnsym.backends.module import Module
from bnsym.backends.numba_module import NumbaModule, compiled_schedules
from bnsym.backends.numpy_module import NumpyModule
from bnsym.backends.statements import fitted
from bnsym.lowering.kernel import Kernel
from bnsym.lowering.sweeps import Schedule
from bnsym.model import Definition, Proof


@cache
def environment() -> jinja2.Environment:
    """Strict: a name that a template uses and nobody gave is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("bnsym.templates", ""),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # what comes out is Python, not HTML
    )
    made.filters |= {"needed": needed, "names": names, "fitted": fitted, "read": read}
    return made


@dataclass(frozen=True)
class Backend:
    """A folder of templates, the class that says what they lay out, and whether the text runs on any machine.

    `schedules` gives the sweeps that it prints, where it goes over the data in sweeps.
    """

    module: type[Module]
    runs_anywhere: bool = True
    schedules: Callable[[Definition, dict[str, Kernel]], dict[str, Schedule]] | None = None


BACKENDS = {
    "numpy": Backend(NumpyModule),
    "numba": Backend(NumbaModule, runs_anywhere=False, schedules=compiled_schedules),
    "cupy": Backend(CupyModule, runs_anywhere=False, schedules=schedules),
}


def module_texts(
    definition: Definition, kernels: dict[str, Kernel], proofs: Sequence[Proof], backend: str
) -> dict[str, str]:
    """The generated files by name, without their stamps: a Python module first, then what stands beside it."""
    module = BACKENDS[backend].module(definition, kernels, proofs)
    texts = {f"{definition.name}.py": _filled(f"{backend}/module.py.j2", module=module, xp=module.library.name)}
    if module.beside is not None:
        texts[f"{definition.name}.cu"] = _filled(f"{backend}/{module.beside.template}", source=module.beside)
    return texts


def _filled(template: str, **given: object) -> str:
    return environment().get_template(template).render(**given)
