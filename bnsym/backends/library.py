"""The array libraries that generated modules compute with, and how the modules speak of their arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Library:
    """An array library: the name it has in a module, and what a module's docstrings and errors say."""

    name: str
    folder: str  # of its templates
    array: str  # what an argument has to be
    plain: str  # the same, where NumPy's subclasses are ruled out
    floats: str  # the dtypes of one
    number: str  # what a result without axes is
    number_type: str
    mask: str  # what a mask holds
    unchecked: str  # said of numbers of an array that a function cannot look at
    pivot: str  # what a value near the mean is
    threads: bool = False  # whether functions are told how many threads may share the work


NUMPY = Library(
    name="np",
    folder="numpy",
    array="NumPy array",
    plain="plain array",
    floats="float16, float32 or float64",
    number="a number",
    number_type="float",
    mask="zeros and ones, or truth values",
    unchecked="",
    pivot="any value near the mean: the first {}, or of many the mean of some",
    threads=True,
)

CUPY = Library(
    name="cp",
    folder="cupy",
    array="CuPy array",
    plain="CuPy array",
    floats="float16, bfloat16, float32 or float64",
    number="an array without axes: to look at it would wait for the device",
    number_type="Array",
    mask="zeros and ones, or truth values: what is not 0 takes part (unchecked: that some does in every channel)",
    unchecked=" (unchecked)",
    pivot="any value near the mean, such as the first {}",
)

NUMBA = replace(NUMPY, threads=True, pivot="any value near the mean: of each block, the mean of the one before")
