"""What depends on what in a forward program: its arrows, and every path from an input to an output."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from bnsym.calculus.chain import differentiable
from bnsym.model import Program, Quantity
from bnsym.report.blocks import Block, Edge, Graph, Items, Node, Section, paragraph
from bnsym.report.mathml import signs
from bnsym.report.sentences import Math, counted, sentence
from bnsym.report.writer import Writer

SHOWN = 12
"""So many paths are written out; of more, only the number is given."""


def dependencies(w: Writer) -> Section:
    """The graph, and how each input reaches each output."""
    program = w.derivation.forward
    held = any(e.held for e in program.equations)
    legend = "An arrow leads from each quantity to those whose equations use it."
    legend += " No gradient flows back along a dotted arrow." if held else ""
    blocks: list[Block] = [paragraph(legend), graph(w, program)]
    for x in differentiable(program):
        for y in program.outputs:
            blocks += _reaching(w, x, y)
    return Section(sentence("What depends on what"), tuple(blocks))


def graph(w: Writer, program: Program) -> Graph:
    """Every quantity, in the order in which it is known, and an arrow to each equation that uses it."""
    quantities = [*program.inputs, *(e.left for e in program.equations)]
    back = {(s.of, c.consumer.left) for s in w.derivation.steps for c in s.contributions}
    edges = (
        Edge(quantities.index(q), quantities.index(e.left), e.held, (q, e.left) in back)
        for e in program.equations
        for q in e.inputs
    )
    numbers = [*(None for _ in program.inputs), *(w.number(e) for e in program.equations)]
    symbols = (w.bare(q).latex for q in quantities)
    nodes = (Node(q.name, s, signs(s), n) for q, s, n in zip(quantities, symbols, numbers, strict=True))
    return Graph(tuple(nodes), tuple(edges))


def _reaching(w: Writer, x: Quantity, y: Quantity) -> list[Block]:
    program = w.derivation.forward
    number = count(program, x, y)
    if not number:
        return [paragraph(w.bare(x), " does not change ", w.bare(y), ".")]
    start = sentence(w.bare(x), " reaches ", w.bare(y), f" by {counted(number, 'path')}")
    # Breadth first would hold every path at once; few are so many that sorting what is shown does not suffice.
    found = sorted(islice(paths(program, x, y), SHOWN), key=len)
    rest = f", of which {SHOWN} are:" if number > SHOWN else ":"
    chains = (Math(r" \to ".join(w.notation.quantity(Quantity(q.name)) for q in path)) for path in found)
    return [paragraph(start, rest), Items(tuple((chain,) for chain in chains)), *_mixing(w, x, y)]


def _mixing(w: Writer, x: Quantity, y: Quantity) -> list[Block]:
    """Where a sum lies on the way, one output depends on inputs at every place along its axis."""
    program = w.derivation.forward
    way = [e for e in program.equations if count(program, x, e.left) and count(program, e.left, y)]
    mixed = [a for a in y.axes if a in x.axes and any(a in t.axes for e in way for t in e.terms)]
    if not mixed:
        return []
    sums = w.references(e for e in way if any(a in t.axes for t in e.terms for a in mixed))
    along = w.indices(mixed)
    each = sentence(w.bare(y), " can depend on every element of ", w.bare(x), " along ", along)
    return [paragraph("On the way through ", sums, " it is summed over ", along, ": so each element of ", each, ".")]


def paths(program: Program, start: Quantity, end: Quantity) -> Iterator[tuple[Quantity, ...]]:
    """Every way from a quantity to another along equations that are not held."""
    if start == end:
        yield (end,)
        return
    for e in program.equations:
        if not e.held and start in e.inputs:
            for rest in paths(program, e.left, end):
                yield (start, *rest)


def count(program: Program, start: Quantity, end: Quantity) -> int:
    """How many paths there are: those of a quantity are those of all it depends on."""
    ways = {start: 1}
    for e in program.equations:
        if e.left != start:
            ways[e.left] = 0 if e.held else sum(ways.get(q, 0) for q in e.inputs)
    return ways.get(end, 0)
