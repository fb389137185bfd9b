"""The numbers from which a generated module computes erf, since NumPy has none: polynomials around evenly spaced nodes.

Near the node x0, with d = x - x0, a module evaluates

    erf(x) = erf(x0) + (d + d * p(d)),  p of degree 10.

The d that stands alone keeps every digit where x0 is 0 and erf(x) is small; near the other nodes it costs nothing.
p meets the exact chord at Chebyshev points, so that what it misses is below 2**-56 everywhere.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import mpmath

STEPS_PER_UNIT = 4
"""Nodes are 1 / 4 apart: a power of two, so that d is exact."""

LIMIT = 6
"""Beyond it erf is 1 in float64, as it is from 5.93 on."""

TERMS, TERMS_FLOAT32 = 12, 8
"""erf(x0) and p's coefficients; a group that NumPy gathers at once holds four float64 or eight float32."""

DIGITS = 40
"""What mpmath computes with: so many more than are printed that these are the same everywhere."""

WIDTH = 116


@dataclass(frozen=True)
class Erf:
    """What the template lays out: numbers as text, and how many there are."""

    step: str
    limit: str
    lines: tuple[str, ...]
    nodes: int
    terms: int
    terms_float32: int
    rows: int


@cache
def erf_numbers() -> Erf:
    """The polynomials around 0, 1 / 4, ..., 6, each in lines of its own; those around -x0 are their mirror images."""
    with mpmath.workdps(DIGITS):
        table = _table()
    return Erf(
        step=repr(1 / STEPS_PER_UNIT),
        limit=repr(float(LIMIT)),
        lines=tuple(line for row in table for line in textwrap.wrap(" ".join(map(repr, row)), WIDTH)),
        nodes=len(table),
        terms=TERMS,
        terms_float32=TERMS_FLOAT32,
        rows=1 << (2 * len(table) - 2).bit_length(),  # a power of two, which holds the mirror images too
    )


def _table() -> list[list[float]]:
    """For each node erf(x0), then p's coefficients, the lowest power first."""
    points = [mpmath.cospi(mpmath.mpf(2 * k + 1) / (2 * TERMS - 2)) for k in range(TERMS - 1)]
    through = mpmath.matrix([[u**k for k in range(TERMS - 1)] for u in points]) ** -1
    rows = []
    for n in range(LIMIT * STEPS_PER_UNIT + 1):
        x0 = mpmath.mpf(n) / STEPS_PER_UNIT
        chords = mpmath.matrix([_chord(x0, u / (2 * STEPS_PER_UNIT)) - 1 for u in points])
        # -0.0 + -0.0 is -0.0 and -0.0 + 0.0 is 0.0: with it erf keeps the sign of zero.
        rows.append([float(mpmath.erf(x0)) if n else -0.0, *_rounded(through * chords)])
    return rows


def _chord(x0: mpmath.mpf, d: mpmath.mpf) -> mpmath.mpf:
    """How steeply erf rises from x0 to x0 + d, and where d is 0, at x0."""
    if d:
        return (mpmath.erf(x0 + d) - mpmath.erf(x0)) / d
    return 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(x0**2))


def _rounded(coefficients: Sequence[mpmath.mpf]) -> list[float]:
    """Coefficients of (d / 0.125)**k made those of d**k, without the digits that are below 1e-17 at d = 0.125."""
    powers = [(2 * STEPS_PER_UNIT) ** k for k in range(TERMS - 1)]
    cut = [round(float(c * power), 18 - len(str(power))) for c, power in zip(coefficients, powers, strict=True)]
    return [c + 0.0 for c in cut]  # 0.0 for -0.0
