"""A report as a Jupyter notebook, which derives and checks each step again as it runs from top to bottom."""

from __future__ import annotations

import json
from typing import Any

from bnsym.definitions import NAMES
from bnsym.model import Definition
from bnsym.report.blocks import Story
from bnsym.report.markdown import markdown_environment


def notebook(told: Story, definition: Definition) -> str:
    """A report that is told already: the same bytes on every machine, but for the path of a user's own file."""
    made = markdown_environment()
    made.filters |= {"lines": lambda text: text.splitlines(keepends=True), "quoted": json.dumps}
    source = definition.name if definition.name in NAMES else definition.file
    template = made.get_template("report/notebook.ipynb.j2")
    return template.render(story=told, source=source, notebook=_file)


def _file(cells: list[dict[str, Any]]) -> str:
    """The file format, version 4.4, in which cells need no random numbers for names."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(whole, indent=1, ensure_ascii=False)
