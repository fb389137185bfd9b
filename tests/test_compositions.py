"""Two definitions put together: what may be, and what is refused at its line."""

import pytest

from tests.test_definitions import GOOD, read, refused

COMPOSED = """from bnsym.language import *
from bnsym.definitions.batch_norm import batch_norm
from bnsym.definitions.layer_norm import layer_norm
from bnsym.definitions.batch_renorm import batch_renorm
from bnsym.definitions.relu import relu
from bnsym.definitions.silu import silu
e = axes("e")
u, w, v, s = data("u", e), *values("w v s", e)
def act(*equations, **more):
    return Definition("act", source="a test", layout="elementwise", equations=equations, **more)
made = composed("made", batch_norm, silu, source="a test")
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("batch_norm, silu", "batch_norm, layer_norm", "batch_norm and layer_norm cannot be composed: one must be"),
        ("batch_norm, silu", "batch_norm, 3", "two definitions are composed, and 3 is none"),
        ('source="a test")\n', "source=3)\n", "source says in words where made is from, and is 3"),
        ('"made"', '"import"', "'import' cannot name a definition"),
        ('"a test")\n', '"a test", between="x")\n', "x is another name there already; say between=..."),
        ('"a test")\n', '"a test", between="mean")\n', "mean is another name there already"),
        ('"a test")\n', '"a test", between="gate")\n', "gate is another name there already"),
        ('"a test")\n', '"a test", between="dx")\n', "dx is what the gradient of x is called"),
        ('"a test")\n', '"a test", between="out")\n', "'out' cannot name a value"),
        ('"a test")\n', '"a test", between=3)\n', "3 cannot name a value"),
        ("silu,", "act(Eq(w, tanh(u)), Eq(v, u * w), outputs=[w, v]),", "act has 2 outputs, and needs one"),
        ("batch_norm, silu", "act(Eq(w, u), Eq(v, u), outputs=[w, v]), batch_norm", "act has 2 outputs, and needs one"),
        ("silu,", "act(Eq(values('x_hat', e), u)),", "batch_norm and act both have a x_hat; rename one of them"),
        ("silu,", "act(Eq(v, u * data('x', e))),", "batch_norm and act both have a x; rename one of them"),
        ("silu,", "act(Eq(v, u * data('gamma', e))),", "batch_norm and act both have a gamma; rename one of them"),
        ("silu,", "act(Eq(v, u / constant('eps', 1.0))),", "batch_norm and act both have a eps; rename one of them"),
        ("silu,", "act(Eq(v, u * data('dx', e))),", "dx is what the gradient of x is called"),
        ("silu,", "act(Eq(values('z', e), tanh(u)), Eq(v, values('z', e))),", "z is another name there already"),
        ("silu,", "act(Eq(v, u * parameter('a'))),", "in layout 'channels' the parameter a varies along c"),
        ("silu,", "act(Eq(values('k'), Sum(u, e)), Eq(v, u * values('k'))),", "layout 'elementwise' has no sums"),
        ("batch_norm, silu", "composed('first', batch_norm, relu, source=''), silu", "z is another name there already"),
    ],
)
def test_a_wrong_composition_is_refused_at_its_line(tmp_path, old, new, says):
    assert old in COMPOSED
    message = refused(tmp_path, COMPOSED.replace(old, new))
    assert "made.py:11: " in message, message
    assert says in message, message


@pytest.mark.parametrize("pair", ["batch_norm, silu", "layer_norm, silu", "batch_renorm, relu", "relu, layer_norm"])
def test_compositions_that_are_right(tmp_path, pair):
    made = read(tmp_path, COMPOSED.replace("batch_norm, silu", pair))
    assert len(made.parts) == 2
    assert (made.correction is None) == ("renorm" not in pair)


def test_a_definition_has_its_own_defaults(tmp_path):
    """SymPy remembers `var + eps` of one file and gives it to the next, whose eps may have another default."""
    first = read(tmp_path, GOOD)
    second = read(tmp_path, GOOD.replace("1e-5", "1e-2").replace("absent=1", "absent=0"))
    assert [(q.default, q.absent) for q in first.program.inputs] == [(None, None), (None, 1), (1e-5, None)]
    assert [(q.default, q.absent) for q in second.program.inputs] == [(None, None), (None, 0), (1e-2, None)]
