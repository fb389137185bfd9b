"""The printed text on trial: it runs on small random arrays, and must give what the derived programs give.

Proofs end at the equations a kernel is printed from. This is what stands between those and the text: a printer or a
template that got an equation wrong is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from bnsym.calculus.chain import Derivative
from bnsym.calculus.derive import Derivation
from bnsym.calculus.elements import evaluate
from bnsym.drawn import Numbers
from bnsym.lowering.kernel import Kernel
from bnsym.model import Axis, Definition, Program, Quantity

Values = dict[Quantity, Any]


SMALL_TILES = (4, 1)
"""Elements that a cache may hold: a channel's few, or not even these."""


class TrialError(Exception):
    """The printed text does not run, or does not compute what was derived; one sentence."""


def try_out(text: str, derivation: Derivation, kernels: Mapping[str, Kernel]) -> None:
    """Run every function of a module's text. Raises TrialError.

    At sizes that all differ and at equal ones, on positive numbers, for there may be roots and logarithms of the data;
    once on numbers of both signs, where what is not a number has to be none in the text's results too; once without
    any argument that may be omitted; and with a cache so small that all is done in tiles, and in parts of these.
    """
    name = derivation.definition.name
    module = ModuleType(name)
    try:
        exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    except Exception as error:
        raise TrialError(f"{name}: the printed module cannot be imported ({type(error).__name__}: {error})") from None
    axes = dict.fromkeys(a for q in derivation.backward.program.inputs for a in q.axes)
    different, equal = {a: 3 + n for n, a in enumerate(axes)}, dict.fromkeys(axes, 4)
    for sizes, kind in ((different, {}), (equal, {}), (different, {"signed": True}), (different, {"omitted": True})):
        _Trial(module, derivation, kernels, sizes, **kind).run()
    for tile in SMALL_TILES if "_TILE" in vars(module) else ():
        vars(module).update(_TILE=tile, _WIDE=1)
        _Trial(module, derivation, kernels, different).run()


