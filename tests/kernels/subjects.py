"""What is under test: one definition in one backend, what its functions take and what they give.

Nothing here knows a definition by its name. What a function takes is read from its signature, what it gives follows
from the definition: the gradient of each input that may have one, in the order in which the inputs are listed.
"""

import inspect
from functools import cache, cached_property

import pytest

import bnsym.definitions
from bnsym.calculus.population import population
from bnsym.definitions import NAMES

from .backends import BACKENDS, Strict

FUNCTIONS = ("forward", "backward", "jvp", "double_backward", "backward_jvp")  # every definition has these
DERIVATIVES = (*FUNCTIONS, "parameter_backward", "inference", "inference_backward")


@cache
def definition(name):
    return bnsym.definitions.definition(name)


class Subject:
    def __init__(self, backend, name, module=None):
        self.backend, self.name = backend, name
        self.does = BACKENDS[backend]
        self._module = module
        self.definition = definition(name)
        self.program = self.definition.program
        self.layout = self.definition.layout
        (self.output,) = self.program.outputs

    @cached_property
    def kernels(self):
        """The functions, loaded when they are first asked for."""
        return Strict(self.does(self.name) if self._module is None else self._module, self.does)

    def role(self, *roles):
        return [q for q in self.program.inputs if q.role in roles]

    @cached_property
    def differentiated(self):
        return self.role("data", "parameter")

    @cached_property
    def optional(self):
        """The inputs that may be None."""
        return [q for q in self.role("parameter", "fixed") if q.absent is not None]

    @cached_property
    def element_axes(self):
        return self.role("data")[0].axes

    @cached_property
    def statistics(self):
        """What is saved of the batch, but for counts."""
        return [q for q in self.definition.saved if q.role == "statistic"]

    @cached_property
    def averaged(self):
        """What `population` is given of several batches: the quantity of each argument, and its statistic."""
        program = population(self.definition) if self.has("population") else None
        return dict(zip(program.inputs, program.outputs, strict=False)) if program else {}

    @cached_property
    def corrected(self):
        """What the correction is given."""
        return self.definition.correction.inputs if self.definition.correction else ()

    @cached_property
    def derivatives(self):
        """The functions that compute y or derivatives of it."""
        return [f for f in DERIVATIVES if self.has(f)]

    @cached_property
    def functions(self):
        """The functions of arrays; a plan is none."""
        module = self.kernels.module
        return [n for n in module.__all__ if inspect.isfunction(getattr(module, n)) and n != "plan"]

    def has(self, function):
        return hasattr(self.kernels.module, function)

    @cache  # noqa: B019
    def parameters(self, function):
        return dict(inspect.signature(getattr(self.kernels.module, function)).parameters)

    def arguments(self, function):
        """The names of the positional arguments."""
        return [p.name for p in self.parameters(function).values() if p.kind is p.POSITIONAL_OR_KEYWORD]

    def results(self, function):
        """The names of what a function gives."""
        y, given = self.output.name, self.arguments(function)
        inputs = [q.name for q in self.differentiated]
        if function == "forward":
            return [y, "saved"] if self.has("Saved") else [y]
        if function == "double_backward":  # the gradient does not depend on a parameter that is not asked for
            kept = [q.name for q in self.differentiated if q.role == "data" or q.name in given]
            return [f"g_d{y}", *(f"g_{name}" for name in kept)]
        return {
            "inference": lambda: [y],
            "jvp": lambda: [y, f"t{y}"],
            "parameter_backward": lambda: [f"d{q.name}" for q in self.role("parameter")],
            "backward_jvp": lambda: [n for name in inputs for n in (f"d{name}", f"td{name}")],
        }.get(function, lambda: [f"d{name}" for name in inputs])()

    @cached_property
    def given_saved(self):
        """The functions that take what forward saved."""
        return [f for f in self.functions if "saved" in self.arguments(f)]

    def tangents(self, function):
        """The arguments that may be None for zero."""
        prefix = {"jvp": "t", "backward_jvp": "t", "double_backward": "dd"}.get(function)
        names = [f"{prefix}{q.name}" for q in self.differentiated] + [f"td{self.output.name}"]
        return [n for n in names if n in self.arguments(function)] if prefix else []

    def of(self, name):
        """The quantity that a name such as `tdgamma` is a derivative to, and so has the shape of."""
        quantities = {q.name: q for q in (*self.program.inputs, self.output, *self.definition.saved, *self.corrected)}
        for prefix in ("", "td", "g_d", "dd", "g_", "t", "d"):
            if name.startswith(prefix) and name.removeprefix(prefix) in quantities:
                return quantities[name.removeprefix(prefix)]
        raise KeyError(name)


@cache
def made(backend, name):
    return Subject(backend, name)


EVERY = tuple((backend, name) for backend in BACKENDS for name in NAMES)


def over(applies):
    """Run a test over the subjects that it is about, and no others: there it would pass and have asserted nothing."""
    chosen = [s for s in EVERY if applies(made(*s))]
    assert chosen, "a test needs a subject that it is about"
    return pytest.mark.parametrize("subject", chosen, ids="-".join, indirect=True)
