"""A report as one HTML file: formulas in MathML, the graph in SVG, no script, nothing fetched."""

from __future__ import annotations

import re
from itertools import pairwise

from markupsafe import Markup, escape

from bnsym.render import environment
from bnsym.report.blocks import Section, Story
from bnsym.report.chart import chart
from bnsym.report.diagram import Arrow, diagram
from bnsym.report.mathml import mathml
from bnsym.report.sentences import Code, Sentence, Text

BREAKS = re.compile(r"(?<=[^_])_(?=[^_])")


def html(told: Story) -> str:
    """A report that is told already."""
    page = environment().overlay(autoescape=True)
    page.filters |= {
        "inline": lambda latex: Markup(mathml(latex)),
        "display": lambda latex: Markup(mathml(latex, display=True)),
        "anchor": anchor,
        "words": words,
        "diagram": diagram,
        "chart": chart,
        "curve": curve,
        "code": code,
    }
    return page.get_template("report/page.html.j2").render(story=told)


def words(title: Sentence) -> str:
    """A title in plain words."""
    return "".join(span.text for span in title if isinstance(span, (Text, Code)))


def anchor(section: Section) -> str:
    """A section's name within the page."""
    return "-".join(re.findall(r"[a-z0-9]+", words(section.title).lower()))


def code(name: str) -> Markup:
    """A name as code spells it, which may be broken at its underscores where lines are short."""
    return Markup(BREAKS.sub("_<wbr>", str(escape(name))))


def curve(arrow: Arrow, aside: float = 0.0, room: float = 15.0) -> str:
    """The path of an arrow from box to box, in SVG; `aside` moves it to the right."""
    points = [(x + aside, y) for x, y in arrow.points]
    first, last = points[0], points[-1]
    points[0], points[-1] = (first[0], first[1] + room), (last[0], last[1] - room)
    text = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (u, v) in pairwise(points):
        half = (y + v) / 2
        text += f" C{x:.1f} {half:.1f} {u:.1f} {half:.1f} {u:.1f} {v:.1f}"
    return text
