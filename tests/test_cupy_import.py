"""A CuPy module that cannot run says what is missing, in one sentence, when it is imported."""

import subprocess
import sys

import pytest

from bnsym.definitions import NAMES

NO_DEVICE = """
import sys, types
cupy = types.ModuleType("cupy")
cupy.cuda = types.SimpleNamespace(is_available=lambda: False)
sys.modules["cupy"] = cupy
"""
NO_CUPY = """
import sys
sys.modules["cupy"] = None  # as if it were not installed
"""


def imported(before, name):
    command = [sys.executable, "-W", "error", "-P", "-c", f"{before}\nimport bnsym.generated.cupy.{name}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("before", "missing"), [(NO_CUPY, "needs CuPy"), (NO_DEVICE, "needs a CUDA device")])
@pytest.mark.parametrize("name", ["batch_norm", "dense"])
def test_what_is_missing_is_said(before, missing, name):
    done = imported(before, name)
    assert done.returncode == 1
    *_, said = done.stderr.strip().splitlines()
    assert said.startswith(f"ImportError: bnsym.generated.cupy.{name} {missing}")
    assert "bnsym[cuda12] or bnsym[cuda13]" in said
    assert "During handling" not in done.stderr


def test_every_module_says_so():
    tried = "\n".join(
        f"try:\n    import bnsym.generated.cupy.{n}\nexcept ImportError as e:\n    print(e)" for n in NAMES
    )
    done = subprocess.run([sys.executable, "-P", "-c", NO_CUPY + tried], capture_output=True, text=True, check=True)
    assert done.stdout.count(" needs CuPy: ") == len(NAMES)


def test_asking_which_kernels_there_are_needs_no_cupy():
    done = subprocess.run([sys.executable, "-P", "-c", NO_CUPY + "import bnsym, bnsym.generated.cupy"], check=False)
    assert done.returncode == 0
