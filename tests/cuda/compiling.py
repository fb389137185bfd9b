"""A .cu and the shim, compiled by g++ into a library that is kept for the next time."""

import ctypes
import functools
import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SHIM = (*sorted(HERE.glob("*.h")), *sorted(HERE.glob("include/*.h")), HERE / "runtime.cpp")

COMMON = ("-std=c++17", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti", "-Wl,-Bsymbolic")
KERNELS = (
    *("-O1", "-w", "-fno-strict-aliasing", "-fwrapv", "-fno-asynchronous-unwind-tables"),
    "-ffp-contract=off",  # a multiplication and an addition stay two, so that results are the same on every machine
    "-fno-gnu-unique",  # the same template's variables in two libraries are two
    *("-fno-extern-tls-init", "-ftls-model=global-dynamic"),  # __shared__ is thread_local: see shim.h
    *("-Wl,-z,now", "-Wl,-rpath,$ORIGIN"),
)
DIALECT = {"x86_64": "gnu", "aarch64": "trad"}  # the one in which a thread-local address is asked of __tls_get_addr
DYNAMIC_SHARED = re.compile(r"\bextern\s+__shared__\s[^;]*?\b(\w+)\s*\[\s*\]\s*;")
CLUSTER_DIMS = re.compile(r"\b__cluster_dims__\s*\(([^()]*)\)")
ARCHITECTURE = re.compile(r"-?-(?:gpu-architecture|arch)=(?:sm|compute)_(\d+)[a-z]?")


class CompileError(Exception):
    """What g++ says of a source."""


@functools.cache
def compiler():
    """What decides what the same source becomes: the compiler, the shim, and the flags."""
    version = subprocess.run(["g++", "-v"], capture_output=True, text=True, check=True).stderr
    return version.encode() + b"".join(path.read_bytes() for path in SHIM) + repr((COMMON, KERNELS)).encode()


@functools.cache
def cache():
    """The folder of compiled libraries, which nobody else may write to: what lies there is run."""
    named = os.environ.get("BNSYM_TEST_CACHE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"bnsym-cuda-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; name another folder in BNSYM_TEST_CACHE")
    return folder


def built(name, arguments, source):
    """The path of a library, compiled unless it is there; processes may race, as the last one renames a whole file."""
    key = hashlib.sha256(b"\0".join([compiler(), repr(arguments).encode(), source.encode()])).hexdigest()[:32]
    path = cache() / f"{name}-{key}.so"
    if path.exists():
        return path
    handle, temporary = tempfile.mkstemp(suffix=".so", dir=cache())
    os.close(handle)
    try:
        command = ["g++", "-x", "c++", "-", "-x", "none", *COMMON, *arguments, "-o", temporary]
        done = subprocess.run(command, input=source, capture_output=True, text=True)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "error" in line or "undefined" in line]
            raise CompileError("g++ refuses the source:\n" + "\n".join((lines or done.stderr.splitlines())[:12]))
        os.rename(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


@functools.cache
def runtime():
    """The library that runs kernels: one for all of them, so that they share its fibers."""
    path = built("runtime", ("-O2", f"-I{HERE}"), f'#include "{HERE / "runtime.cpp"}"\n')
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


def epilogue(code):
    """What stands behind a source: dynamic arrays are symbols of no library, and a table tells which are clusters."""
    lines = [f'asm(".weak {name}");' for name in sorted(set(DYNAMIC_SHARED.findall(code)))]
    if dims := sorted(set(CLUSTER_DIMS.findall(code))):
        lines += [f"SHIM_BOUNDS({d})" for d in dims]
        table = " ".join(f"SHIM_CLUSTER({d})" for d in dims)
        lines += [f'extern "C" SHIM_API const shim::Cluster shim_clusters[] = {{{table} {{}}}};']
    return "\n".join(["", *lines, ""])


def compiled(code, options):
    """The library of a .cu."""
    machine = DIALECT.get(os.uname().machine)
    dialect = (f"-mtls-dialect={machine}",) if machine else ()
    paths = (f"-I{HERE / 'include'}", f"-I{HERE}", "-include", "shim.h", str(runtime().path))
    source = '# 1 "kernel.cu"\n' + code + epilogue(code)
    return ctypes.PyDLL(str(built("kernel", (*KERNELS, *dialect, *flags(options), *paths), source)))


class Symbol(ctypes.Structure):
    """What dladdr tells of an address."""

    _fields_ = (
        *(("file", ctypes.c_char_p), ("base", ctypes.c_void_p)),
        *(("name", ctypes.c_char_p), ("address", ctypes.c_void_p)),
    )


def exports(library, name):
    """Whether a name is the library's own, and not of one that it needs: a kernel, as nothing else is visible."""
    symbol = Symbol()
    address = ctypes.cast(library[name], ctypes.c_void_p)
    return bool(ctypes.CDLL(None).dladdr(address, ctypes.byref(symbol))) and symbol.file.decode() == library._name
