"""CUDA sources compiled for real, by NVIDIA's run-time compiler: no driver, no GPU and no CUDA toolkit.

NVRTC comes from two wheels (nvidia-cuda-nvrtc, cuda-bindings) and brings its headers with it. What it builds for an
architecture is what CuPy builds there. `python -m tests.cuda.nvrtc FILE.cu...` prints what each kernel takes.
"""

import atexit
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

ARCHS = ("sm_80", "sm_90", "sm_100")

AS_CUPY = ("-std=c++17", "-ftz=true", "-default-device")
"""The options that CuPy adds by itself, and the language version that the generated modules ask for."""

FAST = ("--Ofast-compile=max",)
"""A fifth of the time: everything is compiled and assembled, but with few optimizations, so that the registers and
the spills are not those of the real kernels."""

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


def expected_entries(source):
    """How many kernels a source says it has, on a line of its own: `// entries: 12`."""
    said = re.findall(r"^// entries: (\d+)$", source, re.MULTILINE)
    if len(said) != 1:
        raise ValueError(f"a source says once, not {len(said)} times, how many kernels it has: // entries: 12")
    return int(said[0])


def problems(result, expected, *, memory=True):
    """What is wrong with a compiled source, a line each; `memory=False` for one that was compiled FAST."""
    if not expected or len(result.entries) != expected:
        yield f"{len(result.entries)} kernels, {expected} expected"
    for name, (stack, stores, loads) in result.functions.items() if memory else ():
        if stores or loads:
            yield f"{name} spills: {stores} bytes stored, {loads} loaded"
        elif stack:
            yield f"{name} keeps {stack} bytes in local memory"


def table(name, results):
    """What each kernel of a source takes, for each architecture, as `results` has them."""
    from rich.table import Table

    shown = Table("kernel", title=name)
    for what in ("registers", "shared", "spills"):
        for arch in results:
            shown.add_column(f"{what}\n{arch}", justify="right")
    nothing = Entry(*[0] * 5)
    for kernel in sorted({k for r in results.values() for k in r.entries}):
        found = [r.entries.get(kernel, nothing) for r in results.values()]
        numbers = (
            [e.registers for e in found],
            [e.shared for e in found],
            [e.spill_stores + e.spill_loads for e in found],
        )
        shown.add_row(kernel, *(str(n) for row in numbers for n in row))
    return shown


def main(paths):
    """Build every file for every architecture, in full; print the tables, and what is wrong. Its exit status."""
    from rich.console import Console

    out = Console(width=None if sys.stdout.isatty() else 160)
    out.print(version())
    wrong = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        sources = {p: Path(p).read_text() for p in paths}
        jobs = {p: {a: pool.submit(compiled, s, Path(p).name, a) for a in ARCHS} for p, s in sources.items()}
        for path, by_arch in jobs.items():
            results = {}
            for arch, job in by_arch.items():
                try:
                    results[arch] = job.result()
                    found = problems(results[arch], expected_entries(sources[path]))
                    wrong += [f"{path}, {arch}: {p}" for p in found]
                except CompileError as error:
                    wrong.append(f"{path}, {arch}: {error}")
            out.print(table(path, results))
    for line in wrong:
        out.print(line, style="red", markup=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
