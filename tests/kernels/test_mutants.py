"""The suite is checked: wrong kernels, planted in a copy of the printed text, must be rejected by its own checks.

Every place where a function adds, subtracts, divides by a number of elements or multiplies by gamma gives a mutant. One
that survives is a hole in the suite, or a term that is always 0, which a kernel should not compute.
"""

import inspect
import re
import types
from functools import cache, wraps

import numpy as np
import pytest

from bnsym.lowering.lower import lower

from .agreement import check
from .digits import exact
from .forms import small
from .norms import derivation
from .subjects import FUNCTIONS, Subject, over

COUNTS = r"(m|count|\(?locations \* width\)?|features|locations|examples)"
MUTATIONS = {
    "sign": [
        (r"np\.add\(", "np.subtract("),
        (r"np\.subtract\(", "np.add("),
        (r"(?<=\S) \+ (?=\S)", " - "),
        (r"(?<=[\w)]) - (?=\S)", " + "),
    ],
    "dropped term": [
        (r"np\.(?:add|subtract)\((\w+), [^\n]*, out=\1\)", "pass"),
        (r"(?<=[\w)]) ([-+]) ([\w.* /]+)$", r" \1 0 * (\2)"),
    ],
    "wrong count": [(rf"(?<= / ){COUNTS}(?!\w)", r"(\1 - 0.25)")],
    "missing gamma": [
        (r"(?<!\w)gamma \* ", "gamma**0 * "),
        (r" \* gamma\b", " * gamma**0"),
        (r"(?<!\w)gamma(?=\.astype\(dtype, copy=False\))", "(gamma**0)"),
        (r"(?<=_beside\()gamma(?=, )", "gamma**0"),
    ],
}
"""What each does to the text, one place at a time."""


def mutants(text):
    """(kind, the line, the text with one place changed), for statements only."""
    lines = text.split("\n")
    body = max(i for i, line in enumerate(lines) if '"""' in line) + 1
    for i in range(body, len(lines)):
        statement = lines[i].strip()
        if (
            not statement
            or statement.startswith(("#", "return", "if ", "raise", "def ", "dtype =", "shifted ="))  # any shift does
            or "reshape(shape)" in statement
            or ("_beside(mean" in statement and any("def sweep_" in line for line in lines[i:]))  # one factor would do
        ):
            continue
        for kind, changes in MUTATIONS.items():
            for pattern, new in changes:
                for match in re.finditer(pattern, lines[i]):
                    changed = lines[i][: match.start()] + match.expand(new) + lines[i][match.end() :]
                    yield kind, statement, "\n".join([*lines[:i], changed, *lines[i + 1 :]])


@cache
def steadied(name):
    """The saved means that any number may stand in for, by function."""
    return {n: [s.mean.name for s in k.steadied] for n, k in lower(derivation(name)).items()}


def printed(subject, function):
    """The text of a function's mathematics, and of what calls it: of tiles that in parts, which others do not reach."""
    module = subject.kernels.module
    inner = vars(module).get(f"_{function}_in_parts" if subject.backend == "tiles" else f"_{function}")
    if subject.backend == "tiles" and inner is None:
        pytest.skip("no parts of tiles: NumPy's tiles have the same text")
    texts = [inspect.getsource(f) for f in (inner, getattr(module, function)) if f is not None]
    return texts[0], "".join(texts[1:])


def planted(subject, function, text):
    """The subject with one function's text replaced; and once more with any number in the place of a saved mean."""
    module = types.ModuleType(subject.kernels.module.__name__)
    module.__dict__.update(vars(subject.kernels.module))
    exec(compile(text, "a mutant", "exec"), module.__dict__)
    yield Subject(subject.backend, subject.name, module)
    if names := steadied(subject.name)[function]:
        module.forward = moved(module.forward, names)
        yield Subject(subject.backend, subject.name, module)


def moved(forward, names):
    """What rounding could do to the saved means, and more."""

    @wraps(forward)
    def other(*given, **named):
        *results, saved = forward(*given, **named)
        return (*results, saved._replace(**{name: getattr(saved, name) + 100 for name in names}))

    return other


def rejected(truths, subjects, function):
    """As test_values.py tries it, in every form that it tries."""
    for subject in subjects:
        for truth in truths:
            problem = truth.problem.replace()
            problem.subject = subject
            try:
                check(problem, function, problem.call(function), getattr(truth, function))
            except AssertionError:
                return True
    return False


@over(lambda s: s.does.replaceable)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_mutant_is_rejected(subject, function):
    truths = [exact(subject, form) for form in small(subject)[:2]]
    text, caller = printed(subject, function)
    assert not rejected(truths, planted(subject, function, text + caller), function)
    survivors, kinds = [], set()
    for kind, statement, mutant in mutants(text):
        kinds.add(kind)
        with np.errstate(all="ignore"):
            if not rejected(truths, planted(subject, function, mutant + caller), function):
                survivors.append(f"{kind}: {statement}")
    assert not survivors, "\n".join(survivors)
    if any(q.name == "gamma" for q in subject.role("parameter")) and function != "forward":
        assert {"sign", "wrong count", "missing gamma"} <= kinds
