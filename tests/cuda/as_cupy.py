"""A generated .cu built as its module has CuPy build it: each function for each dtype by itself.

What is inlined, and so the registers and the spills, depends on what stands beside it.
"""

import re
from dataclasses import replace

from tests.cuda.nvrtc import compiled

DTYPES = {"float16": 1, "bfloat16": 2, "float32": 3, "float64": 4}


def parts(source, dtypes=tuple(DTYPES)):
    """The options for each of a source's functions and dtypes; one without any for a source that is built whole."""
    functions = re.findall(r"^#if FUNCTION == 0 \|\| FUNCTION == (\d+) ", source, re.MULTILINE)
    return [(f"-DFUNCTION={n}", f"-DDTYPE={DTYPES[d]}") for n in functions for d in dtypes] or [()]


def built(source, name, arch, options=(), dtypes=tuple(DTYPES)):
    """All that a source has for some dtypes, as if it were compiled at once; errors as `compiled`."""
    results = [compiled(source, name, arch, (*options, *more)) for more in parts(source, dtypes)]
    entries = {kernel: entry for r in results for kernel, entry in r.entries.items()}
    functions = {function: numbers for r in results for function, numbers in r.functions.items()}
    return replace(results[0], entries=entries, functions=functions)


def expected_of(source, dtypes, expected):
    """How many of a source's `expected` kernels it has for some dtypes; those of channels alone are always there."""
    if parts(source) == [()]:
        return expected
    channels = source.count("_channels_float")
    of_each, rest = divmod(expected - channels, len(DTYPES))
    assert rest == 0, f"{expected} kernels are not as many for each dtype"
    return of_each * len(dtypes) + channels
