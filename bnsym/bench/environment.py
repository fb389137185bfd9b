"""What a process is told before it starts: how many threads it may use, and that they sleep while they wait."""

from __future__ import annotations

import os

__all__ = ["QUIET", "environment"]

QUIET = "threads that wait sleep (OMP_WAIT_POLICY=PASSIVE, KMP_BLOCKTIME=0), so that no process disturbs another"
COUNTS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "BNSYM_NUM_THREADS",
)
WAITING = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "KMP_BLOCKTIME": "0",
    "GOMP_SPINCOUNT": "0",
    "OPENBLAS_THREAD_TIMEOUT": "4",  # the least: a power of two of the processor's cycles
    "TORCHINDUCTOR_COMPILE_THREADS": "1",  # no pool of compilers is left waiting
}


def environment(threads: int, **more: str) -> dict[str, str]:
    """The environment of this process, with so many threads."""
    one = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()} intra_op_parallelism_threads={threads}"
    counts = dict.fromkeys(COUNTS, str(threads))
    return {**os.environ, **counts, **WAITING, "XLA_FLAGS": one, "JAX_PLATFORMS": "cpu", **more}
