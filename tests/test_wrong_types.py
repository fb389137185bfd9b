"""What a definition file gives of a wrong type is refused in one sentence that points at the line."""

import pytest

from tests.test_definitions import GOOD, refused

NORMALIZED = "Eq(y, gamma * (x - mean) / sqrt(var + eps))"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (NORMALIZED, "Eq(y, None)", "11: the right side of the equation for y is an expression, not None"),
        (NORMALIZED, "Eq(y, 'x - mean')", "11: the right side of the equation for y is an expression, not 'x - mean'"),
        (NORMALIZED, "Eq(y, [x])", "11: the right side of the equation for y is an expression, not [x]"),
        (NORMALIZED, "Eq(y, stop_gradient(None))", "11: what derivatives hold fixed is an expression, not None"),
        (NORMALIZED, "Eq(y, Max(x, None))", "11: what Max is taken of is an expression, not None"),
        (NORMALIZED, "Eq(y, Min('x', 0))", "11: what Min is taken of is an expression, not 'x'"),
        ("=EQUATIONS", "=[3]", "13: equations is a list of Eq(left, right), not [3]"),
        ("=EQUATIONS", "=3", "13: equations is a list of Eq(left, right), not 3"),
        ("=EQUATIONS", "=EQUATIONS, outputs=y", "13: outputs is a list of quantities, not y"),
        ("=EQUATIONS", "=EQUATIONS, saved=['mean']", "13: saved is a list of quantities, not ['mean']"),
        ("=EQUATIONS", "=EQUATIONS, premises=3", "13: premises is a list of premise(...), not 3"),
        ("=EQUATIONS", "=EQUATIONS, premises=[premise(Sum(x, i), None)]", "13: what a premise gives a sum is an expr"),
        ("default=1e-5", "default='a'", "5: eps is a constant, a number, and is given 'a'"),
        ("default=1e-5", "at_least='a'", "5: eps is a constant, a number, and is given 'a'"),
        ("default=1e-5", "default=2, at_least=1.5j", "5: eps is a constant, a number, and is given 1.5j"),
        ("default=1e-5", "default=1, at_least=None", "5: eps is a constant, a number, and is given None"),
        ("default=1e-5", "default=1, at_least=2", "5: eps is a constant, a number of at least 2; its default is 1"),
        ("absent=1", "absent=[1]", "13: an omitted gamma stands for a whole number such as 0 or 1, not [1]"),
        ("size(i)", "size(None)", "3: a size is that of an axis, and None is none"),
        ('values("y z", i, c)', "values(3, i, c)", "7: names stand in one text, separated by blanks, and are 3"),
        ('axes("i c")', 'axes("i i")', "2: axis i is declared twice"),
        ("EQUATIONS = ", "raise ValueError('a\\nb')\nEQUATIONS = ", "8: ValueError: a b"),
        ("EQUATIONS = ", "\0EQUATIONS = ", "source code string cannot contain null bytes"),
    ],
)
def test_a_wrong_type_is_refused_at_its_line(tmp_path, old, new, says):
    assert old in GOOD
    message = refused(tmp_path, GOOD.replace(old, new))
    assert says in message, message
    assert f"{tmp_path / 'made.py'}:" in message, message
    assert "None:" not in message
