"""Where the curves and ticks of a plot stand, both axes logarithmic."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bnsym.report.blocks import Plot

WIDTH, HEIGHT = 500.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 32.0, 46.0
BESIDE = 125.0
STEP = 2
"""Decades from one tick of the vertical axis to the next."""


@dataclass(frozen=True)
class Tick:
    """Where a power of ten stands along an axis."""

    at: float
    exponent: int


@dataclass(frozen=True)
class Curve:
    """A series as points, and where its name stands above the plot."""

    name: str
    points: tuple[tuple[float, float], ...]
    label: float


@dataclass(frozen=True)
class Chart:
    """A plot laid out."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    curves: tuple[Curve, ...]
    mark: float


def chart(plot: Plot) -> Chart:
    """The plot laid out: the same on every machine."""
    heights = [h for s in plot.series for h in s.heights]
    x = _Scale(plot.values, LEFT, WIDTH - RIGHT, 1)
    y = _Scale(heights, HEIGHT - BOTTOM, TOP, STEP)
    curves = tuple(
        Curve(s.name, tuple((x(v), y(h)) for v, h in zip(plot.values, s.heights, strict=True)), LEFT + n * BESIDE)
        for n, s in enumerate(plot.series)
    )
    return Chart(WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM, x.ticks, y.ticks, curves, y(plot.mark.at))


class _Scale:
    """Powers of ten along a line, from a round one below all values to a round one above."""

    def __init__(self, values: tuple[float, ...] | list[float], start: float, end: float, step: int):
        self._start, self._end = start, end
        self._first = math.floor(math.log10(min(values)))
        last = math.ceil(math.log10(max(values)))
        self._decades = last - self._first
        shown = range(self._first + (-self._first) % step, last + 1, step)
        self.ticks = tuple(Tick(self(10.0**e), e) for e in shown)

    def __call__(self, value: float) -> float:
        part = (math.log10(value) - self._first) / self._decades
        return round(self._start + part * (self._end - self._start), 1)
