"""CuPy's call shapes on the CPU: how sources are compiled, and what is passed to their kernels."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.cuda import compiling, guarded
from tests.cuda.cpu_module import CpuModule, LaunchError
from tests.cuda.fake_cupy import fake_cupy
from tests.cuda.launching import HERE, NEEDS_COMPILER, argument

pytestmark = NEEDS_COMPILER


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.zeros(2, np.int64).view("V16"), "16 bytes or fewer"),
        (np.zeros(3, np.int64), "one element"),
        (np.zeros(3, np.float32).view("V12"), "words of 8 bytes"),
        ("x", "cannot be passed"),
        (1j, "cannot be passed"),
    ],
)
def test_arguments_that_no_kernel_takes(wrong, says):
    module = CpuModule(code=(HERE / "shim_test.cu").read_text())
    with pytest.raises(TypeError, match=says):
        module.get_function("unset")((1,), (32,), (wrong,))


@pytest.mark.parametrize("name", ["nobody", "malloc", "shim_launch", "shim_kernels", "linear", ""])
def test_an_unknown_kernel(name):
    with pytest.raises(LaunchError, match=f"the module has no kernel '{name}'"):
        CpuModule(code=(HERE / "shim_test.cu").read_text()).get_function(name)


def test_what_does_not_compile_is_refused_at_its_line():
    with pytest.raises(compiling.CompileError, match=r"kernel\.cu:2:\d+: error: .*nothing"):
        CpuModule(code='// a kernel\nextern "C" __global__ void f() { nothing(); }\n')
    with pytest.raises(compiling.CompileError, match="undefined reference"):
        CpuModule(code='void g();\nextern "C" __global__ void f() { g(); }\n')


def test_options():
    assert compiling.flags(["-std=c++17", "-arch=sm_80", "-DX=1", "--define-macro=Y", "--use_fast_math", "-I/a"]) == (
        *("-DX=1", "-DY", "-I/a"),
        "-D__CUDA_ARCH__=800",
    )


RACE = """
import ctypes
from tests.cuda.cpu_module import CpuModule

def handled():
    stack = ctypes.create_string_buffer(64)
    ctypes.CDLL(None).sigaltstack(None, stack)
    return stack.raw, [line for line in open("/proc/self/status") if line.startswith("SigCgt")]

before = handled()
CpuModule(code='extern "C" __global__ void f(int n) {}').get_function("f")((1,), (1,), (1,))
assert handled() == before, "a launch leaves its signal handlers, or their stack, behind"
"""


def test_processes_that_compile_the_same_at_once(tmp_path):
    shutil.copy(compiling.runtime().path, tmp_path)  # which takes seconds
    cache = {**os.environ, "BNSYM_TEST_CACHE": str(tmp_path), "PYTHONPATH": str(HERE.parents[1])}
    started = [subprocess.Popen([sys.executable, "-c", RACE], env=cache) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert sorted(path.name.split("-")[0] for path in tmp_path.glob("*.so")) == ["kernel", "runtime"]


SAME = """
template <class T> __device__ void sum(T *y) {
    __shared__ T many[COUNT], few[32];
    for (int i = threadIdx.x; i < COUNT; i += blockDim.x) many[i] = 1;
    few[threadIdx.x] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < COUNT; i += blockDim.x) few[threadIdx.x] += many[i];
    y[threadIdx.x] = few[threadIdx.x];
}
extern "C" __global__ void total(float *y) { sum(y); }
"""


def test_modules_with_the_same_names_keep_apart():
    modules = [CpuModule(code=SAME, options=(f"-DCOUNT={count}",)) for count in (1, 320)]
    for module, count in zip(modules, (1, 320), strict=True):
        y = np.zeros(32, np.float32)
        module.get_function("total")((1,), (32,), (y.ctypes.data,))
        assert y.sum() == count


def test_guarded_memory_is_freed_with_its_last_array():
    before = set(guarded._live)
    part = guarded.guarded(np.arange(6.0).reshape(2, 3))[1]
    (made,) = set(guarded._live) - before
    np.testing.assert_array_equal(part, [3, 4, 5])
    del part
    assert made not in guarded._live


def test_the_stand_in_has_attributes_that_cupy_has():
    runtime = pytest.importorskip("cupy", reason="CuPy is not installed").cuda.runtime
    assert [name for name in fake_cupy().cuda.Device().attributes if not hasattr(runtime, f"cudaDevAttr{name}")] == []


@pytest.mark.parametrize("placement", ["start", "end"])
def test_a_stand_in_for_cupy(placement):
    cupy = fake_cupy("shuffled", 3, placement, MultiProcessorCount=7)
    assert cupy.ndarray is np.ndarray
    assert cupy.cuda.is_available()
    assert cupy.cuda.Device().attributes["MultiProcessorCount"] == 7
    assert cupy.get_array_module(np.zeros(1)) is cupy
    x, y = cupy.full(100, 3, cupy.float32), cupy.empty(100, cupy.float32)
    assert np.isnan(y).all()
    assert (x.ctypes.data % 4096 == 0) == (placement == "start")
    kernel = cupy.RawModule(code=(HERE / "shim_test.cu").read_text()).get_function("affine")
    kernel((1,), (128,), (argument([x, y, 100, 2.0, 1.0]),))
    assert (y == 7).all()
    with pytest.raises(LaunchError, match="array of 400 bytes" if placement == "end" else "address"):
        kernel((16,), (128,), (argument([x, y, 2000, 2.0, 1.0]),))
    like = cupy.zeros_like(cupy.ones((3, 4), order="F"))
    assert like.flags.f_contiguous
    assert not like.any()
