"""Any shape, any axis, any arrangement of memory: every function of every definition against the complex step."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from .cases import LAYOUTS, lay
from .forms import form
from .problems import Problem
from .steps import Steps


@st.composite
def lengths(draw, least, most, elements=60):
    """A few axes with at least one element each and not too many in all."""
    shape = []
    for _ in range(draw(st.integers(least, most))):
        shape.append(draw(st.integers(1, max(1, min(12, elements)))))
        elements //= shape[-1]
    return tuple(draw(st.permutations(shape)))


@st.composite
def forms(draw, layout):
    if layout == "channels":
        shape = draw(lengths(2, 5))
        return form(layout, shape, draw(st.integers(-len(shape), len(shape) - 1)))
    if layout == "trailing":
        shape = draw(lengths(1, 4))
        return form(layout, shape, draw(st.integers(1, len(shape))))
    if layout == "groups":
        groups, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        n, *rest = draw(lengths(1, 3, 12))
        return form(layout, (n, groups * width, *rest), groups)
    if layout == "instance":
        return form(layout, draw(lengths(3, 5)))
    if layout == "arrays":
        return form(layout, tuple(draw(st.integers(1, 7)) for _ in range(3)))
    return form(layout, draw(lengths(1, 4)))


@st.composite
def problems(draw, subject):
    problem = Problem(subject, draw(forms(subject.layout)), draw(st.integers(0, 2**32 - 1)), margin=5e-3)
    axis = problem.options.get("channel_axis", 0)
    elements = st.sampled_from(LAYOUTS)
    vectors = st.sampled_from(("C", "strided", "reversed", "readonly", "unaligned"))
    changed = {}
    for name, value in problem.arrays.items():
        if isinstance(value, np.ndarray) and value.ndim and name not in problem.extra:
            whole = value.shape == problem.form.shape
            changed[name] = lay(value, draw(elements if whole else vectors), axis)
    return problem.replace(**changed)


def assert_close(what, got, want, magnitude, tolerance):
    assert abs(got - want) <= tolerance * (magnitude + abs(want) + 1e-3), f"{what}: {got} instead of {want}"


@settings(max_examples=12)
@given(data=st.data())
def test_every_function_is_the_complex_step(subject, data):
    problem = data.draw(problems(subject))
    assume(problem.kink_distance() > 5e-3)
    steps, y = Steps(problem), subject.output.name
    back = lambda a: problem.shapes.to_user(subject.output, a)  # noqa: E731
    ty = steps.along(steps.tangents("t"))
    scale = 1e-11 * (1 + np.abs(ty).max())
    got = problem.call("jvp")
    np.testing.assert_allclose(problem.call("forward")[y], back(steps.y), rtol=1e-11, atol=1e-11, err_msg="y")
    np.testing.assert_allclose(got[y], back(steps.y), rtol=1e-11, atol=1e-11, err_msg="y of jvp")
    np.testing.assert_allclose(got[f"t{y}"], back(ty), rtol=0, atol=scale, err_msg="ty")
    for function in ("backward", "backward_jvp"):
        total, size = steps.product(problem.call(function), "d", "t")
        assert_close(function, total, np.sum(steps.dy * ty), size, 1e-11)
    second = steps.second()
    got = problem.call("double_backward")
    products = [steps.product(got, "g_", "t")]
    assert_close("double_backward", *[sum(v) for v in zip(*products, strict=True)][:1], second, products[0][1], 1e-8)
    total, size = steps.product(problem.call("backward_jvp"), "td", "dd")
    assert_close("backward_jvp", total, second, size, 1e-8)


@settings(max_examples=6)
@given(data=st.data())
def test_forward_and_reverse_mode_are_adjoint_in_float32(subject, data):
    """<dy, jvp(t)> = <backward(dy), t>, and the same one order higher."""
    problem = data.draw(problems(subject)).astype(np.float32)
    assume(problem.kink_distance() > 5e-3)
    steps = Steps(problem)
    ty = np.asarray(problem.call("jvp")[f"t{subject.output.name}"], float)
    dy = np.asarray(problem.arrays[f"d{subject.output.name}"], float)
    total, size = steps.product(problem.call("backward"), "d", "t")
    assert_close("first order", total, np.sum(dy * ty), size + np.sum(np.abs(dy * ty)), 1e-4)
    one, one_size = steps.product(problem.call("double_backward"), "g_", "t")
    two, two_size = steps.product(problem.call("backward_jvp"), "td", "dd")
    assert_close("second order", one, two, one_size + two_size, 1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_complex_step_is_the_central_difference(subject, seed):
    """This file's reference against a coarser one."""
    problem = Problem(
        subject, form("channels", (6, 3), 1) if subject.layout == "channels" else SOME[subject.layout], seed
    )
    steps = Steps(problem)
    direction = steps.tangents("t")
    h = 1e-6
    ahead, behind = (
        Steps(
            problem.replace(**{q.name: problem.arrays[q.name] + s * problem.arrays[f"t{q.name}"] for q in direction})
        ).y
        for s in (h, -h)
    )
    np.testing.assert_allclose(steps.along(direction), (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-6)


SOME = {
    "trailing": form("trailing", (3, 5), 1),
    "groups": form("groups", (2, 4, 3), 2),
    "instance": form("instance", (2, 3, 4)),
    "arrays": form("arrays", (4, 3, 2)),
    "elementwise": form("elementwise", (3, 4)),
}
