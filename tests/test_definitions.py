"""What a definition file may say and may not: each refusal is one sentence that points at the line."""

import pytest

import bnsym
from bnsym.definitions import NAMES

GOOD = """from bnsym.language import *
i, c = axes("i c")
m = size(i)
x, gamma = data("x", i, c), parameter("gamma", c, absent=1)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", c)
y, z = values("y z", i, c)
EQUATIONS = [
    Eq(mean, Sum(x, i) / m),
    Eq(var, Sum((x - mean) ** 2, i) / m),
    Eq(y, gamma * (x - mean) / sqrt(var + eps)),
]
made = Definition("made", source="a test", layout="channels", equations=EQUATIONS)
"""


def read(tmp_path, text):
    path = tmp_path / "made.py"
    path.write_text(text)
    return bnsym.definition(path)


def refused(tmp_path, text):
    with pytest.raises(bnsym.DefinitionError) as error:
        read(tmp_path, text)
    message = str(error.value)
    assert "\n" not in message
    return message


def with_lines(*lines):
    """The good file with its equations replaced."""
    start, _, end = GOOD.partition("EQUATIONS = [\n")
    return start + "EQUATIONS = [\n" + "".join(f"    {line},\n" for line in lines) + "]\n" + end.partition("]\n")[2]


MASKED = with_lines("Eq(count, Sum(t, i))", "Eq(mean, Sum(t * x, i) / count)", "Eq(y, t * (x - mean))").replace(
    "EQUATIONS", 't, count = mask("t", i, c), counts(c)\nEQUATIONS', 1
)

HELD = GOOD.replace(
    "    Eq(y,", "    Eq(r, stop_gradient(Min(sqrt(var) / sqrt(running), most))),\n    Eq(y, r *"
).replace(
    "EQUATIONS", 'r, running, most = fixed("r", c, absent=1), fixed("running", c), constant("most")\nEQUATIONS', 1
)


def test_the_good_file_is_read(tmp_path):
    made = read(tmp_path, GOOD)
    assert [q.name for q in made.program.inputs] == ["x", "gamma", "eps"]
    assert [q.name for q in made.saved] == ["mean", "var"]
    assert [str(s) for e in made.program.equations[:1] for s in e.terms[0].body.free_symbols if s.role == "size"] == [
        "m"
    ]
    assert made.program.equations[1].origin.line == 10


@pytest.mark.parametrize("name", NAMES)
def test_the_projects_own_definitions_are_read_as_a_users_are(name):
    assert bnsym.definition(name).name == name


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        (["Eq(y, x - mean)", "Eq(mean, Sum(x, i) / m)"], 9, "uses mean, which no earlier equation computes"),
        (["Eq(mean, x)"], 9, "x varies along i, and mean does not: sum over i"),
        (["Eq(mean, Sum(x, i) / m)", "Eq(mean, Sum(x, i))"], 10, "mean is computed a second time"),
        (["Eq(gamma, Sum(x, i))"], 9, "gamma is declared as a parameter, an input"),
        (["Eq(y, x + y)"], 9, "uses y itself"),
        (["Eq(y, x - Sum(x, i) * Sum(x, i))"], 9, "stands inside another expression"),
        (["Eq(y, exp(Sum(x, i)))"], 9, "stands inside another expression"),
        (["Eq(y, x - Sum(x, i) / m)"], 9, "name the sum in an equation of its own that does not vary along i"),
        (["Eq(y, x * Sum(x, i))"], 9, "sums over i, which y or another factor varies along too"),
        (["Eq(mean, Max(x, i))"], 9, "Max over an axis has no derivative here"),
        (["Eq(mean, stop_gradient(2 * Max(x, i)))"], 9, "Max over an axis has no derivative here"),
        (["Eq(x - mean, y)"], 9, "the left side of an equation is a declared quantity"),
        (["Eq(y, x + i)"], 9, "i in the equation for y is not a declared quantity"),
        (["Eq(y, x - undefined)"], 9, "NameError: name 'undefined' is not defined"),
        (["Eq(y, x -)"], 9, "invalid syntax"),
        (["Eq(y, x / 0)"], 9, "the equation for y divides by zero"),
        (["Eq(mean, Sum(mean, i))"], 9, "uses mean itself"),
    ],
)
def test_a_wrong_equation_is_refused_at_its_line(tmp_path, lines, line, says):
    message = refused(tmp_path, with_lines(*lines))
    assert f"made.py:{line}:" in message, message
    assert says in message, message


