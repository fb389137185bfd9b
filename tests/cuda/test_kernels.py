"""Every kernel of every generated .cu, on the CPU: the same bits in every order of blocks and threads, and NumPy's.

Arrays lie between guard pages, and results in memory that holds NaN until it is written.
"""

import pytest

from tests.cuda.calls import Calls, bits
from tests.cuda.generated import FOLDER, NAMES, WAYS, generated, go, kernels
from tests.cuda.launching import NEEDS_COMPILER
from tests.gpu.modules import recorded
from tests.kernels.forms import form
from tests.kernels.subjects import made

pytestmark = NEEDS_COMPILER

ORDERS = [("forward", 0), ("reverse", 0), ("shuffled", 1)]  # and one more where arrays lie elsewhere
SPLIT, SLAB = ("split-along", "split-across", "ticket-along"), ("slab-along", "cluster-along")
ACROSS = ("slab-across", "split-across", "ticket-across")
SHAPES = {  # those in which packs can be read and cannot, a channel takes one warp or a block, and blocks are several
    "channels": [
        ((6, 4, 16), 1, (*SPLIT, *SLAB)),
        ((5, 3, 7), 1, SPLIT),
        ((2, 3, 520), 1, ("slab-along",)),
        ((3, 2, 2744), 1, ("cluster-along",)),  # a block of eight goes on when each of its threads has copied a pack
        ((70, 9), 1, (*ACROSS, "slab-along")),
        ((50, 8), 1, ACROSS),
        ((20, 40), -1, ACROSS),
        ((9, 1), 1, WAYS),
    ],
    "trailing": [
        ((6, 16), 1, (*SPLIT, *SLAB)),
        ((5, 7), 1, SPLIT),
        ((3, 1040), 1, SLAB),
        ((9, 3, 3), 2, (*ACROSS, "slab-along")),
        ((40, 1), 1, ACROSS),
        ((1, 9), 1, WAYS),
    ],
    "groups": [
        ((3, 4, 16), 2, (*SPLIT, *SLAB)),
        ((5, 6, 7), 3, SPLIT),
        ((2, 4, 520), 2, SLAB),
        ((7, 6), 6, (*ACROSS, "slab-along")),
        ((2, 3, 1), 1, WAYS),
    ],
    "instance": [
        ((3, 2, 16), None, (*SPLIT, *SLAB)),
        ((5, 3, 7), None, SPLIT),
        ((2, 2, 1040), None, SLAB),
        ((7, 6, 1), None, (*ACROSS, "slab-along")),
    ],
    "elementwise": [((6, 16), None, SPLIT), ((5, 7), None, SPLIT), ((4, 1040), None, SPLIT), ((1,), None, SPLIT)],
}


class Runs:
    """A definition's functions in every order; and before a guard page or behind one, on odd shapes."""

    def __init__(self, name, way):
        self.modules = [generated(name, way, schedule=schedule, seed=seed) for schedule, seed in ORDERS]
        self.at_start = generated(name, way, schedule="shuffled", seed=3, placement="start")
        self.launched = recorded(self.modules[0])

    def differing(self, function, ways):
        """The ways that differ: where no kernel takes whole channels, data are gone through pass by pass."""
        whole = self.modules[0]._FUNCTIONS[function].whole
        return dict.fromkeys(way if whole else f"split-{way.split('-')[1]}" for way in ways)

    def check(self, calls, function, ways):
        want = calls.expected(function)
        for way in self.differing(function, ways):
            first, *others = (calls.got(go(module, way), function) for module in self.modules)
            calls.check(function, first, want)
            for order, other in zip(ORDERS[1:], others, strict=True):
                assert bits(first) == bits(other), f"{calls.subject.name}.{function}, {way}: {order} differs"
            if calls.problem.form.shape[-1] % 2:
                calls.check(function, calls.got(go(self.at_start, way), function), want)
            else:  # packs could be read, were the arrays aligned
                calls.check(function, calls.got(self.modules[2], function, moved=1), want)


def check_every_kernel(name, dtype):
    layout, runs = made("numpy", name).layout, Runs(name, "slab-along")
    for shape, option, ways in SHAPES[layout]:
        calls = Calls(name, form(layout, shape, option), dtype)
        for function in calls.functions:
            runs.check(calls, function, ways)
    missed = kernels((FOLDER / f"{name}.cu").read_text(), dtype) - runs.launched
    assert not missed, f"kernels that no call launched: {sorted(missed)}"


@pytest.mark.parametrize("name", NAMES)
def test_every_kernel_in_every_order(name):
    check_every_kernel(name, "float32")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_every_kernel_of_other_dtypes(dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes")
    check_every_kernel("batch_norm", dtype)