class _Trial:
    def __init__(
        self,
        module: ModuleType,
        derivation: Derivation,
        kernels: Mapping[str, Kernel],
        sizes: dict[Axis, int],
        *,
        signed: bool = False,
        omitted: bool = False,
    ):
        self.module, self.derivation, self.kernels = module, derivation, kernels
        self.sizes, self.omitted = sizes, omitted
        self.numbers = Numbers(derivation.definition, sizes, signed=signed, omitted=omitted)
        self.values: Values = {}
        self.saved: Any = None

    def run(self) -> None:
        for name, kernel in self.kernels.items():
            source = getattr(self.derivation, name)
            program: Program = source.program if isinstance(source, Derivative) else source
            with np.errstate(all="ignore"):
                given = self._inputs(program, kernel)
                expected = evaluate(program, given)
                self.values = {**expected, **self.values}
                for q, got in self._called(kernel, self.values | given):
                    _compare(self.derivation.definition, name, q, got, expected.get(q))
                if kernel.degrees:
                    self._huge(kernel, program, given)
                if kernel.steadied:
                    self._moved(kernel, expected, self.values | given)
                if kernel.masked:
                    self._left_out(kernel, expected, self.values | given)

    def _huge(self, kernel: Kernel, program: Program, given: Values) -> None:
        """Data whose squares overflow: beside them constants vanish, or are as large."""
        degrees = kernel.degrees or {}
        constants = {q: float(max(q.at_least, 0)) for q in program.inputs if q.role == "constant" and degrees.get(q)}
        if not any(degrees[q] < 0 < value for q, value in constants.items()):
            # One that is not to be 0, beside the inverse of the data, would not vanish.
            self._in_units(kernel, program, given | dict.fromkeys(constants, 0.0), 600, constants)
        large = {q: value + 0.4 for q, value in constants.items()}
        with np.errstate(over="ignore"):
            scaled = {q: float(np.ldexp(value, 512 * degrees[q])) for q, value in large.items()}
        if np.all(np.isfinite([*scaled.values()])):
            wide = {q: 4 * value for q, value in given.items() if degrees.get(q) == 1 and q not in constants}
            self._in_units(kernel, program, given | large | wide, 512, scaled)

    def _in_units(self, kernel: Kernel, program: Program, given: Values, n: int, constants: Values) -> None:
        """Data times 2^n, given with these constants: the same output, and statistics as many times larger."""
        degrees = kernel.degrees or {}
        pivots = {p.pivot: np.zeros([self.sizes[a] for a in p.pivot.axes]) for p in kernel.pivots}
        expected = evaluate(kernel.program, given | pivots) | evaluate(program, given)
        huge = {q: np.ldexp(value, n) if degrees.get(q) == 1 else value for q, value in given.items()} | constants
        for q, got in self._called(kernel, huge):
            power = n * degrees.get(q, 0)
            right = np.ldexp(np.ldexp(np.asarray(expected[q], float), power), -power)  # infinite, or 0, where that is
            got = np.ldexp(np.asarray(got, float), -power)
            _compare(self.derivation.definition, f"{kernel.name} of huge data", q, got, right)

    def _moved(self, kernel: Kernel, expected: Values, values: Values) -> None:
        """Other numbers in the place of saved means, as rounding might leave them, and far out, give the same."""
        forward, saved = self.module.forward, self.saved
        fields = [field for field, q in kernel.takes_saved if any(q == s.mean for s in kernel.steadied)]

        def moved(saved: Any) -> Any:
            return saved._replace(**{field: getattr(saved, field) + 100.0 for field in fields})

        def moved_forward(*given: Any, **named: Any) -> tuple[Any, ...]:
            *results, its_own = forward(*given, **named)
            return (*results, moved(its_own))

        vars(self.module)["forward"], self.saved = moved_forward, moved(saved)
        for q, got in self._called(kernel, values):
            _compare(self.derivation.definition, f"{kernel.name} of a rounded mean", q, got, expected.get(q))
        vars(self.module)["forward"], self.saved = forward, saved

    def _left_out(self, kernel: Kernel, expected: Values, values: Values) -> None:
        """What stands where the mask is 0 is of no consequence, were it NaN."""
        mask = next(values[q] for q in kernel.arguments if q.role == "mask")
        spoilt = {q: np.where(mask, values[q], np.nan) for q in kernel.masked}
        for q, got in self._called(kernel, values | spoilt):
            _compare(self.derivation.definition, f"{kernel.name} beside the mask", q, got, expected.get(q))

    def _inputs(self, program: Program, kernel: Kernel) -> Values:
        """What the program is given: the same for every function, but for statistics, which need not be the batch's."""
        for q in program.inputs:
            if q not in self.values:
                drawn = self.numbers.draw(q, self.saved)
                self.values[q] = drawn * 0.0 if self.omitted and q in kernel.optional else drawn
        own = {
            q: self.numbers.draw(q, self.saved)
            for q in kernel.arguments
            if q.role == "statistic" and q in program.inputs
        }
        return {q: self.values[q] for q in program.inputs} | own

    def _called(self, kernel: Kernel, values: Values) -> Iterator[tuple[Quantity, Any]]:
        """A function called as a user calls it; its results by quantity."""
        left_out = {q for q in kernel.arguments if self.omitted and (q.absent is not None or q in kernel.optional)}
        arguments = {q.name: None if q in left_out else self._as_given(q, values[q]) for q in kernel.arguments}
        if kernel.takes_saved and not kernel.after_forward:
            arguments["saved"] = self.saved
        elif self.derivation.definition.layout == "groups":
            arguments["num_groups"] = self.sizes[self.derivation.definition.program.inputs[0].axes[1]]
        where = f"{self.derivation.definition.name}: the printed {kernel.name}"
        try:
            found = getattr(self.module, kernel.name)(**arguments)
        except Exception as error:
            raise TrialError(f"{where} does not run ({type(error).__name__}: {error})") from None
        results = found if type(found) is tuple else (found,)
        outputs = self.derivation.jvp.program.outputs if kernel.after_forward else kernel.outputs
        wanted = len(outputs) + bool(kernel.gives_saved)
        if len(results) != wanted:
            raise TrialError(f"{where} gives {len(results)} results where {wanted} were derived")
        found = zip(outputs, results, strict=False)
        yield from ((q, self._as_derived(q, r)) for q, r in found if r is not None or not self.omitted)
        if kernel.gives_saved:
            self.saved = results[-1] if self.saved is None else self.saved
            yield from ((q, getattr(results[-1], q.name)) for q in kernel.gives_saved)

    def _as_given(self, q: Quantity, value: Any) -> Any:
        """An array as a user has it: in layout "groups" the channels of all groups lie along one axis."""
        axes = self.derivation.definition.program.inputs[0].axes
        if self.derivation.definition.layout != "groups" or axes[2] not in q.axes:
            return value
        at = q.axes.index(axes[1])
        shape = np.shape(value)
        return np.reshape(value, (*shape[:at], shape[at] * shape[at + 1], *shape[at + 2 :]))

    def _as_derived(self, q: Quantity, value: Any) -> Any:
        """A result with the axes that it was derived with, where it has them together."""
        axes = self.derivation.definition.program.inputs[0].axes
        if value is None or self.derivation.definition.layout != "groups" or axes[2] not in q.axes:
            return value
        return np.reshape(value, [self.sizes[a] for a in q.axes])


def _compare(definition: Definition, function: str, q: Quantity, got: Any, expected: Any) -> None:
    """What was printed against what was derived, to rounding. A hoisted power is compared through what uses it."""
    if expected is None:
        return
    try:
        expected, got = np.asarray(expected, float), np.asarray(got, float)
    except (TypeError, ValueError):
        got = np.empty(0)
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=1e-3)
    if got.shape != expected.shape or not np.allclose(got / scale, expected / scale, rtol=0, atol=1e-8, equal_nan=True):
        raise TrialError(f"{definition.name}: the printed {function} does not give the {q} that was derived")
