"""Calls of generated modules, each way that kernels go: what is left out, masked, small; and which way is chosen."""

import numpy as np
import pytest

from tests.cuda.calls import Calls, bits
from tests.cuda.generated import WAYS, generated
from tests.cuda.launching import NEEDS_COMPILER
from tests.gpu.modules import recorded
from tests.kernels.forms import form

pytestmark = NEEDS_COMPILER

ROWS, RUNS, ONE = (("channels", shape, 1) for shape in ((21, 5), (6, 4, 16), (1, 5)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", [ROWS, RUNS])
def test_what_is_left_out(way, layout):
    module, made = generated("batch_norm", way, schedule="shuffled", seed=1), Calls("batch_norm", form(*layout))
    for function in made.functions:
        tangents = made.subject.tangents(function)
        optional = [n for n in ("gamma", "beta") if n in made.subject.arguments(function)]
        for left_out in ([], optional, *([n] for n in (*optional, *tangents)), tangents, [*optional, *tangents]):
            calls = Calls("batch_norm", form(*layout), **dict.fromkeys(left_out))
            calls.check(function, calls.got(module, function))


@pytest.mark.parametrize("way", WAYS)
def test_dtypes_in_turn(way):
    module = generated("batch_norm", way, schedule="shuffled", seed=2)
    first = {}
    for dtype in ("float32", "float16", "float64", "float32", "float16"):
        calls = Calls("batch_norm", form(*ROWS), dtype)
        for function in ("forward", "backward", "update_running"):
            got = calls.got(module, function)
            calls.check(function, got)
            assert bits(got) == first.setdefault((dtype, function), bits(got))


@pytest.mark.parametrize("parameters", ["float16", "float32", "float64"])
def test_parameters_of_another_dtype(parameters):
    module, calls = generated("batch_norm", schedule="shuffled"), Calls("batch_norm", form(*RUNS), "float16")
    given = calls.keywords(module, "forward")
    for name in ("gamma", "beta"):
        given[name] = given[name].astype(parameters)
    y, _ = module.forward(**given)
    calls.check("forward", {"0.0": y}, {"0.0": calls.expected("forward")["0.0"]})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("taken", [slice(100, None), slice(-1, None), slice(5, 8, 2)])
def test_a_mask_that_leaves_out_the_first_positions(way, taken):
    """A pivot is looked for among a few positions of a channel, of which these may have none."""
    module, shape = generated("masked_batch_norm", way, schedule="shuffled", seed=3), (200, 3)
    x = Calls("masked_batch_norm", form("channels", shape, 1)).problem.arrays["x"] + 1e3
    mask = np.zeros(shape)
    mask[taken] = 1
    mask[50:, 0] = 1
    calls = Calls("masked_batch_norm", form("channels", shape, 1), x=x, mask=mask)
    for function in ("forward", "backward", "jvp"):
        calls.check(function, calls.got(module, function))


@pytest.mark.parametrize("way", WAYS)
def test_one_position(way):
    module, calls = generated("batch_norm", way), Calls("batch_norm", form(*ONE))
    for function in ("forward", "backward", "jvp", "double_backward", "backward_jvp"):
        got = calls.got(module, function)
        calls.check(function, got)
        if function == "forward":
            np.testing.assert_array_equal(got["0.0"][0], calls.problem.arrays["beta"].astype(np.float32))
        if function == "backward":
            assert not got["0.0"].any()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", [ROWS, RUNS])
def test_results_anywhere(way, layout):
    """Where packs can be read and not written, and where results take the data's place."""
    module, calls = generated("batch_norm", way), Calls("batch_norm", form(*layout))
    shape, size = layout[1], int(np.prod(layout[1]))
    for room in (
        module.cp.empty(size + 1, np.float32)[:size].reshape(shape),
        module.cp.empty((*shape, 2), "f")[..., 0],
    ):
        calls.check("forward", calls.got(module, "forward", out=room))
        calls.check("backward", calls.got(module, "backward", out=room))
    given = calls.keywords(module, "forward")
    y, _ = module.forward(**given, out=given["x"])
    assert y is given["x"]
    calls.check("forward", {"0.0": y}, {"0.0": calls.expected("forward")["0.0"]})


CHOSEN = [  # on a device of four processors
    ("channels", (8, 3, 100), 1, {"1_slab_along"}),  # a warp a channel
    ("channels", (4, 5, 520), 1, {"1_slab_along"}),  # a block a channel
    ("channels", (3, 2, 2056), 1, {"1_along", "1_settle", "2_along"}),
    ("channels", (40, 18), 1, {"1_slab_across"}),
    ("channels", (1100, 18), 1, {"1_across", "1_settle", "2_across"}),
    ("channels", (5, 6, 4), 1, {"1_across", "1_settle", "2_across"}),
    ("channels", (2, 6, 31), 1, {"1_across", "1_settle", "2_across"}),
    ("channels", (300, 15), 1, {"1_slab_across"}),
    ("channels", (1, 7), 1, {"1_slab_along"}),
    ("trailing", (3, 5000), 1, {"1_along", "1_settle", "2_along"}),
    ("trailing", (90, 24), 1, {"1_slab_along"}),
    ("groups", (3, 4, 100), 2, {"1_slab_along"}),
    ("instance", (3, 4, 100), None, {"1_slab_along"}),
    ("elementwise", (3, 4, 100), None, {"1_along"}),
]
NAMED = {"channels": "batch_norm", "trailing": "layer_norm", "groups": "group_norm", "instance": "instance_norm"}


@pytest.mark.parametrize(("layout", "shape", "option", "taken"), CHOSEN)
def test_the_way_that_is_chosen(layout, shape, option, taken):
    name = NAMED.get(layout, "relu")
    module, calls = generated(name, schedule="shuffled", seed=4), Calls(name, form(layout, shape, option))
    launched = recorded(module)
    calls.check("forward", calls.got(module, "forward"))
    assert launched == {f"forward_{kernel}_float32" for kernel in taken}
    for function in ("backward", "jvp"):
        calls.check(function, calls.got(module, function))
        calls.check(function, calls.got(module, function, moved=1))
