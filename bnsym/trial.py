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
from bnsym.lowering.kernel import Kernel
from bnsym.model import Axis, Definition, Program, Quantity

Values = dict[Quantity, Any]
SIGNED = ("data", "gradient", "parameter")
"""What may have either sign, tangents and what comes back to be differentiated among them."""


class TrialError(Exception):
    """The printed text does not run, or does not compute what was derived; one sentence."""


def try_out(text: str, derivation: Derivation, kernels: Mapping[str, Kernel]) -> None:
    """Run every function of a module's text. Raises TrialError.

    At sizes that all differ and at equal ones, on positive numbers, for there may be roots and logarithms of the data;
    and once on numbers of both signs, where what is not a number has to be none in the text's results too.
    """
    name = derivation.definition.name
    module = ModuleType(name)
    try:
        exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    except Exception as error:
        raise TrialError(f"{name}: the printed module cannot be imported ({type(error).__name__}: {error})") from None
    axes = dict.fromkeys(a for q in derivation.backward.program.inputs for a in q.axes)
    different, equal = {a: 3 + n for n, a in enumerate(axes)}, dict.fromkeys(axes, 4)
    for sizes, signed in ((different, False), (equal, False), (different, True)):
        _Trial(module, derivation, kernels, sizes, signed).run()


class _Trial:
    def __init__(
        self,
        module: ModuleType,
        derivation: Derivation,
        kernels: Mapping[str, Kernel],
        sizes: dict[Axis, int],
        signed: bool,
    ):
        self.module, self.derivation, self.kernels = module, derivation, kernels
        self.sizes, self.signed = sizes, signed
        self.rng = np.random.default_rng(0)
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
                    self._far_out(kernel, program, given)
                if kernel.steadied:
                    self._moved(kernel, expected, self.values | given)
                if kernel.masked:
                    self._left_out(kernel, expected, self.values | given)

    def _far_out(self, kernel: Kernel, program: Program, given: Values) -> None:
        """Data whose squares overflow: the output does not scale with the data, and beside them constants vanish."""
        degrees = kernel.degrees or {}
        least = {q: float(max(q.at_least, 0)) for q in program.inputs if q.role == "constant" and degrees.get(q)}
        if any(degrees[q] < 0 < value for q, value in least.items()):
            return  # one that is not to be 0, beside the inverse of the data: it does not vanish
        expected = evaluate(program, given | dict.fromkeys(least, 0.0))
        far = {q: value * 2.0**600 if degrees.get(q) == 1 else value for q, value in (given | least).items()}
        for q, got in self._called(kernel, given | least | far):
            if q in kernel.outputs:
                _compare(self.derivation.definition, f"{kernel.name} of huge data", q, got, expected[q])

    def _moved(self, kernel: Kernel, expected: Values, values: Values) -> None:
        """Other numbers in the place of saved means, as rounding might leave them, and far out, give the same."""
        forward, saved = self.module.forward, self.saved
        fields = [field for field, q in kernel.takes_saved if any(q == s.mean for s in kernel.steadied)]

        def moved(saved: Any) -> Any:
            return saved._replace(**{field: getattr(saved, field) + 100.0 for field in fields})

        def moved_forward(*given: Any, **named: Any) -> tuple[Any, ...]:
            *results, its_own = forward(*given, **named)
            return (*results, moved(its_own))

        self.module.forward, self.saved = moved_forward, moved(saved)
        for q, got in self._called(kernel, values):
            _compare(self.derivation.definition, f"{kernel.name} of a rounded mean", q, got, expected.get(q))
        self.module.forward, self.saved = forward, saved

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
                self.values[q] = self._drawn(q)
        own = {q: self._drawn(q) for q in kernel.arguments if q.role == "statistic" and q in program.inputs}
        return {q: self.values[q] for q in program.inputs} | own

    def _drawn(self, q: Quantity) -> Any:
        if q.name == "count":
            return self._counted(q)
        if q.name.startswith("batch_") and q.role == "statistic":
            return getattr(self.saved, q.name.removeprefix("batch_"))
        if q.role == "constant":
            return q.at_least + 0.1 if q.default is None else q.default
        drawn = self.rng.uniform(0.3, 1.7, [self.sizes.get(a, 3) for a in q.axes])
        premise = next((p for p in self.derivation.definition.premises if p.term.body == q), None)
        if premise:
            axis = q.axes.index(premise.term.axes[0])
            return (drawn == drawn.max(axis, keepdims=True)).astype(float)
        if q.role == "mask":
            return _zeros_and_ones(drawn)
        return self._with_signs(drawn) if self.signed and q.role in SIGNED else drawn

    def _with_signs(self, drawn: Any) -> Any:
        """Half of them negative."""
        return drawn * self.rng.permutation(np.arange(drawn.size) % 2 * 2 - 1).reshape(drawn.shape)

    def _counted(self, q: Quantity) -> Any:
        """The number of examples that forward found; of each of several batches where there are several."""
        count = np.asarray(self.saved.count)
        if not q.axes:
            return self.saved.count
        return np.broadcast_to(count, [3] * (len(q.axes) - count.ndim) + [*count.shape])

    def _called(self, kernel: Kernel, values: Values) -> Iterator[tuple[Quantity, Any]]:
        """A function called as a user calls it; its results by quantity."""
        arguments = {q.name: self._as_given(q, values[q]) for q in kernel.arguments}
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
        yield from ((q, self._as_derived(q, r)) for q, r in zip(outputs, results, strict=False))
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


def _zeros_and_ones(drawn: Any) -> Any:
    """A mask that leaves two positions of each channel at least."""
    taken = np.where(drawn >= np.median(drawn), 1.0, 0.0)
    taken[:2] = 1.0
    return taken


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
