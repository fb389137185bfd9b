"""A result as tables for a terminal: times, ratios, what they come to, and what was not measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bnsym.bench.cases import DATA
from bnsym.bench.figures import off_centre, ratios, times

__all__ = ["missing", "show", "tables"]

Result = Mapping[str, Any]
Row = Sequence[str]
HEADINGS = {"naive": "naive / {}", "torch": "torch / {}", "fastest": "fastest / {}", "roof": "{} / roof"}
SUMMARY = {
    "naive, least": "naive's time over its own, the least",
    "naive, mean": "  geometric mean",
    "torch, mean": "torch's time over its own, geometric mean",
    "fastest, least": "the fastest framework's time over its own, the least",
    "fastest, mean": "  geometric mean",
    "roof from 16 MiB, mean": "its time over the roof's, x of 16 MiB or more, geometric mean",
    "roof from 16 MiB, most": "  the most",
    "mean 3 / centred, mean": "its time at mean 3 over centred, geometric mean",
    "mean 3 / centred, most": "  the most",
    "small, microseconds": "60,100 forward and backward, µs",
    "memory": "most memory beside outputs, MB",
    "nothing cached": "first forward and backward with import, nothing cached, s",
    "cached": "  cached, s",
}


def tables(result: Result) -> Group:
    """All of it."""
    parts: list[RenderableType] = [Text(line) for line in _opening(result)]
    parts += [_times(result), _ratios(result), _summary(result)]
    parts += [Text(f"not measured: {line}") for line in missing(result)]
    return Group(*parts)


def show(result: Result, console: Console) -> None:
    """Print the tables: as wide as a terminal is, elsewhere as wide as they are."""
    shown = tables(result)
    if not console.is_terminal:
        console = Console(file=console.file, width=400, highlight=False)
    console.print(shown)


def missing(result: Result) -> list[str]:
    """What was not measured and why, each reason once; functions that a peer has nothing for are named together."""
    found: dict[tuple[str, str], list[str]] = {}
    nothing: dict[str, dict[str, None]] = {}
    all_missing = {name for name in result["names"] if not any(_asked(r, name) for r in result["records"])}
    for record in result["records"]:
        for name, peer in record["peers"].items():
            if "failed" not in peer:
                continue
            if peer.get("missing") and name not in all_missing:
                nothing.setdefault(name, {})[record["function"]] = None
            else:
                place = f"{record['name']} {record['function']} {record['data']}"
                found.setdefault((name, peer["failed"]), []).append(place)
    count = len(result["records"])
    lines = [f"{n}{'' if len(at) == count else f' ({_some(at)})'}: {why}" for (n, why), at in found.items()]
    return lines + [f"{name}: has nothing for {', '.join(functions)}" for name, functions in nothing.items()]


def _asked(record: Mapping[str, Any], name: str) -> bool:
    """Whether there was something to measure."""
    return not record["peers"].get(name, {"missing": True}).get("missing")


def _some(places: Sequence[str]) -> str:
    return "; ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")


def _opening(result: Result) -> list[str]:
    machine, loads = result["machine"], result["load"]
    versions = {k: v for said in result["peers"].values() for k, v in said.get("versions", {}).items()}
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, {machine['system']}",
        ", ".join(f"{k} {v}" for k, v in ({"python": machine["python"]} | versions).items()),
        f"{result['norm']}, {result['dtype']}. Medians of {result['rounds']} rounds that take turns; "
        f"{result['conditions']}.",
    ]
    if None not in loads:
        quiet = "" if loads[0] < 0.5 else ": other programs ran beside it, so that these figures are rough"
        lines.append(f"Load average {loads[0]:.1f} before{quiet}.")
    return lines


def _number(value: float | None, digits: int = 3) -> str:
    """A figure as a person reads it; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}" if abs(value) < 10 ** (digits - 1) else f"{value:.0f}"


def _of(headings: Iterable[str], rows: Iterable[Row], title: str, left: int = 3) -> Table:
    table = Table(title=title, title_justify="left")
    for n, heading in enumerate(headings):
        table.add_column(heading, justify="left" if n < left else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _times(result: Result) -> Table:
    """Microseconds; a column for each that was measured at all."""
    columns = [n for n in result["names"] if any(n in times(r) for r in result["records"])]
    rows = []
    for record in result["records"]:
        found = times(record)
        micros = [_number(None if n not in found else 1e6 * found[n]) for n in columns]
        rows.append([record["name"], record["function"], record["data"], *micros])
    return _of(["shape", "function", "data", *columns], rows, "Microseconds of a call")


def _ratios(result: Result) -> Table:
    """Times over times; those of bnsym's own columns that were measured."""
    ours, far = _ours(result), [*DATA][-1]
    moved = {own: off_centre(result["records"], own) for own in ours}
    known = [(own, k) for own in ours for k in HEADINGS if any(k in ratios(r, own) for r in result["records"])]
    headings = [HEADINGS[k].format(own) for own, k in known] + [f"{own}: {far} / centred" for own in ours]
    rows = []
    for record in result["records"]:
        key = (record["name"], record["function"])
        cells = [_number(ratios(record, own).get(k)) for own, k in known]
        cells += [_number(moved[own].get(key)) if record["data"] == far else "" for own in ours]
        rows.append([*key, record["data"], *cells])
    title = "Ratios of times: above 1 bnsym's is the faster; beside the roof, how many times as long as a copy or add"
    return _of(["shape", "function", "data", *headings], rows, title)


def _summary(result: Result) -> Table:
    ours = _ours(result)
    figures = {own: {**result["summary"][own], **_firsts(result, own)} for own in ours}
    rows = []
    for key, text in SUMMARY.items():
        values = [figures[own].get(key) for own in ours]
        if any(value is not None for value in values):
            scale = 1e-6 if key == "memory" else 1.0
            rows.append([text, *(_number(None if v is None else v * scale) for v in values)])
    return _of(["over all rows", *ours], rows, "What it comes to", left=1)


def _firsts(result: Result, own: str) -> dict[str, float]:
    said = result["first calls"].get(own, {})
    return {when: told["seconds"] for when, told in said.items() if "seconds" in told}


def _ours(result: Result) -> list[str]:
    return [own for own in result["ours"] if any(own in times(r) for r in result["records"])]
