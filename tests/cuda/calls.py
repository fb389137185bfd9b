"""Generated modules called with arrays between guard pages, and held against NumPy's in float64."""

import numpy as np

from tests.kernels.problems import Problem, arrays_of
from tests.kernels.subjects import made

SLACK = 400  # roundings of the dtype that is computed in: as in the properties of kernels


def stored(dtype):
    """NumPy's dtype of a name; of bfloat16 too, where ml_dtypes is installed."""
    if dtype != "bfloat16":
        return np.dtype(dtype)
    import ml_dtypes

    return np.dtype(ml_dtypes.bfloat16)


def kept(dtype):
    return np.dtype(np.float64 if dtype == "float64" else np.float32)


class Calls:
    """A problem as a module is called with it, function by function, and what it should give.

    That is what NumPy gives in float64 of the very values that are stored in the dtype. Each function but forward is
    given what NumPy's forward saved. `changed` replaces arrays of the problem, or options.
    """

    def __init__(self, name, form, dtype="float32", **changed):
        self.subject, self.dtype = made("numpy", name), dtype
        options = {n: changed.pop(n) for n in tuple(changed) if not self._is_array(n)}
        problem = Problem(self.subject, form, margin=1e-5).replace(**changed)
        rounded = {n: v.astype(self.stored(n)).astype(float) for n, v in problem.arrays.items() if is_floats(v)}
        self.problem = problem.replace(**rounded, **options)
        self.functions = self.subject.functions

    def _is_array(self, name):
        return bool(self.subject.of(name).axes)

    def stored(self, name):
        """The dtype of an argument: that of the data, but for statistics and what is computed of those."""
        try:
            of_data = self.subject.of(name).role not in ("statistic", "count")
        except KeyError:  # averaged over batches, or saved beside the definition's own
            of_data = False
        return stored(self.dtype) if of_data else kept(self.dtype)

    def expected(self, function):
        with np.errstate(all="ignore"):
            return named(getattr(self.subject.kernels, function)(**self.problem.keywords(function)))

    def keywords(self, module, function, moved=0):
        """What the module's function is given; `moved`, each array ends so many elements before its memory does."""

        def given(name, value):
            if name == "saved":
                return module.Saved(*(given(field, v) for field, v in zip(value._fields, value, strict=True)))
            if not isinstance(value, np.ndarray):
                return value
            dtype = self.stored(name) if is_floats(value) else value.dtype
            room = module.cp.empty(value.size + moved, dtype)[: value.size].reshape(value.shape)
            room[...] = value
            return room

        return {name: given(name, value) for name, value in self.problem.keywords(function).items()}

    def got(self, module, function, moved=0, **options):
        return named(getattr(module, function)(**self.keywords(module, function, moved), **options))

    def check(self, function, got, want=None):
        """Assert that results are NumPy's, up to roundings."""
        want = self.expected(function) if want is None else want
        assert got.keys() == want.keys(), (got.keys(), want.keys())
        for name, value in got.items():
            error = wrong(np.asarray(value), np.asarray(want[name]), kept(self.dtype))
            assert not error, f"{self.subject.name}.{function}: result {name}: {error}"


def named(results):
    """The arrays of a result, and of tuples in it, by where they stand."""
    found = {}
    for at, value in enumerate(results if isinstance(results, tuple) else (results,)):
        found |= {f"{at}.{n}": array for n, array in enumerate(arrays_of(value))}
    return found


LARGEST = {"float16": 65504, "bfloat16": 2.0**128, "float32": 2.0**128, "float64": np.finfo(float).max}
"""What a dtype has no number beyond, or hardly."""


def is_floats(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def wrong(got, want, computed):
    """In which way results differ by more than roundings; nothing where they do not."""
    if got.shape != want.shape:
        return f"shape {got.shape} is not {want.shape}"
    rounding, largest = (0, np.inf) if got.dtype.kind == "i" else (unit(got.dtype), LARGEST[got.dtype.name])
    got = got.astype(float)
    top = np.max(np.abs(want), initial=1, where=np.isfinite(want))
    with np.errstate(invalid="ignore"):
        right = np.abs(got - want) <= SLACK * unit(computed) * top + rounding * np.abs(want)
    right |= (got == want) | (np.isnan(got) & np.isnan(want))
    right |= np.isinf(got) & (np.sign(got) == np.sign(want)) & (np.abs(want) > largest)
    if right.all():
        return ""
    at = tuple(int(i) for i in np.argwhere(~right)[0])
    return f"{np.sum(~right)} of {right.size} wrong, the first at {at}: {got[at]} is not {want[at]}"


def unit(dtype):
    """Half of the distance from 1 to the next number."""
    fraction = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}[dtype.name]
    return 2.0 ** -(fraction + 1)


def bits(results):
    """What can be compared for being the same, bit by bit."""
    return {name: np.asarray(value).tobytes() for name, value in results.items()}
