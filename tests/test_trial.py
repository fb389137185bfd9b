"""The printed text on trial: all sorts of definitions pass it, and a wrong text never does."""

import ast
import re
from functools import cache
from itertools import accumulate
from pathlib import Path

import pytest

import bnsym
from bnsym.api import emit
from bnsym.calculus.derive import derive
from bnsym.calculus.equality import same_outputs
from bnsym.language import axes, data, tanh, values
from bnsym.lowering.lower import lower
from bnsym.lowering.naming import check_names
from bnsym.lowering.verify import verify
from bnsym.model import Equation, Program, Term
from bnsym.proofs import prove
from bnsym.render import module_texts
from bnsym.trial import TrialError, try_out
from tests.definitions import HEADER

CHANNELS = """
i, c = axes("i c")
m = size(i)
x, y = data("x", i, c), values("y", i, c)
gamma, beta, eps = parameter("gamma", c, absent=1), parameter("beta", c, absent=0), constant("eps", default=1e-5)
mean, var = statistics("mean var", c)
moments = [Eq(mean, Sum(x, i) / m), Eq(var, Sum((x - mean) ** 2, i) / m)]
made = Definition("made", source="a test", layout="channels", equations=[
    {}
])
"""

ARRAYS = """
n, k, o = axes("n k o")
x, w, b = data("x", n, k), parameter("w", k, o), parameter("b", o, absent=0)
z, y, s = values("z", n, o), values("y", n, o), values("s", n)
made = Definition("made", source="a test", layout="arrays", equations=[
    {}
])
"""

CUBE = """
a, b, k = axes("a b k")
x, w = data("x", a, b, k), parameter("w", b)
s, y = statistics("s", {0}), values("y", a, b, k)
made = Definition("made", source="a test", layout="arrays", equations=[
    Eq(s, Sum(w * x**2, {1})), Eq(y, x / sqrt(s + 1)),
])
"""

TEXTS = {
    "no gamma": CHANNELS.format("*moments, Eq(y, (x - mean) / sqrt(var + eps) + beta)"),
    "centred only": CHANNELS.format("moments[0], Eq(y, x - mean)"),
    "another name": CHANNELS.format("*moments, Eq(z, x), Eq(y, gamma * z * abs(z - mean))").replace(
        "x, y =", 'z = values("z", i, c)\nx, y ='
    ),
    "residual": CHANNELS.format("*moments, Eq(y, (x - mean) / sqrt(var + eps) + r)").replace(
        "x, y =", 'r = data("r", i, c)\nx, y ='
    ),
    "unbiased variance": CHANNELS.format(
        "moments[0], Eq(var, Sum((x - mean) ** 2, i) / (m - 1)), Eq(y, gamma * (x - mean) / sqrt(var + eps))"
    ),
    "masked": CHANNELS.format(
        "Eq(var, Sum(t, i)), Eq(mean, Sum(t * x, i) / var), Eq(y, gamma * t * (x - mean) + beta)"
    ).replace("x, y =", 't = mask("t", i, c)\nx, y ='),
    "a sign that scales": CHANNELS.format("*moments, Eq(y, sign(mean - 1) * (x - mean) / sqrt(var + eps))"),
    "relu": CHANNELS.format("moments[0], Eq(y, Max(gamma * (x - mean) + beta, 0))"),
    "a decimal": CHANNELS.format("moments[0], Eq(y, 0.25 * x - mean / 3)"),
    "minus a product": ARRAYS.format("Eq(z, b - Sum(x * w, k))"),
    "a mean product": ARRAYS.format("Eq(z, Sum(x * w, k) / size(k) + b)"),
    "a product of squares": ARRAYS.format("Eq(z, Sum(x**2 * w, k))"),
    "a product of exponentials": ARRAYS.format("Eq(z, Sum(exp(x) * w, k))"),
    "a product, then tanh": ARRAYS.format("Eq(z, Sum(x * w, k) + b), Eq(y, tanh(z))"),
    "roots of the data": CHANNELS.format("Eq(mean, Sum(sqrt(x), i) / m), Eq(y, gamma * sqrt(x) / (mean + eps) + beta)"),
    "a constant of at least 1.5": CHANNELS.format("moments[0], Eq(y, (x - mean) / sqrt(mean**2 + k))").replace(
        "x, y =", 'k = constant("k", at_least=1.5)\nx, y ='
    ),
    "a constant in a product": CHANNELS.format("*moments, Eq(y, tanh(k * (x - mean)) / sqrt(1 + eps / var))").replace(
        "x, y =", 'k = constant("k", default=0.5)\nx, y ='
    ),
    "a constant beside an element": CHANNELS.format("*moments, Eq(y, (x - mean) / (abs(x - mean) + eps))"),
    "a narrower output": ARRAYS.format("Eq(s, log(1 + Sum(x**2, k)))").replace("log(1 + Sum(x**2, k))", "Sum(x**2, k)"),
    **{f"sum over {summed} of a cube": CUBE.format(kept, summed)
       for kept, summed in (("b, k", "a"), ("a, k", "b"), ("a, b", "k"), ("k", "a, b"), ("b", "a, k"), ("a", "b, k"))},
}  # fmt: skip


