"""What is measured: shapes, dtypes and layouts, the most telling first, so that a short budget loses the least."""

import math
from dataclasses import asdict, dataclass

ITEMSIZE = {"float16": 2, "bfloat16": 2, "float32": 4}
DTYPES = tuple(ITEMSIZE)
DIRECTIONS = ("forward", "backward")
EPS = 1e-5
SMALL = 1 << 20  # bytes of x below which launches are what takes the time


@dataclass(frozen=True)
class Case:
    norm: str
    shape: tuple[int, ...]  # channels on axis 1, or rows
    dtype: str
    channels_last: bool = False
    groups: int = 0
    headline: bool = False

    @property
    def name(self):
        shape = "x".join(map(str, self.shape))
        layout = " channels last" if self.channels_last else ""
        return f"{self.norm} {shape}{f' G={self.groups}' if self.groups else ''}{layout} {self.dtype}"

    @property
    def nbytes(self):
        """Bytes of x."""
        return math.prod(self.shape) * ITEMSIZE[self.dtype]

    @property
    def small(self):
        return self.nbytes < SMALL

    @property
    def stored(self):
        """The shape as it lies in memory."""
        n, c, *spatial = self.shape
        return (n, *spatial, c) if self.channels_last else self.shape

    @property
    def channels(self):
        """How many numbers gamma has."""
        return self.shape[-1] if self.rows else self.shape[1]

    @property
    def rows(self):
        return self.norm in ("layer_norm", "rms_norm")

    @property
    def has_beta(self):
        return self.norm != "rms_norm"

    def options(self, direction):
        """What a generated module is told beside the arrays."""
        if self.norm == "batch_norm":
            return {"channel_axis": -1 if self.channels_last else 1}
        return {"num_groups": self.groups} if self.groups and direction == "forward" else {}

    def view(self):
        """x's shape for the statistics, the axes that they are over, and gamma's shape beside it."""
        n, c, *spatial = self.shape
        if self.groups:
            shape = (n, self.groups, c // self.groups, *spatial)
            return shape, tuple(range(2, len(shape))), (1, *shape[1:3], *(1 for _ in spatial))
        kept = len(self.shape) - 1 if self.rows or self.channels_last else 1
        param = tuple(size if a == kept else 1 for a, size in enumerate(self.stored))
        return self.stored, tuple(a for a in range(len(param)) if (a == kept) == self.rows), param

    def asdict(self):
        return asdict(self)


def case_of(fields):
    return Case(**{**fields, "shape": tuple(fields["shape"])})


CONV = ((256, 64, 56, 56), (32, 3, 224, 224), (256, 512, 7, 7), (256, 256, 14, 14))
ROWS = ((8192, 1024), (8192, 4096), (4096, 8192), (32768, 768))
HEADLINES = (
    ("batch_norm", (65536, 1024), ("float32",), False, 0),
    ("batch_norm", CONV[0], ("float16", "float32"), False, 0),
    ("batch_norm", CONV[0], ("float16",), True, 0),
    ("batch_norm", (60, 100), ("float32",), False, 0),
    ("batch_norm", CONV[3], ("float16",), False, 0),
    ("layer_norm", ROWS[1], ("float16",), False, 0),
    ("rms_norm", ROWS[1], ("bfloat16",), False, 0),
    ("group_norm", (32, 256, 56, 56), ("float16",), False, 32),
)
OTHERS = (
    *(("batch_norm", shape, DTYPES, False, 0) for shape in ((65536, 1024), *CONV, (60, 100))),
    *(("batch_norm", shape, DTYPES, True, 0) for shape in CONV),
    *((norm, shape, DTYPES, False, 0) for norm in ("layer_norm", "rms_norm") for shape in ROWS),
    ("group_norm", (32, 256, 56, 56), DTYPES, False, 32),
)


def every():
    """The headlines, then all others."""
    found = {}
    for headline, families in ((True, HEADLINES), (False, OTHERS)):
        for norm, shape, dtypes, last, groups in families:
            for dtype in dtypes:
                case = Case(norm, shape, dtype, last, groups, headline)
                found.setdefault(case.name, case)
    return list(found.values())


def tiny():
    """What a stand-in on a CPU can do in seconds: each norm and layout once."""
    return [
        Case("batch_norm", (60, 100), "float32", headline=True),
        Case("batch_norm", (4, 8, 6, 6), "float16"),
        Case("batch_norm", (4, 8, 6, 6), "float32", channels_last=True),
        Case("layer_norm", (16, 64), "float32"),
        Case("rms_norm", (16, 64), "float16"),
        Case("group_norm", (2, 8, 5, 5), "float32", groups=4),
    ]
