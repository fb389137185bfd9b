"""Templates filled in: the text of every generated file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import jinja2

from bnsym.backends.helpers import names, needed
from bnsym.backends.numpy_module import NumpyModule
from bnsym.lowering.kernel import Kernel
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
    made.filters |= {"needed": needed, "names": names}
    return made


BACKENDS = {"numpy": NumpyModule}
"""A backend is a folder of templates and the class that says what they lay out."""


def module_text(definition: Definition, kernels: dict[str, Kernel], proofs: Sequence[Proof], backend: str) -> str:
    """The text of a generated module, without its stamp."""
    template = environment().get_template(f"{backend}/module.py.j2")
    module = BACKENDS[backend](definition, kernels, proofs)
    return template.render(module=module, xp=module.library.name)
