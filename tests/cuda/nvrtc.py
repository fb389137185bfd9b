"""CUDA sources compiled for real, by NVIDIA's run-time compiler: no driver, no GPU and no CUDA toolkit.

NVRTC comes from two wheels (nvidia-cuda-nvrtc, cuda-bindings) and brings its headers with it. What it builds for an
architecture is what CuPy builds there.
"""

import atexit
import re
from dataclasses import dataclass
from functools import cache
from tempfile import TemporaryDirectory

ARCHS = ("sm_80", "sm_90", "sm_100")

AS_CUPY = ("-std=c++17", "-ftz=true", "-default-device")
"""The options that CuPy adds by itself, and the language version that the generated modules ask for."""

FAST = ("--Ofast-compile=max",)
"""A fifth of the time: everything is compiled and assembled, but with few optimizations, so that the registers and
the spills are not those of the real kernels."""

CLUSTER_SHARED = 8 << 10
"""What modules leave of a block's shared memory beside a channel's data: _OWN_SHARED, less the device's own 1 KB."""

TOLD = ("--ptxas-options=-v",)


class NvrtcMissing(Exception):
    def __init__(self):
        super().__init__("NVRTC is missing: pip install 'cuda-bindings>=13.3,<14' 'nvidia-cuda-nvrtc>=13.3,<14'")


class CompileError(Exception):
    """A source that does not compile, told by the first lines of the compiler's log."""


@dataclass(frozen=True)
class Entry:
    """What the assembler says of one kernel: registers a thread, and bytes. Functions that it calls are not counted."""

    registers: int
    shared: int
    stack: int
    spill_stores: int
    spill_loads: int


@dataclass(frozen=True)
class Compiled:
    entries: dict[str, Entry]
    functions: dict[str, tuple[int, int, int]]  # stack, spill stores, spill loads: kernels, and what is not inlined
    log: str
    cubin: bytes


@cache
def library():
    """The bindings, once they have found the compiler, and the folder into which it put its headers."""
    try:
        from cuda.bindings import nvrtc

        nvrtc.nvrtcVersion()
    except (ImportError, RuntimeError) as error:  # no bindings; no library, or one that does not load
        raise NvrtcMissing from error
    folder = TemporaryDirectory(prefix="nvrtc-headers-")
    atexit.register(folder.cleanup)
    return nvrtc, folder.name


def version():
    nvrtc, _ = library()
    _, major, minor = nvrtc.nvrtcVersion()
    return f"NVRTC {major}.{minor}"


def compiled(source, name, arch, options=()):
    """The source built for an architecture ("sm_90"), or CompileError; takes about 0.1 s a kernel.

    Compile several in several processes: the compiler makes threads wait for each other.
    """
    nvrtc, headers = library()
    given = [*AS_CUPY, *TOLD, f"-arch={arch}", f"--use-bundled-headers={headers}", *options]
    error, program = nvrtc.nvrtcCreateProgram(source.encode(), name.encode(), 0, [], [])
    if error:
        raise CompileError(f"{name}: {error.name}")
    try:
        (error,) = nvrtc.nvrtcCompileProgram(program, len(given), [o.encode() for o in given])
        log = _fetched(program, nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog).rstrip(b"\0").decode()
        if error:
            first = "\n".join(log.strip().splitlines()[:12])
            raise CompileError(f"{name} does not compile for {arch} ({error.name}):\n{first}")
        cubin = _fetched(program, nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN)
    finally:
        nvrtc.nvrtcDestroyProgram(program)
    return Compiled(*_told(log), log, cubin)


def _fetched(program, size, get):
    error, length = size(program)
    room = bytearray(length)
    if error or any(get(program, room)):
        raise CompileError(f"the compiler has no {get.__name__.removeprefix('nvrtcGet')}")
    return bytes(room)


KERNEL = re.compile(
    r"Compiling entry function '(?P<name>[^']+)'.*?Used (?P<registers>\d+) registers(?P<rest>[^\n]*)", re.DOTALL
)
PROPERTIES = re.compile(
    r"Function properties for (\S+)\n[^\n]*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
)


def _told(log):
    frames = {name: tuple(map(int, numbers)) for name, *numbers in PROPERTIES.findall(log)}
    entries = {}
    for found in KERNEL.finditer(log):
        shared = re.search(r"(\d+) bytes smem", found["rest"])
        entries[found["name"]] = Entry(int(found["registers"]), int(shared[1]) if shared else 0, *frames[found["name"]])
    return entries, frames


def expected_entries(source, arch="sm_90"):
    """How many kernels a source says it has for an architecture, on lines of their own.

    `// entries: 12`, and `// of these for sm_90 and later alone: 4` where there are such.
    """
    said = re.findall(r"^// entries: (\d+)$", source, re.MULTILINE)
    if len(said) != 1:
        raise ValueError(f"a source says once, not {len(said)} times, how many kernels it has: // entries: 12")
    later = re.findall(r"^// of these for sm_90 and later alone: (\d+)$", source, re.MULTILINE)
    return int(said[0]) - (sum(map(int, later)) if int(arch.removeprefix("sm_")) < 90 else 0)


def problems(result, expected, *, memory=True):
    """What is wrong with a compiled source, a line each; `memory=False` for one that was compiled FAST."""
    if not expected or len(result.entries) != expected:
        yield f"{len(result.entries)} kernels, {expected} expected"
    for name, entry in result.entries.items():
        if "_cluster_" in name and entry.shared > CLUSTER_SHARED:
            yield f"{name} has {entry.shared} bytes of shared memory of its own, {CLUSTER_SHARED} are left to it"
    for name, (stack, stores, loads) in result.functions.items() if memory else ():
        if stores or loads:
            yield f"{name} spills: {stores} bytes stored, {loads} loaded"
        elif stack:
            yield f"{name} keeps {stack} bytes in local memory"
