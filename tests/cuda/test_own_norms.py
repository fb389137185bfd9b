"""Norms of a user's own in CUDA: every derivative is right, whatever is summed over what."""

import pytest

from bnsym.api import emit, prove
from bnsym.calculus.derive import derive
from bnsym.definitions import definition
from tests.cuda.launching import NEEDS_COMPILER
from tests.definitions import HEADER
from tests.kernels.backends import on_the_cpu
from tests.test_own_norms import ODD, Norm, check_derivatives

pytestmark = NEEDS_COMPILER

CHOSEN = ("a masked mean", "fourth power", "groups by their squares", "logarithms", "two arrays", "weighted rows")
"""One of each kind: a mask, sums of sums, numbers that no sweep keeps, functions, a second array, weights."""


@pytest.mark.parametrize("name", CHOSEN)
def test_every_derivative_of_an_odd_norm(name, tmp_path):
    path = tmp_path / "made.py"
    path.write_text(HEADER + ODD[name])
    derivation = derive(definition(path))
    for file, text in emit(derivation, prove(derivation), "cupy").items():
        (tmp_path / f"kernels_{file}").write_text(text)
    check_derivatives(Norm(path, on_the_cpu("odd_norm", str(tmp_path / f"kernels_{derivation.definition.name}.py"))))
