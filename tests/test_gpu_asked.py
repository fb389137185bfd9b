"""When the tests of a GPU run, and what a skip says."""

import sys

import pytest

from tests.cuda.fake_cupy import fake_cupy
from tests.cuda.launching import NEEDS_COMPILER
from tests.gpu import device
from tests.gpu_report import compile
from tests.kernels.backends import cupy_on_the_cpu


@pytest.mark.parametrize(
    ("expression", "asked"),
    [("gpu", True), ("gpu or slow", True), ("", False), (None, False), ("not gpu", False), ("gpus", False)],
)
def test_when_a_gpu_is_asked_for(expression, asked):
    assert device.asks(expression) is asked


def test_a_skip_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: None)
    assert device.missing.__wrapped__() == "CuPy is not installed: install bnsym[cuda12] or bnsym[cuda13]"
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: object())
    none = fake_cupy()
    none.cuda.is_available = lambda: False
    monkeypatch.setitem(sys.modules, "cupy", none)
    assert device.missing.__wrapped__() == "CuPy finds no CUDA device"
    none.cuda.is_available = lambda: 1 / 0
    assert device.missing.__wrapped__() == "CuPy does not work here: ZeroDivisionError: division by zero"
    none.cuda.is_available = lambda: True
    assert device.missing.__wrapped__() == ""
    monkeypatch.setattr(device, "missing", lambda: "")
    monkeypatch.delenv(device.ASKED, raising=False)
    assert device.why_not() == device.HOW
    device.tell("gpu")
    assert device.why_not() == ""
    device.tell("")
    assert not device.asked()


@NEEDS_COMPILER
def test_compiling_says_what_fails(monkeypatch):
    monkeypatch.setattr(compile, "module", cupy_on_the_cpu)
    assert compile.compiled("relu", "forward", "float32") == ""
    assert compile.compiled("batch_norm", "fold", "float16") == ""
    assert compile.compiled("relu", "forward", "complex64").startswith("KeyError")
    assert compile.compiled("dense", "product", "float64") == compile.compiled("dense", "product", "float16") == ""
    wanted = {("batch_norm", "backward", "bfloat16"), ("rms_norm", "jvp", "float64"), ("linear", "product", "float32")}
    assert wanted <= set(compile.wanted())
