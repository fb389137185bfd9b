"""The report as HTML: formulas say what their LaTeX says, links lead somewhere, nothing comes from elsewhere."""

import re
from collections import Counter
from xml.etree import ElementTree

import pytest

from bnsym.report.blocks import Edge, Formula, Graph, Node
from bnsym.report.diagram import diagram
from bnsym.report.html import html
from bnsym.report.mathml import ACCENTS, BIG, FENCES, FUNCTIONS, GREEK, SIGNS, TOKEN, FormulaError, mathml
from bnsym.report.paths import graph
from bnsym.report.sentences import Math
from tests.report_cases import STORIES, WRITERS, every

BACK = {sign: latex for latex, sign in SIGNS.items()}
GREEK_BACK = {sign: f"\\{name}" for name, sign in GREEK.items()}
OVER = {sign: name for name, sign in ACCENTS.items()}


def tokens(latex):
    """What a formula says: accents of one look are one, an index stands before a power, and every script in braces."""
    for name, sign in ACCENTS.items():
        latex = latex.replace(f"\\{name}{{", f"\\{OVER[sign]}{{")
    found, at = [], 0
    rest = TOKEN.findall(latex)
    while at < len(rest):
        scripts = {}
        while at < len(rest) and rest[at] in "_^":
            end = closing(rest, at + 1)
            scripts[rest[at]] = [t for t in rest[at + 1 : end] if t not in "{}"]
            at = end
        for mark in "_^":
            found += [mark, "{", *scripts[mark], "}"] if mark in scripts else []
        if not scripts:
            found.append(rest[at])
            at += 1
    return found


def closing(found, at):
    """Where the group ends that begins there, or the single sign."""
    depth = 0
    while True:
        depth += {"{": 1, "}": -1}.get(found[at], 0)
        at += 1
        if not depth:
            return at


def said(node):
    """MathML as LaTeX again."""
    inner = [said(child) for child in node]
    text = (node.text or "").strip()
    if node.tag in ("math", "mrow"):
        return "".join(inner)
    if node.tag == "mfrac":
        return rf"\frac{{{inner[0]}}}{{{inner[1]}}}"
    if node.tag == "msqrt":
        return rf"\sqrt{{{''.join(inner)}}}"
    if node.tag == "mover" and node.get("accent"):
        return rf"\{OVER[node[1].text]}{{{inner[0]}}}"
    if node.tag in ("msub", "munder", "msup", "mover"):
        return f"{inner[0]}{'_' if node.tag in ('msub', 'munder') else '^'}{{{inner[1]}}}"
    if node.tag in ("msubsup", "munderover"):
        return f"{inner[0]}_{{{inner[1]}}}^{{{inner[2]}}}"
    return leaf(node, text)


def leaf(node, text):
    if node.tag == "mtext":
        return rf"\text{{{text}}}"
    if node.get("fence"):
        lvert, rvert = FENCES
        name = {"(": "(", ")": ")", "[": "[", "]": "]"}.get(text, lvert if node.get("form") == "prefix" else rvert)
        return (r"\left" if node.get("form") == "prefix" else r"\right") + name + " "
    if node.tag == "mi" and (len(text) > 1 or node.get("mathvariant")):
        return f"\\{text} " if text in FUNCTIONS else rf"\mathrm{{{text}}}"
    if text == "\u2061":
        return ""
    known = {**BACK, **GREEK_BACK, **{sign: latex for latex, sign in BIG.items()}}
    return f"{known[text]} " if text in known else text


def formulas(node):
    """Every formula of a story."""
    if isinstance(node, (Math, Formula)):
        yield node.latex
    elif isinstance(node, tuple):
        for part in node:
            yield from formulas(part)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from formulas(getattr(node, name))


@every
def test_a_formula_says_what_its_latex_says(name):
    told = list(dict.fromkeys(formulas(STORIES[name])))
    assert told
    for latex in told:
        assert tokens(said(ElementTree.fromstring(mathml(latex)))) == tokens(latex)


@pytest.mark.parametrize("latex", [r"\frac{1}", r"\left(x", r"x \unknown", "x?", "x}", r"\left( x \right"])
def test_what_is_no_formula_is_refused(latex):
    with pytest.raises(FormulaError, match="formula"):
        mathml(latex)


@every
def test_links_lead_somewhere_and_nothing_comes_from_elsewhere(name):
    page = html(STORIES[name])
    ids = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert set(ids.values()) == {1}
    links = set(re.findall(r'href="([^"]+)"', page)) - {"data:,"}
    assert links
    assert links <= {f"#{anchor}" for anchor in ids}
    assert not re.search(r"https?:|<script|@import|url\((?!#)", page)
    assert not re.search(r"\\|idx\(|Tuple|Quantity", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))


def test_a_graph_stands_in_layers():
    """Arrows lead down, boxes of a layer do not overlap, and what is given stands just above its use."""
    edges = [(0, 2), (0, 3), (2, 3), (1, 4), (3, 4), (0, 4)]
    nodes = (Node(name, name, name, n) for name, n in zip("abcde", (None, None, 1, 2, 3), strict=True))
    made = diagram(Graph(tuple(nodes), tuple(Edge(*e, False, True) for e in edges)))
    at = [box.y for box in made.boxes]
    assert all(at[source] < at[target] for source, target in edges)
    assert at[1] == at[3] < at[4]
    for one in made.boxes:
        assert one.width / 2 <= one.x <= made.width - one.width / 2
        for other in made.boxes:
            assert one is other or one.y != other.y or abs(one.x - other.x) >= (one.width + other.width) / 2
    assert [len(arrow.points) for arrow in made.arrows] == [2, 3, 2, 2, 2, 4]


def test_a_gradient_comes_back_where_a_step_says_so():
    w = WRITERS["softmax_cross_entropy"]
    made = graph(w, w.derivation.forward)
    name = [node.name for node in made.nodes]
    back = {(name[e.source], name[e.target]) for e in made.edges if e.back}
    assert back == {("z", "shifted"), ("shifted", "e"), ("e", "total"), ("total", "loss"), ("shifted", "loss")}
