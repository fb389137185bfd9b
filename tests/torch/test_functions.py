"""Values, gradients, forward mode, double backward and forward over reverse against PyTorch, for every definition."""

import pytest

pytest.importorskip("torch")

from bnsym.definitions import NAMES

from ..kernels.numerics_calls import arguments, run
from ..kernels.subjects import FUNCTIONS as OURS
from ..kernels.subjects import definition
from .cases import assert_agree, draw
from .derivatives import Torch
from .functions import FUNCTIONS

pytestmark = pytest.mark.usefixtures("backend")

EVERY_FUNCTION = pytest.mark.parametrize("function", OURS)
SEEDS = range(6)

# What torch has no counterpart for. Empty: a name here needs its reason beside it.
WITHOUT = ()


def test_the_table_covers_every_definition():
    assert sorted([*FUNCTIONS, *WITHOUT]) == sorted(NAMES)


@EVERY_FUNCTION
@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_torch(name, function):
    """At random shapes, layouts of the channels, and eps; gamma has zeros in every other case."""
    for seed in SEEDS:
        case = draw(name, seed)
        got, want = run(case, function), Torch(case).run(function)
        assert set(want) == set(got) - {"saved"}
        for key, value in want.items():
            assert_agree(f"{name}.{function}: {key} of {case.view}", got[key], value)


def parameters(name):
    return [q.name for q in definition(name).program.inputs if q.role == "parameter" and q.absent is not None]


@EVERY_FUNCTION
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if parameters(name)])
def test_as_torch_where_parameters_are_absent(name, function):
    """Each by itself, and all: what has no parameter has no gradient and no tangent of it."""
    for seed, absent in enumerate([*([p] for p in parameters(name)), parameters(name)]):
        case = draw(name, seed)
        taken = arguments(case, function)
        nothing = [f"{kind}{p}" for p in absent for kind in ("", "t", "dd")]
        got = run(case, function, **dict.fromkeys(k for k in nothing if k in taken))
        want = Torch(case, absent).run(function)
        for key, value in got.items():
            if key in want:
                assert_agree(f"{name}.{function}: {key} without {absent}", value, want[key])
            elif any(p in taken and key in {f"d{p}", f"td{p}", f"g_{p}"} for p in absent):
                assert value is None, key
