"""No norm may be less accurate than PyTorch's on the same arrays; both errors are measured in the same run.

Root mean square over many statistics: what remains of a rounded mean is chance, and one channel says nothing of it.
"""

import numpy as np
import pytest

from .norms import NORMS
from .numerics_calls import along_program, run
from .numerics_cases import make, sized, view
from .numerics_reference import computes_in, expected, unit
from .subjects import FUNCTIONS

pytestmark = pytest.mark.usefixtures("backend")

# eps = 0 is left out: torch refuses it.
SCENARIOS = {
    "ordinary": (np.float32, {}),
    "mean/std 1e4": (np.float32, {"offset": 1e4}),
    "mean/std 1e6": (np.float32, {"offset": 1e6}),
    "std 1e6": (np.float32, {"scale": 1e6, "tangent": 1e6}),
    "variance far below eps": (np.float32, {"scale": 1e-6}),
    "1e30": (np.float32, {"scale": 1e30, "tangent": 1e30}),
    "float16": (np.float16, {"offset": 10.0}),
    "float64, mean/std 1e6": (np.float64, {"offset": 1e6}),
}


# What torch says where it has not implemented something for float16 data with float32 parameters.
REFUSED = ("not implemented", "expected scalar type", "same dtype", "mixed dtype")


def square(error):
    """The mean square, infinite where there is no number."""
    with np.errstate(all="ignore"):
        found = np.mean(np.square(error.astype(np.longdouble))) if error.size else 0
    return found if np.isfinite(found) else np.inf


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_worse_than_torch(name, scenario):
    """Within twice torch's error, or within a few units where both are as good as can be."""
    pytest.importorskip("torch")
    for (function, key), (ours, theirs, floor) in errors(name, *SCENARIOS[scenario]).items():
        assert ours <= max(2 * theirs, floor), (
            f"{name}.{function}: {key}: off by {ours:.2g}, torch by {theirs:.2g} (both as good as can be: {floor:.2g})"
        )


def errors(name, dtype, scenario):
    """Our error, torch's, and the least that tells them apart, each for every result of every function."""
    found = {}
    case = make(name, view(name, m=12, kept=64), dtype, **sized(name, scenario))
    for function in FUNCTIONS:
        _add(found, case, function)
    return {key: np.sqrt(squares).astype(float) for key, squares in found.items()}


def _add(found, case, function):
    want, moves = expected(case, function, "inner", 2, digits=False)
    ours, theirs = (
        along_program(case, function, run(case, function)),
        along_program(case, function, _torch(case, function)),
    )
    for key in theirs:
        if key == "y" and function != "forward":
            continue
        u = unit(computes_in(case.dtype))
        least = 2 * moves[key] + (4 * u + unit(ours[key].dtype)) * np.abs(want[key])
        squares = [square(ours[key] - want[key]), square(theirs[key] - want[key]), square(least)]
        found[function, key] = np.array(squares)


def _torch(case, function):
    """torch's results; none where it has not implemented what was asked of it for this dtype."""
    import torch

    from ..torch.derivatives import Torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return Torch(case).run(function)
    except (NotImplementedError, RuntimeError) as error:
        if case.dtype == np.float16 and any(text in str(error) for text in REFUSED):
            return {}
        raise
    finally:
        torch.set_num_threads(before)
