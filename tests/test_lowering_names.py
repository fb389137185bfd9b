"""A name that lowering invents and a file declares too: the kernels work, or the file is refused in one sentence."""

import re

import pytest

import bnsym
from bnsym.calculus.derive import derive
from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.lowering.lower import lower
from bnsym.lowering.names import unused
from bnsym.lowering.naming import check_names
from bnsym.model import Axis, Equation, Quantity, Term
from bnsym.render import module_texts
from bnsym.trial import try_out

BATCH = """from bnsym.language import *
i, c = axes("i c")
m = size(i)
x, gamma, beta = data("x", i, c), parameter("gamma", c, absent=1), parameter("beta", c, absent=0)
eps = constant("eps", default=1e-5)
mean, var = statistics("mean var", c)
x_hat, y = values("x_hat y", i, c)
made = Definition("made", source="a test", layout="channels", equations=[
    Eq(mean, Sum(x, i) / m),
    Eq(var, Sum((x - mean) ** 2, i) / m),
    Eq(x_hat, (x - mean) / sqrt(var + eps)),
    Eq(y, gamma * x_hat + beta),
])
"""


def read(folder, text):
    path = folder / "made.py"
    path.write_text(text)
    return bnsym.definition(path)


def invented(derivation):
    """Every name in every kernel that the definition does not declare."""
    own = {q.name for q in (*derivation.forward.inputs, *(e.left for e in derivation.forward.equations))}
    found = set()
    for kernel in lower(derivation).values():
        for o in kernel.operations:
            found |= {q.name for q in (o.left, *o.equation.inputs)}
        found |= {q.name for q in (*kernel.arguments, *kernel.outputs, *kernel.gives_saved)}
    return sorted(found - own)


def named(folder, role, name):
    """The file with another name for one of its quantities: its kernels, or the sentence that refuses it."""
    try:
        quoted = re.sub(rf'"([^"\n]*)\b{role}\b([^"\n]*)"', rf'"\g<1>{name}\g<2>"', BATCH)
        derivation = derive(read(folder, quoted))
        kernels = lower(derivation)
        check_names(derivation.definition, kernels.values())
    except bnsym.DefinitionError as error:
        return None, str(error)
    return kernels, ""


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    return invented(derive(read(tmp_path_factory.mktemp("names"), BATCH)))


@pytest.mark.parametrize(
    ("role", "first", "every"), [("gamma", 0, 2), ("gamma", 1, 6), ("mean", 3, 8), ("x_hat", 5, 8)]
)
def test_no_kernel_has_two_quantities_of_one_name(tmp_path, names, role, first, every):
    """Each invented name in turn for a quantity of the file's own: refused, or every kernel tells the two apart."""
    assert {"inv_std", "mean_dy", "dy_centred", "scale", "shift", "pivot", "dx", "g_x", "tdx"} <= set(names)
    tried, refused = names[first::every], 0
    for name in tried:
        kernels, sentence = named(tmp_path, role, name)
        if kernels is None:
            assert re.search(rf"\b{name}\b", sentence), sentence
            refused += 1
            continue
        for kernel in kernels.values():
            found = {q for o in kernel.operations for q in (o.left, *o.equation.inputs) if q.name == name}
            assert len({q.axes for q in found}) <= 1, (kernel.name, name)
    assert refused > len(tried) / 2


@pytest.mark.parametrize(
    "name",
    ["work", "unit", "total_1", "erf_z", "step_z", "sum_dy", "coef_x_hat", "x_centred", "dy_centred", "el", "ype"],
)
def test_a_name_of_the_printed_text_works_or_is_refused(tmp_path, name):
    kernels, sentence = named(tmp_path, "gamma", name)
    if kernels is None:
        assert name in sentence
        assert "\n" not in sentence
        return
    derivation = derive(bnsym.definition(tmp_path / "made.py"))
    (text,) = module_texts(derivation.definition, kernels, (), "numpy").values()
    assert f"    {name}: Array | None,\n" in text
    try_out(text, derivation, kernels)


ROW, COLUMN = Axis("i"), Axis("c")


@pytest.mark.parametrize(
    ("name", "axes", "left", "says"),
    [
        ("tx_centred", (COLUMN,), "tx_centred", "jvp has two quantities called tx_centred"),
        ("tx_centred", (ROW, COLUMN), "tx_centred", "jvp computes a second tx_centred"),
        ("other", (COLUMN,), "total_2", "total_2 in jvp is a word of the printed text"),
        ("other", (COLUMN,), "work_2", "work_2 in jvp is a word of the printed text"),
        ("other", (COLUMN,), "del", "del in jvp is a word of the printed text"),
    ],
)
def test_within_one_kernel_each_name_is_that_of_one_quantity(tmp_path, name, axes, left, says):
    definition = read(tmp_path, BATCH)
    given, made = Quantity(name, axes, "gradient"), Quantity(left, (ROW, COLUMN), "gradient")
    right = Equation(made, (Term(definition.program.inputs[0]),))
    kernel = Kernel("jvp", (given,), (Operation(Kind.MAP, right),), (made,))
    with pytest.raises(bnsym.DefinitionError, match=says):
        check_names(definition, [kernel])


def test_there_is_always_a_name_left():
    taken = {"scale", "y_scale", *(f"scale_{k}" for k in range(2, 200))}
    assert unused("scale", taken=taken) == "scale_200"
    assert unused("scale", "y_scale", taken={"scale"}) == "y_scale"
    assert unused("scale", "y_scale", taken={"scale", "y_scale"}) == "scale_2"