@pytest.mark.parametrize(
    ("right", "says"),
    [
        ("x**i", "i in the equation for y"),
        ("x**x", "the exponent of x**x in the equation for y may only be a rational number"),
        ("2**x", "the exponent of 2**x"),
        ("m**x", "the exponent of"),
        ("x**sympy.pi", "the exponent of x**pi"),
        ("sympy.sin(x)", "sin in the equation for y is not in the language, which has Sum, sqrt, exp"),
        ("sympy.sinh(x)", "sinh in the equation for y is not in the language"),
        ("sympy.floor(x)", "floor in the equation for y is not in the language"),
        ("sympy.Heaviside(x)", "Heaviside in the equation for y is not in the language"),
        ("sympy.Piecewise((x, x > 0), (0, True))", "Piecewise in the equation for y is not in the language"),
        ("sympy.Integral(x, x)", "Integral in the equation for y is not in the language"),
        ("sympy.Function('f')(x)", "f in the equation for y is not in the language"),
        ("sympy.Matrix([x])", "in the equation for y is not in the language"),
        ("sympy.Symbol('w') * x", "w in the equation for y is not a declared quantity"),
        ("(x, x)", "Tuple in the equation for y is not in the language"),
        ("sympy.I * x", "I in the equation for y is not a real number"),
        ("sqrt(-1) * x", "is not a real number"),
        ("log(-1) * x", "is not a real number"),
        ("log(0) * x", "divides by zero, or holds what is no number"),
        ("x * 1e400", "divides by zero, or holds what is no number"),
        ("x * float('nan')", "divides by zero, or holds what is no number"),
        ("x / (m - m)", "divides by zero"),
        ("Sum(x)", "Sum in the equation for y runs over axes, each named once, and is given no axis"),
        ("Sum(x, 'i')", "Sum in the equation for y runs over axes, each named once, and is given i"),
        ("x * Sum(x, i, i)", "Sum in the equation for y runs over axes, each named once, and is given i"),
        ("2 * stop_gradient(x)", "stop_gradient(...) in the equation for y must be the whole right side"),
        ("x + stop_gradient(mean)", "stop_gradient(...) in the equation for y must be the whole right side"),
        ("stop_gradient(stop_gradient(x))", "stop_gradient(...) in the equation for y must be the whole right side"),
        ("mean", "y varies along i, and nothing in its equation does"),
        ("1", "y varies along i, c, and nothing in its equation does"),
        ("x * size(k)", "the equation for y runs over k, which no input varies along"),
        ("x * size(x)", "the equation for y runs over x, which no input varies along"),
        ("x + Sum(mean, k)", "the equation for y runs over k, which no input varies along"),
    ],
)
def test_what_is_not_in_the_language_is_refused_at_its_line(tmp_path, right, says):
    text = with_lines("Eq(mean, Sum(x, i) / m)", f"Eq(y, {right})")
    message = refused(tmp_path, text.replace("EQUATIONS", "import sympy; k = axes('k')\nEQUATIONS", 1))
    assert "made.py:11: " in message, message
    assert says in message, message


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("Sum(t, i))", "Sum(t, i) / 2)", 10, "count counts what a mask leaves: Eq(count, Sum(mask, axis))"),
        ("Sum(t, i))", "Sum(x, i))", 10, "count counts what a mask leaves"),
        ("Sum(t, i))", "Sum(1 - t, i))", 10, "count counts what a mask leaves"),
        ("Sum(t, i))", "Sum(t, i) + 1)", 10, "count counts what a mask leaves"),
        ("Sum(t, i))", "stop_gradient(Sum(t, i)))", 10, "count counts what a mask leaves"),
        ("Sum(t, i))", "stop_gradient(Max(t, i)))", 10, "count counts what a mask leaves"),
        ("Sum(t, i))", "m)", 10, "count varies along c, and nothing in its equation does"),
        ("    Eq(count, Sum(t, i)),\n", "", 10, "the equation for mean uses count, which no earlier equation computes"),
        ("    Eq(mean", "    Eq(var, Sum(t, i)),\n    Eq(mean", 11, "var holds the sum that counts() is; write count"),
        ("    Eq(mean", "    Eq(counts(i), Sum(t, c)),\n    Eq(mean", 11, "count is declared twice"),
        ("counts(c)", "counts()", 10, "t varies along c, and count does not: sum over c"),
        (
            "equations=EQUATIONS",
            "equations=EQUATIONS, saved=[mean]",
            14,
            "saves the statistics and no more; see to count",
        ),
        ("Eq(y, t", "Eq(t, x), Eq(y, t", 12, "t is declared as a mask, an input; no equation can compute it"),
    ],
)
def test_a_wrong_count_is_refused(tmp_path, old, new, line, says):
    assert read(tmp_path, MASKED).name == "made"
    assert old in MASKED
    message = refused(tmp_path, MASKED.replace(old, new))
    assert says in message, message
    assert f"made.py:{line}: " in message, message


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("stop_gradient(Min(sqrt(var) / sqrt(running), most))", "var / running", 12, "write stop_gradient(...)"),
        ("sqrt(running)", "Sum(x * running, i)", 12, "stands inside another expression"),
        ("Min(sqrt(var) / sqrt(running), most)", "Sum(x * running, i)", 12, "its equation holds the data x"),
        ("Min(sqrt(var) / sqrt(running), most)", "Sum(running, i)", 12, "its equation holds a sum"),
        ("sqrt(running)", "gamma", 12, "may be computed from statistics, fixed inputs, constants alone"),
        ("sqrt(running)", "m", 12, "its equation holds the size"),
        ("sqrt(running)", "r", 12, "the equation for r uses r itself"),
        ("sqrt(running)", "y", 12, "the equation for r uses y, which no earlier equation computes"),
        ("sqrt(running)", "2", 12, "computed from no array that is given; declare one"),
        ("sqrt(running)", "i", 12, "i in the equation for r is not a declared quantity"),
        ("sqrt(running)", "0", 12, "divides by zero"),
        ("    Eq(y, r *", "    Eq(r, stop_gradient(var * running)),\n    Eq(y, r *", 13, "r is computed a second time"),
        ("    Eq(var", "    Eq(z, r * x),\n    Eq(var", 11, "uses r, which no earlier equation computes"),
        ("(var) / sqrt", "(late) / sqrt", 12, "the equation for r uses late, which no earlier equation computes"),
        ('fixed("running", c)', 'parameter("running", c)', 12, "its equation holds the parameter running"),
        ('fixed("running", c)', 'fixed("gamma", c)', 14, "gamma is declared twice"),
        ('fixed("running", c)', 'fixed("dx", c)', 14, "dx is what the gradient of x is called"),
        ('fixed("running", c)', 'fixed("running", i)', 12, "running varies along i, and r does not"),
        (
            "absent=1), fixed",
            "absent=0.5), fixed",
            14,
            "an omitted r stands for a whole number such as 0 or 1, not 0.5",
        ),
    ],
)
def test_a_wrong_correction_is_refused(tmp_path, old, new, line, says):
    held = HELD.replace("EQUATIONS", "late = statistics('late', c)\nEQUATIONS", 1)
    assert [q.name for q in read(tmp_path, held).correction.outputs] == ["r"]
    assert old in held
    message = refused(tmp_path, held.replace(old, new))
    assert says in message, message
    assert f"made.py:{line + 1}: " in message or f"made.py:{line + 2}: " in message, message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('data("x", i, c)', 'data("not a name", i, c)', "'not a name' cannot name a data: a name is a Python"),
        ('data("x", i, c)', 'data("lambda", i, c)', "a name is a Python identifier"),
        ('data("x", i, c)', 'data("out", i, c)', "the generated functions use that name themselves"),
        ('parameter("gamma", c', 'parameter("x", c', "x is declared twice"),
        ('layout="channels"', 'layout="diagonal"', "layout 'diagonal' is not known; choose from channels"),
        ("equations=EQUATIONS", "equations=[]", "made has no equations"),
        ("equations=EQUATIONS", "equations=EQUATIONS, outputs=[z]", "z is to be returned, but no equation computes it"),
        ('Definition("made"', 'Definition("import"', "a name is a Python identifier"),
        ("made = Definition", "made = lambda: Definition", "needs one Definition, and has 0"),
        ("made = ", "another = Definition('another', source='', layout='channels', equations=EQUATIONS)\nmade = ",
         "needs one Definition, and has 2"),
        ('axes("i c")', 'axes("i i")', "axis i is declared twice"),
        ('data("x", i, c)', 'data("x", i, i)', "x varies along i twice"),
        ('data("x", i, c)', 'data("x", "i", c)', "x varies along axes, and i is none"),
        ("default=1e-5", "default=float('inf')", "eps is a constant, a number, and is given inf"),
        ("default=1e-5", "default=True", "eps is a constant, a number, and is given True"),
        ("default=1e-5", "default=2, at_least=1.5j", "eps is a constant, a number, and is given 1.5j"),
        ("absent=1", "absent='a'", "an omitted gamma stands for a whole number such as 0 or 1, not 'a'"),
        ("absent=1", "absent=True", "an omitted gamma stands for a whole number"),
        ('source="a test"', "source=3", "source says in words where made is from, and is 3"),
        ("equations=EQUATIONS", "equations=EQUATIONS[:2]", "var is a statistic; the output is declared by values()"),
        ("equations=EQUATIONS", "equations=EQUATIONS, outputs=[y, y]", "y is to be returned twice"),
        ("equations=EQUATIONS", "equations=EQUATIONS, outputs=[x]", "x is to be returned, but no equation computes it"),
        ("equations=EQUATIONS", "equations=EQUATIONS, saved=[]", "saves the statistics and no more; see to mean"),
        ("equations=EQUATIONS", "equations=EQUATIONS, saved=[mean, var, y]", "and no more; see to y"),
        ("equations=EQUATIONS", "equations=EQUATIONS, saved=[mean, mean, var]", "mean is to be returned twice"),
        ("equations=EQUATIONS", "equations=EQUATIONS, premises=[3]", "a premise says that an input is one-hot"),
        ("equations=EQUATIONS", "equations=EQUATIONS, premises=[premise(Sum(mean, c), 1)]", "an input is one-hot"),
        ("equations=EQUATIONS", "equations=EQUATIONS, premises=[premise(Sum(x**2, i), 1)]", "an input is one-hot"),
        ("equations=EQUATIONS", "equations=EQUATIONS, premises=[premise(Sum(x, i), 2)]", "an input is one-hot"),
        ('values("y z", i, c)', 'values("y z", c)', "x varies along i, and y does not: sum over i"),
        ('layout="channels"', 'layout="groups"', "layout 'groups' needs data along 4 axes, x has 2"),
        ('layout="channels"', 'layout="trailing"', "in layout 'trailing' the statistic"),
        ('parameter("gamma", c', 'parameter("gamma"', "in layout 'channels' the parameter gamma varies along c"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_refused(tmp_path, old, new, says):
    assert old in GOOD
    assert says in refused(tmp_path, GOOD.replace(old, new))
