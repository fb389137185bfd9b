"""Compile every function of every CuPy module for every dtype, many at once; CuPy keeps them on disk.

python -m tests.gpu_report.compile
"""

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.gpu.modules import GENERATED, module

DTYPES = ("float32", "float16", "float64", "bfloat16")


def wanted():
    """(module, function, dtype), of the modules that have kernels; of some these are no function's, but products."""
    names = sorted(path.stem for path in GENERATED.glob("*.cu"))
    functions = {name: list(getattr(module(name), "_FUNCTIONS", ["product"])) for name in names}
    return [(name, function, dtype) for dtype in DTYPES for name in names for function in functions[name]]


def compiled(name, function, dtype):
    """Nothing where it compiles, else why not. Channels alone, and products, have no kernels of half a float."""
    found = module(name)
    if dtype not in ("float32", "float64") and (function == "product" or not found._FUNCTIONS[function].sweeps):
        return ""
    try:
        if function == "product":
            found._multiplying(dtype)
        else:
            found._compiled(function, dtype).compile()
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return ""


def main():
    begin, failed = time.monotonic(), 0
    tasks = wanted()
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(compiled, *task): task for task in tasks}
        for done in as_completed(running):
            if why := done.result():
                failed += 1
                print("FAILED", *running[done], why)
    print(f"{len(tasks) - failed} of {len(tasks)} compiled in {time.monotonic() - begin:.0f} s")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
