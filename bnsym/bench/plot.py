"""A comparison as a picture: for each shape, how many times as long as a plain copy everything took."""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bnsym.bench.arrays import Missing
from bnsym.bench.cases import DATA
from bnsym.bench.figures import times

__all__ = ["FORMATS", "picture"]

FORMATS = (".png", ".svg", ".pdf")
LOOKS = {  # a colour and a mark; bnsym's are blue
    "numpy": ("#08519c", "o"),
    "numpy plan": ("#08519c", "D"),
    "numba": ("#4292c6", "o"),
    "numba plan": ("#4292c6", "D"),
    "naive": ("#8c8c8c", "s"),
    "torch": ("#d94801", "^"),
    "torch.compile": ("#fd8d3c", "v"),
    "jax": ("#238b45", "p"),
}


def picture(result: Mapping[str, Any], path: Path) -> bytes:
    """The picture in the format of the file's name. Raises Missing where Matplotlib is not installed."""
    try:
        matplotlib = importlib.import_module("matplotlib.figure")
    except ImportError:
        raise Missing("--plot needs Matplotlib, which is not installed: pip install 'bnsym[train]'") from None
    functions = list(dict.fromkeys(r["function"] for r in result["records"]))
    shapes = list(dict.fromkeys(r["name"] for r in result["records"]))
    figure = matplotlib.Figure(figsize=(5.5 * len(functions), 1.8 + 0.55 * len(shapes)), layout="constrained")
    panels = figure.subplots(1, len(functions), sharey=True, squeeze=False)[0]
    for panel, function in zip(panels, functions, strict=True):
        _panel(panel, result, function, shapes)
    handles = {label: h for p in panels for h, label in zip(*p.get_legend_handles_labels(), strict=True)}
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=min(6, len(handles)), frameon=False
    )
    machine = result["machine"]
    title = f"{result['norm']}, {result['dtype']}, {machine['threads']} threads, {machine['processor']}"
    figure.suptitle(f"{title}\nfilled: centred data; hollow: mean 3", fontsize=10)
    target = io.BytesIO()
    figure.savefig(target, format=path.suffix[1:], dpi=150)
    return target.getvalue()


def _panel(panel: Any, result: Mapping[str, Any], function: str, shapes: Sequence[str]) -> None:
    """A row for each shape, and within it a line for each that was measured."""
    names = [n for n in LOOKS if any(n in times(r) for r in result["records"])]
    for n, name in enumerate(names):
        colour, mark = LOOKS[name]
        for data in DATA:
            at, over = _points(result, name, function, data, shapes)
            is_centred = data == next(iter(DATA))
            panel.scatter(
                over,
                [y + (n - (len(names) - 1) / 2) * 0.75 / len(names) for y in at],
                s=26,
                marker=mark,
                edgecolors=colour,
                facecolors=colour if is_centred else "none",
                label=name if is_centred else None,
                zorder=3,
            )
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:g}")
    panel.axvline(1, color="black", linewidth=0.8)
    for edge in range(1, len(shapes)):
        panel.axhline(edge - 0.5, color="0.85", linewidth=0.7)
    panel.set_yticks(range(len(shapes)), shapes)
    panel.set_ylim(len(shapes) - 0.5, -0.5)
    panel.grid(axis="x", which="both", color="0.92")
    panel.set_title(function)
    panel.set_xlabel("time, over that of the bytes moved")


def _points(
    result: Mapping[str, Any], name: str, function: str, data: str, shapes: Sequence[str]
) -> tuple[list[int], list[float]]:
    """Rows, and times over the roof's."""
    records = [r for r in result["records"] if (r["function"], r["data"]) == (function, data)]
    found = [(shapes.index(r["name"]), times(r)) for r in records]
    known = [(at, t[name] / t["roof"]) for at, t in found if name in t and "roof" in t]
    return [at for at, _ in known], [over for _, over in known]
