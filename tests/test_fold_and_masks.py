"""What inference folds into, and what a mask leaves out: where it is so, where it is not, and kernels that run."""

import pytest
import sympy

from bnsym.api import emit
from bnsym.lowering.lower import lower
from tests.test_trial import CHANNELS, derived


def with_values(equations, more):
    return CHANNELS.format(equations).replace("x, y =", f"{more}\nx, y =")


@pytest.mark.parametrize(
    ("equations", "more", "found"),
    [
        ("*moments, Eq(y, gamma * (x - mean) / sqrt(var + eps))", "", "gamma * (x - mean) / sqrt(var + eps)"),
        ("moments[0], Eq(y, (x - mean) ** 2 - x**2)", "", "mean**2 - 2 * mean * x"),
        ("moments[0], Eq(y, (x - mean) / m)", "", None),
        ("moments[0], Eq(y, 2 * x)", "", None),
        ("moments[0], Eq(y, gamma * x)", "", None),
        ("moments[0], Eq(y, gamma * (x - mean) + step(x))", "", None),
        ("moments[0], Eq(z, x - mean), Eq(y, z + mean)", 'z = values("z", i, c)', None),
        ("moments[0], Eq(z, x - mean), Eq(y, z * gamma)", 'z = values("z", i, c)', "outputs"),
        ("moments[0], Eq(y, r * x - mean)", 'r = data("r", i, c)', None),
    ],
)
def test_inference_is_folded_where_it_is_affine_by_channel(tmp_path, equations, more, found):
    text = with_values(equations, more)
    if found == "outputs":
        text, found = text.replace("equations=[", "outputs=[z, y], equations=["), None
    derivation = derived(tmp_path, text)
    assert (derivation.fold is None) == (found is None)
    emit(derivation, (), "numpy")
    if found:
        (scale, shift), x = (e.right for e in derivation.fold.equations), derivation.forward.inputs[0]
        names = {q.name: q for q in derivation.inference.inputs}
        assert sympy.expand(scale * x + shift - sympy.sympify(found, locals=names)) == 0


@pytest.mark.parametrize(
    ("equations", "more", "jvp"),
    [
        ("moments[0], Eq(y, t * (x - mean))", "", ()),
        ("Eq(mean, Sum(t * x, i) / m), Eq(y, t * (x - mean))", "", ("x", "tx")),
        ("moments[0], Eq(z, x - mean), Eq(y, t * z * r)", 'r, z = data("r", i, c), values("z", i, c)', ("r", "tr")),
        ("Eq(mean, Sum(t * x, i) / m), Eq(y, u * (x - mean))", 'u = mask("u", i, c)', ()),
    ],
)
def test_what_a_mask_leaves_out_may_be_anything_where_forward_allows_it(tmp_path, equations, more, jvp):
    derivation = derived(tmp_path, with_values(equations, 't = mask("t", i, c)\n' + more))
    assert tuple(q.name for q in lower(derivation)["jvp"].masked) == jvp
    emit(derivation, (), "numpy")
