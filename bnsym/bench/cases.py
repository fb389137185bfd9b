"""What is measured: shapes, dtypes, and data about 0 and far from it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["DATA", "DIRECTIONS", "DTYPES", "BenchError", "Case", "case_of", "parse_shape", "shapes_of"]

DATA = {"centred": 0.0, "mean 3": 3.0}  # by name, the mean of x; its standard deviation is 1
DTYPES = ("float16", "float32", "float64")
DIRECTIONS = ("forward", "backward")
GROUPS = 32

DENSE = ((60, 100), (256, 1024), (4096, 1024), (65536, 256))
IMAGES = (
    (32, 64, 56, 56),
    (64, 256, 14, 14),
    (32, 3, 224, 224),
    (8, 32, 128, 128),
    (256, 512, 7, 7),
)
LARGE_DENSE = ((60, 100), (65536, 1024), (256, 64, 56, 56), (32, 3, 224, 224), (256, 512, 7, 7), (256, 256, 14, 14))
LARGE_ROWS = ((8192, 1024), (8192, 4096), (4096, 8192), (32768, 768))
ON_GPU = {"channels": LARGE_DENSE, "rows": LARGE_ROWS, "images": ((32, 256, 56, 56),)}
QUICK = {"channels": (DENSE[0], DENSE[1], IMAGES[1]), "rows": DENSE[:2], "images": IMAGES[1:2]}
EVERY = {"channels": DENSE + IMAGES, "rows": (*DENSE, (8, 1024, 768)), "images": IMAGES}
KINDS = {"channels": "channels", "elementwise": "rows", "trailing": "rows", "groups": "images", "instance": "images"}


class BenchError(Exception):
    """What cannot be measured as it was asked, in one sentence."""


@dataclass(frozen=True)
class Case:
    """One definition on data of one shape and dtype."""

    norm: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    groups: int = 1

    @property
    def name(self) -> str:
        """The shape, as `--shape` takes it."""
        return ",".join(map(str, self.shape))

    @property
    def nbytes(self) -> int:
        """Bytes of x."""
        return math.prod(self.shape) * int(self.dtype.removeprefix("float")) // 8

    def asdict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def case_of(fields: Mapping[str, Any]) -> Case:
    """The case that `asdict` gave."""
    return Case(**{**fields, "shape": tuple(fields["shape"])})


def parse_shape(text: str) -> tuple[int, ...]:
    """Of "60,100" or "32x64x56x56". Raises BenchError."""
    if not re.fullmatch(r"[1-9]\d*([,x][1-9]\d*)+", text):
        raise BenchError(f"--shape takes sizes of two or more axes, as 60,100 or 32,64,56,56, and got {text!r}")
    return tuple(map(int, re.split("[,x]", text)))


def shapes_of(layout: str, *, is_quick: bool = False, is_on_gpu: bool = False) -> tuple[tuple[int, ...], ...]:
    """The shapes that a definition of this layout is measured on."""
    return (QUICK if is_quick else ON_GPU if is_on_gpu else EVERY)[KINDS[layout]]


def groups_of(channels: int) -> int:
    """Groups for so many channels: 32, as is usual, or as many as divide them."""
    return math.gcd(channels, GROUPS)
