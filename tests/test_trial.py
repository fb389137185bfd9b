"""The printed text on trial: all sorts of definitions pass it, and a wrong text never does."""

import re

import pytest

import bnsym
from bnsym.api import emit
from bnsym.calculus.derive import derive
from bnsym.calculus.equality import same_outputs
from bnsym.calculus.proofs import prove
from bnsym.definitions import NAMES
from bnsym.language import axes, data, tanh, values
from bnsym.lowering.lower import lower
from bnsym.model import Equation, Program, Term
from bnsym.render import module_text
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
    "relu": CHANNELS.format("*moments, Eq(y, Max(gamma * (x - mean) / sqrt(var + eps) + beta, 0))"),
    "a decimal": CHANNELS.format("moments[0], Eq(y, 0.25 * x - mean / 3)"),
    "minus a product": ARRAYS.format("Eq(z, b - Sum(x * w, k))"),
    "a mean product": ARRAYS.format("Eq(z, Sum(x * w, k) / size(k) + b)"),
    "a product of squares": ARRAYS.format("Eq(z, Sum(x**2 * w, k))"),
    "a product of exponentials": ARRAYS.format("Eq(z, Sum(exp(x) * w, k))"),
    "a product, then tanh": ARRAYS.format("Eq(z, Sum(x * w, k) + b), Eq(y, tanh(z))"),
    "a narrower output": ARRAYS.format("Eq(s, log(1 + Sum(x**2, k)))").replace("log(1 + Sum(x**2, k))", "Sum(x**2, k)"),
    **{f"sum over {summed} of a cube": CUBE.format(kept, summed)
       for kept, summed in (("b, k", "a"), ("a, k", "b"), ("a, b", "k"), ("k", "a, b"), ("b", "a, k"), ("a", "b, k"))},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_definition_is_proved_printed_and_right(tmp_path, name):
    """`generate` proves it, prints it, runs what was printed, and compares: it raises where one of these fails."""
    path = tmp_path / "made.py"
    path.write_text(HEADER + TEXTS[name])
    (text,) = bnsym.generate(bnsym.derive(bnsym.definition(path))).values()
    assert "def backward(" in text


WHOLE = ("batch_norm", "layer_norm", "dense")


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_text_is_refused(name):
    """Multiplications, subtractions and sums of the printed statements, changed one at a time."""
    derivation = derive(bnsym.definition(name))
    kernels = lower(derivation)
    text = module_text(derivation.definition, kernels, prove(derivation), "numpy")
    try_out(text, derivation, kernels)
    changes = {
        **{r"np\.multiply\(": "np.add(", r"np\.subtract\(": "np.add(", r" \* inv_std": " + inv_std"},
        **{r" / m$": " / (m - 1)", r"np\.exp\(": "np.tanh(", r"\.T, ": ".T * 2, "},
        r"_sum\((\w+), ": r"2 * _sum(\1, ",
    }
    refused = 0
    for old, new in changes.items():
        for found in sampled(matches(old, text), None if name in WHOLE else 5):
            wrong = text[: found.start()] + found.expand(new) + text[found.end() :]
            with pytest.raises(TrialError):
                try_out(wrong, derivation, kernels)
            refused += 1
    assert refused >= 1


def matches(pattern, text):
    """Where a module's statements have a pattern: not in comments, helpers' heads or docstrings."""
    for found in re.compile(pattern, re.MULTILINE).finditer(text, text.index("import numpy")):
        line = text[text.rfind("\n", 0, found.start()) + 1 : text.find("\n", found.start())]
        if not line.lstrip().startswith(("#", "def ", "return")) and not line.startswith(" " * 8):
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
    monkeypatch.setattr("bnsym.api.module_text", lambda *_: "def forward(x): return x, None")
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
