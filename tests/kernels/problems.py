"""Problems: arrays for every argument of every function of a subject, and the functions called on them by name."""

import copy

import numpy as np
import sympy

from bnsym.calculus.elements import FLOATS, Interpreter, evaluate

from .forms import Arrays, medium, small

DTYPES = (np.float16, np.float32, np.float64)
KINKED = ("Abs", "sign", "step", "maximum", "minimum")


def kinks(e):
    """The functions with a kink in an equation."""
    return {f for t in e.terms for f in t.body.atoms(sympy.Function) if type(f).__name__ in KINKED}


class Problem:
    """`arrays` has every argument by its name as a user gives it, None where it is left out, and every option."""

    def __init__(self, subject, form, seed=0, *, margin=1e-2, scale=1.0, offset=0.0):
        self.subject, self.form, self.shapes = subject, form, Arrays(subject, form)
        self.scale, self.offset = scale, offset
        for attempt in range(1000):
            self._draw(np.random.default_rng([seed, attempt]))
            if margin < 0 or self.kink_distance() > margin:
                break

    def _draw(self, rng):
        s, shape = self.subject, self.shapes.shape
        draw = lambda q: rng.standard_normal(shape(q))  # noqa: E731
        self.arrays, self.extra = {}, {}
        for q in s.program.inputs:
            if q.role == "mask":
                value = zeros_and_ones(s.definition, q, rng.uniform(size=self.shapes.program_shape(q)))
                value = self.shapes.to_user(q, value)
            elif q.role == "constant":
                value = float((q.at_least if q.default is None else q.default) + 2.0**-6)
            elif q.role == "data":
                value = self.offset + self.scale * (0.3 + draw(q))
            elif q.absent == 1 or q.role == "fixed":  # a scale, of either sign for a parameter
                signs = rng.choice([-1, 1], shape(q)) if q.role == "parameter" else 1
                value = rng.uniform(0.5, 2, shape(q)) * signs
            else:
                value = draw(q)
            self.arrays[q.name] = value
        for q in (*s.differentiated, s.output):
            y = q is s.output
            for name in (f"d{q.name}", f"td{q.name}") if y else (f"t{q.name}", f"dd{q.name}"):
                self.arrays[name] = 0.4 + draw(q) if y else draw(q)
        self._draw_statistics(rng)
        exact = (
            np.float16 if abs(self.scale) < 1e3 and abs(self.offset) < 1e3 else float
        )  # one reference for all dtypes
        for name, value in self.arrays.items():
            rounded = np.asarray(value).astype(exact).astype(float)
            self.arrays[name] = rounded if s.of(name).axes else float(rounded)
        self.arrays |= self.extra
        self.options = dict(self.form.options)
        self._saved = None

    def _draw_statistics(self, rng):
        """What inference, the averages over batches and a correction are given."""
        s, shape = self.subject, self.shapes.shape
        batches = [self._statistics(rng) for _ in range(5)]
        self.arrays |= {q.name: batches[0][q] for q in s.statistics}
        for q in s.corrected:
            if q.name not in self.arrays:
                self.arrays[q.name] = q.at_least + 0.5 if q.role == "constant" else rng.uniform(0.5, 2, shape(q))
        self.extra = {several.name: np.array([b[q] for b in batches]) for several, q in s.averaged.items()}
        if s.averaged and "count" in s.arguments("population"):
            counted = [q for q in s.definition.saved if q.role == "count"]
            self.extra["count"] = rng.integers(2, 9, (5, *shape(counted[0]))) if counted else 7

    def _statistics(self, rng):
        """Those of another batch, of the size 1."""
        s = self.subject
        needed = s.program.needed(tuple(s.statistics))
        data = {q: 0.3 + rng.standard_normal(self.shapes.program_shape(q)) for q in s.role("data")}
        with np.errstate(all="ignore"):  # there may be none
            found = evaluate(needed, {q: v for q, v in (self.values() | data).items() if q in needed.inputs})
        return {q: self.shapes.to_user(q, found[q]) for q in s.statistics}

    def kink_distance(self):
        """How far the data stay from where the definition is not differentiable."""
        interpreter = Interpreter(self.subject.program, self.values(), FLOATS)
        least = np.inf
        with np.errstate(all="ignore"):
            for e in self.subject.program.equations:
                for f in kinks(e):
                    sides = [interpreter(a) for a in f.args]
                    difference = sides[0] - sides[1] if len(sides) == 2 else sides[0]
                    least = min(least, np.min(np.abs(difference), initial=np.inf))
                interpreter.compute(e)
        return least

    def values(self):
        """The inputs as the program has them, in float64, with numbers for what is left out."""
        found = {}
        for q in self.subject.program.inputs:
            value = self.arrays[q.name]
            full = np.full(self.shapes.shape(q), q.absent) if value is None else value
            full = np.broadcast_to(full, self.shapes.shape(q)) if q.role == "mask" else full
            found[q] = self.shapes.to_program(q, full).astype(float)
        return found

    def replace(self, **changed):
        """The same problem with other arguments."""
        other = copy.copy(self)
        other.arrays = self.arrays | changed
        other._saved = None
        return other

    def astype(self, dtype, vectors=None):
        """In another dtype; `vectors` is that of the arrays that are not data."""
        elements = [*self.subject.role("data", "mask"), self.subject.output]

        def cast(name, value):
            if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
                return value
            if name in self.extra:
                return value.astype(vectors or dtype)
            return value.astype(dtype if self.subject.of(name) in elements else vectors or dtype)

        return self.replace(**{name: cast(name, value) for name, value in self.arrays.items()})

    @property
    def dtype(self):
        return self.arrays[self.subject.role("data")[0].name].dtype

    def saved(self):
        if self._saved is None:
            self._saved = self.call("forward")["saved"]
        return self._saved

    def keywords(self, function):
        """Every argument of a call."""
        found, takes = {}, self.subject.parameters(function)
        for name in takes:
            if name == "saved":
                found[name] = self.saved()
            elif name in self.arrays:
                found[name] = self.arrays[name]
            elif name in self.options:
                found[name] = self.options[name]
        if "normalized_ndim" in takes and not any(
            self.arrays[q.name] is not None for q in self.subject.role("parameter") if q.name in takes
        ):
            found["normalized_ndim"] = self.form.normalized_ndim
        return found

    def needs(self, function):
        """The fields of `saved` that a function reads, by name: those without which it fails."""
        saved = self.saved()
        return [n for n in saved._fields if not self._succeeds(function, saved._replace(**{n: object()}))]

    def reads(self, function):
        """The arrays among them."""
        found = {n: getattr(self.saved(), n) for n in self.needs(function)}
        return {n: v for n, v in found.items() if isinstance(v, np.ndarray)}

    def _succeeds(self, function, saved):
        try:
            getattr(self.subject.kernels, function)(**self.keywords(function) | {"saved": saved})
        except Exception:
            return False
        return True

    def call(self, function, /, **changed):
        """The results by name."""
        got = getattr(self.subject.kernels, function)(**self.keywords(function) | changed)
        return self.named(function, got)

    def named(self, function, got):
        names = self.subject.results(function)
        return dict(zip(names, (got,) if len(names) == 1 else got, strict=True))


def arrays_of(*values):
    """The arrays among values, those in tuples too."""
    found = []
    for value in values:
        found += arrays_of(*value) if isinstance(value, tuple) else [value] if isinstance(value, np.ndarray) else []
    return found


def zeros_and_ones(definition, q, drawn):
    """A mask that leaves two positions of each channel at least; one-hot along the axis that a premise sums it over."""
    for premise in definition.premises:
        if premise.term.body == q:
            axis = q.axes.index(premise.term.axes[0])
            return (drawn == drawn.max(axis, keepdims=True, initial=0)).astype(float)
    taken = np.where(drawn >= 0.4, 1.0, 0.0)
    taken[:2] = 1.0
    return taken


def small_problem(subject, at=0, **options):
    return Problem(subject, small(subject)[at], **options)


def medium_problem(subject, at=0, **options):
    return Problem(subject, medium(subject)[at], margin=1e-3, **options)
