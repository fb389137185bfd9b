"""The generated CUDA sources compile for every architecture, with the kernels they promise, none of which spills."""

import hashlib
import re
import site
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.cuda import as_cupy, nvrtc
from tests.cuda.as_cupy import DTYPES, built, expected_of
from tests.cuda.nvrtc import ARCHS, FAST, CompileError, NvrtcMissing, compiled, expected_entries, problems

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "generated" / "cupy").glob("*.cu"))

EVERYWHERE = ("batch_norm", "layer_norm", "rms_norm")
"""In full means with the registers and the spills of the real kernels, at 0.2 s a kernel. To build everything so takes
half an hour: `python -m tests.cuda.registers generated/cupy/*.cu`. What is built here is told by `levels`."""
MOST = "batch_norm_gelu_tanh"
"""Of the fused forms the one with the most arithmetic."""
IN_FULL = {*product(ARCHS, ["float32"]), *product(["sm_90"], ["float16", "float64"])}
"""Of EVERYWHERE: each architecture allots registers in its own way, and a dtype decides how much is read at once, both
halves alike."""
ONCE = {("sm_90", "float32"), ("sm_90", "float64"), ("sm_80", "float16"), ("sm_100", "bfloat16")}
"""Of the others, which are made of the same parts: each architecture and each dtype once."""


def levels():
    """Each source, architecture and dtype that is built, and whether in full or FAST."""
    for path, arch, dtype in product(SOURCES, ARCHS, DTYPES):
        if path.stem in EVERYWHERE:
            yield path, arch, dtype, (arch, dtype) in IN_FULL
        elif (arch, dtype) in ONCE:
            yield path, arch, dtype, path.stem == MOST and dtype == "float32"


SUM = """
#include <cuda_bf16.h>
#include <cuda_fp16.h>
template <typename T> struct alignas(16) Pack { T v[16 / sizeof(T)]; };

template <typename T> __device__ void sum(const Pack<T>* x, double* out, int packs) {
    __shared__ double room[8];
    double total = 0;
    for (int i = threadIdx.x; i < packs; i += 256) {
        Pack<T> pack = x[i];
        for (T v : pack.v) total += static_cast<double>(static_cast<float>(v));
    }
    for (int d = 16; d; d >>= 1) total += __shfl_xor_sync(0xffffffffu, total, d);
    if (threadIdx.x % 32 == 0) room[threadIdx.x / 32] = total;
    __syncthreads();
    out[threadIdx.x % 8] = room[threadIdx.x % 8];
}

#define ENTRY(T, name) extern "C" __global__ void __launch_bounds__(256, 2) \\
    name(const Pack<T>* x, double* out, int packs) { sum<T>(x, out, packs); }
ENTRY(float, sum_float32)
ENTRY(double, sum_float64)
ENTRY(__half, sum_float16)
ENTRY(__nv_bfloat16, sum_bfloat16)
// entries: 4
"""

UNINSTANTIATED = "template <typename T> __global__ void nothing(T* x) { *x = 0; }\n// entries: 1\n"

SPILLING = """
%s void turned(float* x, int n) {
    float v[96];
#pragma unroll
    for (int i = 0; i < 96; ++i) v[i] = x[i * n];
    for (int k = 0; k < n; ++k) {
#pragma unroll
        for (int i = 0; i < 96; ++i) v[i] = v[i] * v[(i + 7) %% 96] + k;
    }
#pragma unroll
    for (int i = 0; i < 96; ++i) x[i * n] = v[i];
}
%s
"""
IN_A_KERNEL = SPILLING % ('extern "C" __global__ __launch_bounds__(1024, 2)', "")
IN_A_FUNCTION = SPILLING % (
    "__device__ __noinline__",
    'extern "C" __global__ __launch_bounds__(1024, 2) void kernel(float* x, int n) { turned(x, n); }',
)

INDEXED = """
extern "C" __global__ void indexed(float* x, int n) {
    float v[64];
    for (int i = 0; i < n; ++i) v[(i * n) & 63] = x[i];
    for (int i = 0; i < n; ++i) x[i] = v[(n - i) & 63];
}
"""

COOPERATIVE = """
#include <cooperative_groups.h>
extern "C" __global__ void waits(float* x) { cooperative_groups::this_grid().sync(); x[0] = 1; }
"""

CLUSTER = 'extern "C" __global__ void arrives() { asm volatile("barrier.cluster.arrive.aligned;"); }'


@pytest.fixture(autouse=True)
def _compiler():
    try:
        nvrtc.library()
    except NvrtcMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def apart():
    """A process for what is built in full: after something FAST in the same one NVRTC spills where it does not else."""
    with ProcessPoolExecutor(1, get_context("spawn"), site.addsitedir, (str(ROOT),)) as pool:  # where `tests` is
        yield pool


@pytest.fixture
def wrong_with(pytestconfig, apart):
    """What is wrong with a source. It is not compiled again while it, the compiler and this check are the same."""
    check = "".join(Path(module.__file__).read_text() for module in (nvrtc, as_cupy))

    def found(source, name, arch, *, full, dtype=None):
        options, dtypes = () if full else FAST, [dtype] if dtype else list(DTYPES)
        said = "\n".join((nvrtc.version(), check, name, arch, repr((options, dtypes)), source))
        key = f"nvrtc/{hashlib.sha256(said.encode()).hexdigest()}"
        wrong = pytestconfig.cache.get(key, None)
        if wrong is None:
            wanted = expected_of(source, dtypes, expected_entries(source, arch))
            compiling = (built, source, name, arch, options, dtypes)
            result = apart.submit(*compiling).result() if full else built(*compiling[1:])
            wrong = [*problems(result, wanted, memory=full)]
            pytestconfig.cache.set(key, wrong)
        return wrong

    return found