PROVED = ("masked", "minus a product", "a mean product", "a decimal")
"""Of the others it is proved here that the kernels compute what was derived; tests/test_own_norms.py proves more."""


def derived(folder, text):
    path = folder / "made.py"
    path.write_text(HEADER + text)
    return derive(bnsym.definition(path))


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_definition_is_proved_printed_and_right(tmp_path, name):
    """`generate` proves it, prints it, runs what was printed, and compares: it raises where one of these fails."""
    derivation = derived(tmp_path, TEXTS[name])
    if name in PROVED:
        (text,) = bnsym.generate(derivation).values()
        assert "def backward(" in text
        return
    kernels = lower(derivation)
    check_names(derivation.definition, kernels.values())
    (text,) = emit(derivation, tuple(verify(derivation, kernels)), "numpy").values()
    assert "def backward(" in text


@cache
def printed(name):
    """A definition's derivation, kernels and text, which is right."""
    derivation = derive(bnsym.definition(name))
    kernels = lower(derivation)
    (text,) = module_texts(derivation.definition, kernels, (), "numpy").values()
    try_out(text, derivation, kernels)
    return text, derivation, kernels


def refuses(name, wrong):
    text, derivation, kernels = printed(name)
    assert wrong != text
    with pytest.raises(TrialError):
        try_out(wrong, derivation, kernels)


CHANGES = {
    **{r"np\.multiply\(": "np.add(", r"np\.subtract\(": "np.add(", r" \* inv_std": " + inv_std"},
    **{r" / m$": " / (m - 1)", r"np\.exp\(": "np.tanh(", r"\.T, ": ".T * 2, "},
    r"_sum\((\w+), ": r"2 * _sum(\1, ",
}
MOST = {"batch_norm": 6, "dense": 6}
CHANGED = (
    *("batch_norm", "layer_norm", "group_norm", "masked_batch_norm", "batch_renorm"),
    *("instance_norm", "batch_norm_relu", "sigmoid", "gelu", "dense", "linear", "softmax_cross_entropy"),
)
"""One definition of each layout, of each elementwise function and of each way to be fused."""


@pytest.mark.parametrize("name", CHANGED)
def test_a_wrong_text_is_refused(name):
    """Multiplications, subtractions and sums of the printed statements, changed one at a time."""
    text, _, _ = printed(name)
    refused = 0
    for old, new in CHANGES.items():
        for found in sampled(matches(old, text), MOST.get(name, 2)):
            refuses(name, text[: found.start()] + found.expand(new) + text[found.end() :])
            refused += 1
    assert refused >= 1


ADD_RELU = str(Path(bnsym.__file__).with_name("definitions") / "add_relu.py")


@pytest.mark.parametrize(
    ("name", "function", "old", "new"),
    [
        (ADD_RELU, "backward", "np.multiply(total, dy", "np.add(total, dy"),
        (ADD_RELU, "backward", "np.heaviside(total, 0, out=total)", "total[...] = 1"),
        (ADD_RELU, "forward", "np.maximum(", "np.add("),
        ("batch_norm", "inference", "scale = ", "mean = _sum(x, (0, 2)) / (shape[0] * shape[2])\n    scale = "),
        ("batch_norm", "inference_backward", "x_hat = np", "mean = _sum(x, (0, 2)) / shape[0]\n    x_hat = np"),
        ("batch_norm", "inference_backward", "inv_std = ", "var = np.var(x, (0, 2))\n    inv_std = "),
        ("batch_norm", "update_running", "batch_mean * momentum + (1 - momentum) * mean", "batch_mean"),
        ("batch_norm", "update_running", "(1 - momentum) * var", "(1 - momentum) * batch_var"),
        ("batch_norm", "fold", "shift = beta - ", "shift = -"),
        ("masked_batch_norm", "forward", "np.where(", "np.where(True, x, x) + 0 * np.where("),
        ("batch_norm", "forward", "mean_kept = mean / unit", "mean_kept = mean"),
        ("batch_norm", "forward", "var_kept = var / unit / unit", "var_kept = var / unit"),
        ("batch_norm", "forward", "inv_std_kept = inv_std * unit", "inv_std_kept = inv_std"),
        ("batch_norm", "forward", "eps * unit * unit", "eps * unit"),
        ("layer_norm", "forward", "eps * unit * unit", "eps"),
        ("batch_norm", "backward", "_beside(mean_rounding", "_beside(-mean_rounding"),
        ("batch_norm", "jvp", "_beside(mean_rounding", "_beside(0 * mean_rounding"),
        ("layer_norm", "double_backward", "mean_rounding = ", "mean_rounding = 1.001 * "),
        ("gelu", "backward", "0.3989422804014327, out", "0.39894, out"),
    ],
)
def test_what_positive_numbers_and_the_batchs_own_statistics_would_not_show(name, function, old, new):
    text, _, _ = printed(name)
    at = place(text, function, old)
    refuses(name, text[:at] + new + text[at + len(old) :])


