"""Where nodes and arrows of a graph stand: in layers from top to bottom, an arrow through every layer it crosses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from bnsym.report.blocks import Edge, Graph, Node

LETTER, PADDING, HEIGHT = 8.5, 26.0, 30.0
BESIDE, BELOW = 22.0, 72.0
SPREAD = 0.6
"""The part of a box's width that arrows leave from and come in at, each at a place of its own."""
ROUNDS = 6
Point = tuple[float, float]
Place = tuple[int, int]
"""A node by its number and layer; of an arrow that crosses a layer, minus one and its own number, and the layer."""


@dataclass(frozen=True)
class Box:
    """A node: its middle, and its width."""

    node: Node
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Arrow:
    """A line through some points; dotted where it is held, and whether a gradient comes back along it."""

    points: tuple[Point, ...]
    dotted: bool
    back: bool


@dataclass(frozen=True)
class Diagram:
    """A graph laid out, in units of which a letter is about eight wide."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def diagram(graph: Graph) -> Diagram:
    """The graph laid out: the same on every machine."""
    layers = _layers(graph)
    ways = [_way(edge, n, layers) for n, edge in enumerate(graph.edges)]
    rows = _ordered(layers, ways)
    widths = {(n, layers[n]): LETTER * max(len(node.signs), 2) + PADDING for n, node in enumerate(graph.nodes)}
    spans = [sum(widths.get(p, 0.0) for p in row) + BESIDE * (len(row) - 1) for row in rows]
    width = max(spans) + PADDING
    at: dict[Place, Point] = {}
    for depth, (row, span) in enumerate(zip(rows, spans, strict=True)):
        x = (width - span) / 2
        for p in row:
            at[p] = (round(x + widths.get(p, 0.0) / 2, 1), HEIGHT / 2 + 4 + depth * BELOW)
            x += widths.get(p, 0.0) + BESIDE
    boxes = tuple(
        Box(node, *at[n, layers[n]], round(widths[n, layers[n]] - 6, 1)) for n, node in enumerate(graph.nodes)
    )
    spread = _spread(ways, at, widths)
    arrows = tuple(Arrow(points, e.dotted, e.back) for points, e in zip(spread, graph.edges, strict=True))
    return Diagram(round(width, 1), 8 + HEIGHT + BELOW * (len(rows) - 1), boxes, arrows)


def _spread(ways: list[list[Place]], at: dict[Place, Point], widths: dict[Place, float]) -> list[tuple[Point, ...]]:
    """The points of each way; at a box those that share a side stand side by side, as what they lead to does."""
    points = [[at[p] for p in way] for way in ways]
    for end, beside in ((0, 1), (-1, -2)):
        sharing: dict[Place, list[int]] = {}
        for n, way in enumerate(ways):
            sharing.setdefault(way[end], []).append(n)
        for place, found in sharing.items():
            found.sort(key=lambda n: at[ways[n][beside]])
            step = SPREAD * widths[place] / len(found)
            for k, n in enumerate(found):
                x, y = at[place]
                points[n][end] = (round(x + step * (k - (len(found) - 1) / 2), 1), y)
    return [tuple(p) for p in points]


def _layers(graph: Graph) -> list[int]:
    """How deep each node stands: below all it is computed from, and what is given just above where it is used."""
    depth = [0] * len(graph.nodes)
    for edge in sorted(graph.edges, key=lambda e: e.target):
        depth[edge.target] = max(depth[edge.target], depth[edge.source] + 1)
    given = set(range(len(graph.nodes))) - {e.target for e in graph.edges}
    for n in given:
        depth[n] = min((depth[e.target] - 1 for e in graph.edges if e.source == n), default=0)
    return depth


def _way(edge: Edge, number: int, layers: list[int]) -> list[Place]:
    """The places that an arrow goes through, layer by layer."""
    first, last = layers[edge.source], layers[edge.target]
    between = [(-1 - number, depth) for depth in range(first + 1, last)]
    return [(edge.source, first), *between, (edge.target, last)]


def _ordered(layers: list[int], ways: list[list[Place]]) -> list[list[Place]]:
    """Each layer from left to right: again and again every place moves to the middle of its neighbours."""
    rows: list[list[Place]] = [[] for _ in range(max(layers, default=0) + 1)]
    for p in dict.fromkeys([*((n, depth) for n, depth in enumerate(layers)), *(p for way in ways for p in way)]):
        rows[p[1]].append(p)
    near: dict[Place, list[Place]] = {p: [] for row in rows for p in row}
    for way in ways:
        for a, b in pairwise(way):
            near[a].append(b)
            near[b].append(a)
    for turn in range(ROUNDS):
        for row in rows if turn % 2 else reversed(rows):
            middle = {p: _middle(near[p], rows) for p in row}
            row.sort(key=middle.__getitem__)
    return rows


def _middle(places: Iterable[Place], rows: list[list[Place]]) -> float:
    found = [(rows[p[1]].index(p) + 0.5) / len(rows[p[1]]) for p in places]
    return sum(found) / len(found) if found else 0.5
