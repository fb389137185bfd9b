"""The suite is checked: wrong kernels, planted in a copy of the printed text, must be rejected by its own checks.

Every place where a function adds, subtracts, divides by a number of elements or multiplies by gamma gives a mutant.
"""

import inspect
import re
import types

import numpy as np
import pytest

from .agreement import check
from .digits import exact
from .forms import small
from .subjects import FUNCTIONS, Subject

COUNTS = r"(m|count|\(?locations \* width\)?|features|locations|examples)"
MUTATIONS = {
    "sign": [(r"np\.add\(", "np.subtract("), (r"np\.subtract\(", "np.add("), (r"(?<=\S) \+ (?=\S)", " - "), (r"(?<=[\w)]) - (?=\S)", " + ")],
    "dropped term": [(r"np\.(?:add|subtract)\((\w+), [^\n]*, out=\1\)", "pass"), (r"(?<=[\w)]) [-+] [\w.* /]+$", "")],
    "wrong count": [(rf"(?<= / ){COUNTS}(?=\W)", r"(\1 - 0.25)")],
    "missing gamma": [(r"gamma \* ", ""), (r"np\.multiply\((\w+), gamma[^\n]*, out=\1\)", "pass"), (r" \* gamma\b", "")],
}
"""What each does to the text, one place at a time."""

SAME = {
    # The means of dy and x_hat are 0 once they are centred, and a sum of products with x_hat cannot see a shift.
}


def mutants(text):
    """(kind, the line, the text with one place changed), for statements only."""
    lines = text.split("\n")
    body = next(i for i, line in enumerate(lines) if line.startswith("    dtype = ") or ".astype(dtype, copy=False)" in line)
    for i in range(body, len(lines)):
        statement = lines[i].strip()
        if not statement or statement.startswith(("#", "return", "if ", "raise", "dtype =")) or "reshape(shape)" in statement:
            continue
        for kind, changes in MUTATIONS.items():
            for pattern, new in changes:
                for match in re.finditer(pattern, lines[i]):
                    changed = lines[i][: match.start()] + match.expand(new) + lines[i][match.end() :]
                    yield kind, statement, "\n".join([*lines[:i], changed, *lines[i + 1 :]])


def planted(subject, function, text):
    """The subject with one function's text replaced."""
    module = types.ModuleType(subject.kernels.module.__name__)
    module.__dict__.update(vars(subject.kernels.module))
    exec(compile(text, "a mutant", "exec"), module.__dict__)
    return Subject(subject.backend, subject.name, module)


def rejected(truth, subject, function):
    problem = truth.problem.replace()
    problem.subject = subject
    try:
        check(problem, function, problem.call(function), getattr(truth, function))
    except Exception as error:
        return type(error).__name__
    return None


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_mutant_is_rejected(subject, function):
    truth = exact(subject, small(subject)[0])
    text = inspect.getsource(getattr(subject.kernels.module, function))
    assert rejected(truth, planted(subject, function, text), function) is None
    survivors, kinds = [], set()
    for kind, statement, mutant in mutants(text):
        kinds.add(kind)
        with np.errstate(all="ignore"):
            if rejected(truth, planted(subject, function, mutant), function) is None:
                survivors.append(f"{kind}: {statement}")
    assert not survivors, "\n".join(survivors)
    if subject.role("parameter") and subject.layout != "arrays" and function in ("double_backward", "backward_jvp"):
        assert {"sign", "dropped term"} <= kinds
