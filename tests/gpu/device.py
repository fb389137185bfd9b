"""Whether there is a GPU to test on, and if not, why."""

import importlib
import importlib.util
import os
import re
import warnings
from functools import cache

ASKED = "BNSYM_TESTS_ON_GPU"  # in the environment: so that it is known before any test is collected, in workers too
HOW = "run it with: pytest -m gpu"


def asks(expression):
    """Whether what stands after `pytest -m` wants the tests of a GPU."""
    return re.search(r"(?<!not )\bgpu\b", expression or "") is not None


def tell(expression):
    """Keep what was asked for, where the property suite can read it."""
    if asks(expression):
        os.environ[ASKED] = "1"
    else:
        os.environ.pop(ASKED, None)


def asked():
    return ASKED in os.environ


def cupy():
    """CuPy itself, without what it has to say on being imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("cupy")


@cache
def missing():
    """What a GPU's tests lack on this machine, in words; nothing where they can run."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed: install bnsym[cuda12] or bnsym[cuda13]"
    try:
        found = cupy().cuda.is_available()
    except Exception as error:  # a library that does not load, or a driver that is too old
        return f"CuPy does not work here: {type(error).__name__}: {error}"
    return "" if found else "CuPy finds no CUDA device"


def why_not():
    """Why a test of a GPU is skipped; nothing where it is to run."""
    return missing() or ("" if asked() else HOW)
