"""The shapes of the report's table, and bfloat16, against float64 by the norm of the difference."""

import pytest

from tests.gpu_report.cases import Case, every
from tests.gpu_report.ours import Ours

from .modules import bits, module, normal, widened

NEEDED = 30  # times x's bytes, of free memory: several sets of arrays, and float64


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("case", every(), ids=lambda case: case.name)
def test_every_shape_of_the_table(cp, case):
    if cp.cuda.runtime.memGetInfo()[0] < NEEDED * case.nbytes:
        pytest.skip(f"it needs {NEEDED * case.nbytes / 1e9:.1f} GB of free memory on the device")
    errors = Ours().prepare(case)["errors"]
    assert {"y", "dx", "dgamma"} <= set(errors)


ODD = ((61, 103), (7, 5, 3, 9), (3, 130, 17, 11), (1025, 33))


@pytest.mark.parametrize("shape", ODD, ids=str)
@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "rms_norm"])
def test_bfloat16_of_odd_shapes(cp, name, shape):
    pytest.importorskip("ml_dtypes", reason="CuPy's bfloat16 is that of ml_dtypes")
    errors = Ours().prepare(Case(name, shape, "bfloat16"))["errors"]
    assert {"y", "dx", "dgamma"} <= set(errors)


def test_bfloat16_is_float32_rounded_once(cp):
    """Computed in float32 from the same numbers: what differs is the last rounding of y and dx."""
    pytest.importorskip("ml_dtypes", reason="CuPy's bfloat16 is that of ml_dtypes")
    bn = module("batch_norm")
    x, dy = normal(cp, 1, (512, 96), "bfloat16", 3, 2), normal(cp, 2, (512, 96), "bfloat16")
    wide = [widened(a).astype("float32") for a in (x, dy)]
    gamma = normal(cp, 3, 96)
    (y, saved), (wide_y, wide_saved) = (bn.forward(a, gamma, None) for a in (x, wide[0]))
    got = (*bn.backward(dy, x, gamma, saved), y)
    want = (*bn.backward(wide[1], wide[0], gamma, wide_saved), wide_y)
    assert bits(*saved) == bits(*wide_saved) or all(
        float(abs(a - b).max()) <= 1e-5 * float(abs(b).max()) for a, b in zip(saved[:3], wide_saved[:3], strict=True)
    )
    for one, other in zip(got, want, strict=True):
        difference = abs(widened(one) - widened(other))
        assert bool((difference <= 2.0**-8 * abs(widened(other)) + 1e-5).all())
