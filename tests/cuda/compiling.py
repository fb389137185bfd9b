"""A .cu and the shim, compiled by g++ into a library that is kept for the next time."""

import ctypes
import fcntl
import functools
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cuda.assembly import with_tables

HERE = Path(__file__).parent
SHIM = (HERE / "assembly.py", *sorted(HERE.glob("*.h")), *sorted(HERE.glob("include/*.h")), HERE / "runtime.cpp")

COMPILE = ("-std=c++17", "-fPIC", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti", f"-I{HERE}")
LINK = ("-shared", "-Wl,-Bsymbolic", "-Wl,-z,now", "-Wl,-z,defs", "-Wl,-rpath,$ORIGIN")
KERNELS = (
    *("-Og", "-w", "-fno-strict-aliasing", "-fwrapv", "-fno-asynchronous-unwind-tables"),
    "-ffp-contract=off",  # a multiplication and an addition stay two, so that results are the same on every machine
    *("-fsanitize=alignment", "-fsanitize-undefined-trap-on-error"),  # a GPU does not load or store across alignment
    *("-fno-extern-tls-init", "-ftls-model=global-dynamic"),  # __shared__ is thread_local: see shim.h
    f"-I{HERE / 'include'}",
)
DIALECT = {"x86_64": "gnu", "aarch64": "trad"}  # the one in which a thread-local address is asked of __tls_get_addr
ARCHITECTURE = re.compile(r"-?-(?:gpu-architecture|arch)=(?:sm|compute)_(\d+)[a-z]?")


def usable():
    """Whether this machine can run the shim: where not, tests are to be skipped."""
    return sys.platform == "linux" and os.uname().machine == "x86_64" and shutil.which("g++") is not None


class CompileError(Exception):
    """What g++ says of a source."""


@functools.cache
def compiler():
    """What decides what the same source becomes: the compiler, the shim, and the flags."""
    version = subprocess.run(["g++", "-v"], capture_output=True, text=True, check=True).stderr
    return version.encode() + b"".join(path.read_bytes() for path in SHIM) + repr((COMPILE, LINK)).encode()


@functools.cache
def cache():
    """The folder of compiled libraries, which nobody else may write to: what lies there is run."""
    named = os.environ.get("BNSYM_TEST_CACHE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"bnsym-cuda-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; name another folder in BNSYM_TEST_CACHE")
    return folder


def run(command, source=None):
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line or "undefined" in line]
        raise CompileError("g++ refuses the source:\n" + "\n".join((lines or done.stderr.splitlines())[:12]))
    return done.stdout


def built(name, options, source, *libraries, changed=str):
    """The path of a library, compiled unless it is there.

    `changed` is what is done to the assembly in between.
    """
    key = hashlib.sha256(b"\0".join([compiler(), repr((options, libraries)).encode(), source.encode()])).hexdigest()
    path = cache() / f"{name}-{key[:32]}.so"

    def make(made):
        assembly = run(("g++", "-x", "c++", "-", *COMPILE, *options, "-S", "-o", "-"), source)
        run(("g++", "-x", "assembler", "-", "-x", "none", *LINK, *libraries, "-o", made), changed(assembly))

    return kept(path, make)


def kept(path, make):
    """The path of a file that `make` writes, unless it is there; of processes that race, one writes."""
    if path.exists():
        return path
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock, tempfile.TemporaryDirectory(dir=cache()) as folder:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            made = Path(folder) / "made"
            make(str(made))
            made.rename(path)  # whole, even where another process has no lock
    return path


@functools.cache
def runtime():
    """The library that runs kernels: one for all of them, so that they share its fibers."""
    path = built("runtime", ("-O2", "-mno-red-zone"), f'#include "{HERE / "runtime.cpp"}"\n')
    library = ctypes.PyDLL(str(path))  # which keeps Python's lock: a launch is alone in its process
    library.shim_launch.restype = ctypes.c_char_p
    library.path = path
    return library


def flags(options):
    """Those of NVRTC's options that mean something to g++."""
    options = [option.replace("--define-macro=", "-D").replace("--include-path=", "-I") for option in options]
    taken = [option for option in options if option.startswith(("-D", "-I"))]
    found = [match[1] for option in options if (match := ARCHITECTURE.fullmatch(option))]
    return (*taken, *(f"-D__CUDA_ARCH__={architecture}0" for architecture in found[-1:]))


@functools.cache
def parsed(options):
    """A folder that has of shim.h what g++ makes of it, once for all sources: a third of the time of most.

    There is nothing else in it: where that does not suit the options, g++ looks on, and finds the text.
    """
    key = hashlib.sha256(compiler() + repr(options).encode()).hexdigest()
    command = ("g++", "-x", "c++-header", str(HERE / "shim.h"), *COMPILE, *options, "-o")
    return kept(cache() / f"parsed-{key[:32]}" / "shim.h.gch", lambda made: run((*command, made))).parent


def compiled(code, options):
    """The library of a .cu. What it includes by -I is not looked at: where that changes, the cache is to be emptied."""
    dialect = DIALECT.get(os.uname().machine)
    own = (*KERNELS, *((f"-mtls-dialect={dialect}",) if dialect else ()))
    options = (*own, f"-I{parsed(own)}", "-include", "shim.h", *flags(options))
    source = '# 1 "kernel.cu"\n' + code
    return ctypes.PyDLL(str(built("kernel", options, source, str(runtime().path), changed=with_tables)))


class Kernel:
    """A line of the table shim_kernels: see assembly.with_tables."""

    def __init__(self, words):
        self.address = next(words)
        self.cluster = (next(words), next(words), next(words)) if self.address else ()
        self.shared = [(next(words), next(words)) for _ in range(next(words))] if self.address else []


def kernel_of(library, name):
    """The kernel of a name; None where there is none."""
    address = ctypes.cast(library[name], ctypes.c_void_p).value if hasattr(library, name) else None
    words = iter(ctypes.cast(library.shim_kernels, ctypes.POINTER(ctypes.c_uint64)))
    lines = iter(lambda: Kernel(words), None)
    return next((k for k in itertools.takewhile(lambda k: k.address, lines) if k.address == address), None)