@pytest.mark.parametrize(
    ("path", "arch", "dtype", "full"),
    [*levels()],
    ids=lambda v: getattr(v, "stem", {True: "full", False: "fast"}.get(v, v)),
)
def test_generated(path, arch, dtype, full, wrong_with):
    assert wrong_with(path.read_text(), path.name, arch, full=full, dtype=dtype) == []


def test_where_there_is_a_module_there_is_a_source():
    modules = {p.stem for p in (ROOT / "generated" / "cupy").glob("*.py")} - {"__init__"}
    assert bool(modules) == bool(SOURCES)


@pytest.mark.parametrize("options", [(), FAST], ids=["full", "fast"])
@pytest.mark.parametrize("arch", ARCHS)
def test_a_good_source(arch, options):
    result = compiled(SUM, "sum.cu", arch, options)
    assert [*problems(result, expected_entries(SUM), memory=not options)] == []
    assert set(result.entries) == {"sum_float32", "sum_float64", "sum_float16", "sum_bfloat16"}
    assert {e.shared for e in result.entries.values()} == {8 * 8}
    assert all(8 <= e.registers <= 128 for e in result.entries.values())  # 65,536 of them, two blocks of 256 threads
    assert result.cubin.startswith(b"\x7fELF")


def test_what_is_found_is_kept(wrong_with, monkeypatch):
    source = UNINSTANTIATED + f"// {hashlib.sha256(__file__.encode()).hexdigest()}\n"
    found = wrong_with(source, "kept.cu", "sm_90", full=True)
    monkeypatch.setattr(sys.modules[__name__], "built", None)  # which cannot be called
    assert wrong_with(source, "kept.cu", "sm_90", full=True) == found == ["0 kernels, 1 expected"]
    with pytest.raises(TypeError):
        wrong_with(source, "kept.cu", "sm_80", full=True)


def test_grid_wide_barriers_have_their_header():
    assert [*problems(compiled(COOPERATIVE, "cooperative.cu", "sm_90"), 1)] == []


def test_a_template_that_nobody_asked_for():
    result = compiled(UNINSTANTIATED, "nothing.cu", "sm_90")
    assert [*problems(result, expected_entries(UNINSTANTIATED))] == ["0 kernels, 1 expected"]
    assert [*problems(result, 0)] == ["0 kernels, 0 expected"]


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("source", [IN_A_KERNEL, IN_A_FUNCTION], ids=["kernel", "function"])
def test_spills(source, arch):
    found = "\n".join(problems(compiled(source, "spills.cu", arch), 1))
    assert re.search(r"^\S*turned\S* spills: [1-9]\d* bytes stored, [1-9]\d* loaded$", found, re.MULTILINE)


def test_kernels_of_clusters_leave_room_for_a_channel():
    source = """extern "C" __global__ void sums_cluster_along(float* x) {
        __shared__ float r[%d]; r[threadIdx.x] = *x; __syncthreads(); *x = r[5];
    }"""
    assert [*problems(compiled(source % 2048, "room.cu", "sm_90"), 1)] == []
    (problem,) = problems(compiled(source % 2049, "room.cu", "sm_90"), 1)
    assert problem == "sums_cluster_along has 8196 bytes of shared memory of its own, 8192 are left to it"


def test_arrays_in_local_memory():
    (problem,) = problems(compiled(INDEXED, "indexed.cu", "sm_90"), 1)
    assert problem == "indexed keeps 256 bytes in local memory"


def test_a_syntax_error_has_its_line():
    with pytest.raises(CompileError, match=r"(?s)sm_90.*wrong\.cu\(2\): error: expected an expression"):
        compiled("int x\n= ;\n", "wrong.cu", "sm_90")


@pytest.mark.parametrize("options", [(), FAST], ids=["full", "fast"])
def test_what_only_the_assembler_refuses(options):
    assert [*problems(compiled(CLUSTER, "cluster.cu", "sm_90", options), 1)] == []
    with pytest.raises(CompileError, match="cluster"):
        compiled(CLUSTER, "cluster.cu", "sm_80", options)
    room = 'extern "C" __global__ void room(float* x) { __shared__ float r[20000]; r[threadIdx.x] = *x; *x = r[5]; }'
    with pytest.raises(CompileError, match="shared"):
        compiled(room, "room.cu", "sm_90", options)


def test_kernels_that_only_later_architectures_have():
    said = "// entries: 12\n// of these for sm_90 and later alone: 4\n"
    assert [expected_entries(said, arch) for arch in ARCHS] == [8, 12, 12]


def test_a_source_says_once_how_many_kernels_it_has():
    for source in ("", "// entries: 1\n// entries: 2\n", "// entries: many\n"):
        with pytest.raises(ValueError, match="says once"):
            expected_entries(source)


def test_a_missing_compiler_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(NvrtcMissing, match=r"^NVRTC is missing: pip install '[^']+' '[^']+'$"):
        nvrtc.library.__wrapped__()


def test_the_table(tmp_path):
    (tmp_path / "sum.cu").write_text(SUM)
    (tmp_path / "nothing.cu").write_text(UNINSTANTIATED)
    command = [sys.executable, "-m", "tests.cuda.registers", *map(str, sorted(tmp_path.iterdir()))]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert re.search(r"sum_float64( *│ *[1-9]\d*){3}( *│ *64){3}( *│ *0){3} ", ran.stdout), ran.stderr
    assert (ran.stdout.count("0 kernels, 1 expected"), ran.returncode) == (len(ARCHS), 1)