def place(text, function, old):
    """Where a function's statements have a piece of text first: its own, and those of its helpers just above it."""
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    for helper in helpers(text, function):
        first, last = helper.body[1].lineno - 1, helper.end_lineno  # behind the docstring
        at = text.find(old, starts[first], starts[last])
        if at >= 0:
            return at
    raise AssertionError(f"{function} has no {old!r}")


def helpers(text, function):
    """A public function and the private ones between the one before it and itself."""
    made = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            made.append(node)
            if node.name == function:
                return made
            if not node.name.startswith("_"):
                made.clear()
    raise AssertionError(f"there is no {function}")


def test_what_is_no_number_where_it_should_be_none_is_refused(tmp_path):
    derivation = derived(tmp_path, TEXTS["roots of the data"])
    kernels = lower(derivation)
    (text,) = module_texts(derivation.definition, kernels, (), "numpy").values()
    assert "np.sqrt(x" in text
    with pytest.raises(TrialError):
        try_out(text.replace("np.sqrt(x", "np.sqrt(np.absolute(x)", 1), derivation, kernels)


def matches(pattern, text):
    """Where a module's statements have a pattern: not in comments, helpers' heads or docstrings.

    The shift of a softmax is left alone: any number does.
    """
    for found in re.compile(pattern, re.MULTILINE).finditer(text, text.index("import numpy")):
        line = text[text.rfind("\n", 0, found.start()) + 1 : text.find("\n", found.start())]
        if not line.lstrip().startswith(("#", "def ", "return", "shifted = ")) and not line.startswith(" " * 8):
            yield found


def sampled(found, most):
    """All, or evenly spaced ones."""
    found = list(found)
    return found if most is None or len(found) <= most else [found[n * len(found) // most] for n in range(most)]


def test_a_text_that_does_not_even_import_is_refused():
    derivation = derive(bnsym.definition("sigmoid"))
    with pytest.raises(TrialError, match="sigmoid: the printed module cannot be imported"):
        try_out("def forward(:", derivation, lower(derivation))


def test_a_text_that_fails_its_trial_is_not_emitted(monkeypatch):
    derivation = derive(bnsym.definition("sigmoid"))
    monkeypatch.setattr("bnsym.api.module_texts", lambda *_: {"sigmoid.py": "def forward(x): return x, None"})
    with pytest.raises(bnsym.ProofError, match="sigmoid: the printed forward does not"):
        emit(derivation, prove(derivation), "numpy")


def test_another_name_for_the_data_proves_nothing():
    """An equation u = x is no mean of x: taken for one, it would make everything equal to everything."""
    i = axes("i")
    x, (u, y) = data("x", i), values("u y", i)
    right = Program((x,), (Equation(u, (Term(x),)), Equation(y, (Term(u),))), (y,))
    wrong = Program((x,), (Equation(u, (Term(x),)), Equation(y, (Term(7 * tanh(u) + 5),))), (y,))
    (proof,) = same_outputs(right, wrong)
    assert not proof.holds
    assert all(p.holds for p in same_outputs(right, right))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gamma", "offset"),
        ("gamma", "inv_std"),
        ("gamma", "pivot"),
        ("gamma", "dx"),
        ("gamma", "shape"),
        ("beta", "scale"),
    ],
)
def test_a_name_that_the_kernels_need_is_refused(tmp_path, old, new):
    text = CHANNELS.format("*moments, Eq(y, gamma * (x - mean) / sqrt(var + eps) + beta)")
    path = tmp_path / "made.py"
    path.write_text(HEADER + re.sub(rf"\b{old}\b", new, text))
    with pytest.raises(bnsym.DefinitionError, match=new):
        bnsym.generate(bnsym.derive(bnsym.definition(path)))
