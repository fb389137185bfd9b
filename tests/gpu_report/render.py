"""The report as Markdown, and its table for a terminal."""

from . import table

DRY = "**A dry run on a CPU, of the program that measures: none of its figures is a measurement.**"
HEADINGS = (
    "case",
    "direction",
    "timed",
    "bnsym µs",
    "GB/s",
    "of copy",
    "best peer µs",
    "ratio",
    "all peers µs",
    "spread",
)


def number(value, digits=3):
    """A figure as a person reads it; nothing where there is none."""
    return "" if value is None else f"{value:.{digits}g}" if abs(value) < 10 ** (digits - 1) else f"{value:.0f}"


def percent(value):
    return "" if value is None else f"{100 * value:.0f} %"


def cells(row, ours):
    """A row's texts, in the order of the headings."""
    micros = row["microseconds"]
    others = [f"{name} {number(t)}" for name, t in micros.items() if name != ours]
    if "copy of x, microseconds" in row:
        others.append(f"copy {number(row['copy of x, microseconds'])}")
    best = f"{number(micros[row['best peer']])} ({row['best peer']})" if "best peer" in row else ""
    moved = f"{number(row['GB/s'])} ({row['passes']}S)" if "GB/s" in row else ""
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
    figures = (number(micros.get(ours)), moved, percent(row.get("of copy")), best, ratio)
    return (row["case"], row["direction"], row["mode"], *figures, "; ".join(others), percent(row.get("spread")))


def lines_of(rows):
    """A Markdown table."""
    shown = [[str(c).replace("|", "\\|").replace("\n", " ") for c in row] for row in rows]
    head, *body = shown
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


def markdown(data):
    """The whole report."""
    lines = [f"# {data['title']}", ""]
    if data["dry"]:
        lines += [DRY, ""]
    lines += lines_of([("machine", ""), *data["machine"].items()])
    if "correctness" in data:
        lines += ["", "## Correctness", "", *_parts(data["correctness"])]
    if "sanitizer" in data:
        lines += ["", "## compute-sanitizer", "", *_parts(data["sanitizer"])]
    if "step" in data:
        lines += ["", "## A training step", "", *_step(data["step"])]
    if "bandwidth" in data:
        lines += ["", "## Time", "", *_bandwidth(data["bandwidth"])]
    return "\n".join(lines) + "\n"


def _parts(part):
    """What ran, one line each, and what it said where it failed."""
    lines = lines_of(
        [("what", "result", "seconds"), *((p["what"], p["result"], number(p.get("seconds"))) for p in part)]
    )
    for p in part:
        if p.get("detail"):
            lines += ["", f"{p['what']}:", "", "```text", *p["detail"], "```"]
    return lines


def _step(part):
    head = ("the paper's network with batch norm, on mini-batches of 60", "µs a step", "spread", "losses")
    rows = [
        (name, number(p.get("microseconds")), percent(table.spread(p["rounds"]) if p["rounds"] else None), _checked(p))
        for name, p in part.items()
    ]
    return ["As a training loop sees it: medians of rounds in which peers take turns.", "", *lines_of([head, *rows])]


def _checked(found):
    """How far a peer's losses are from NumPy's, or why it was not measured."""
    return found.get("failed") or f"within {number(found['error'], 2)} of NumPy's"


def _bandwidth(part):
    copy = part.get("copy", {})
    lines = []
    if "bandwidth" in copy:
        lines += [
            f"A copy of {copy['bytes']:,} bytes moves {number(copy['bandwidth'] / 1e9)} GB/s, read and written.",
            "",
        ]
    lines += [
        "Medians of the rounds' medians, in microseconds. GB/s count what bnsym's launches move, in multiples of the "
        "bytes of x, S. The ratio is the best peer's time over bnsym's: above 1 bnsym is the faster. Timed: between "
        "events on the device; as a caller sees it; replayed from a graph.",
        "",
        *lines_of([HEADINGS, *(cells(row, part["ours"]) for row in table.rows(part))]),
    ]
    if absent := table.missing(part):
        lines += ["", "Not measured:", "", *lines_of([("case", "peer", "why"), *absent])]
    checked = [(r["name"], peer, p) for r in part["records"] for peer, p in r["prepared"].items() if "errors" in p]
    if checked:
        rows = [(n, peer, p["reference"], *(number(p["errors"].get(k), 2) for k in KINDS)) for n, peer, p in checked]
        lines += ["", "Relative error (norm of the difference over the norm), before anything was timed:", ""]
        lines += lines_of([("case", "peer", "against", *KINDS), *rows])
    return lines


KINDS = ("y", "dx", "dgamma", "dbeta")


def show(data):
    """Print the table: with rich where it is installed, else as Markdown."""
    part = data.get("bandwidth")
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(markdown(data))
        return
    console = Console(width=200)
    for name in ("correctness", "sanitizer"):
        for p in data.get(name, ()):
            console.print(f"{p['what']}: {p['result']}", markup=False, highlight=False)
    for name, p in data.get("step", {}).items():
        console.print(f"a training step, {name}: {p.get('failed') or number(p['microseconds']) + ' µs'}", markup=False)
    if part:
        shown = Table(*HEADINGS, title=data["title"] + (" (a dry run: no measurement)" if data["dry"] else ""))
        for row in table.rows(part):
            shown.add_row(*cells(row, part["ours"]))
        console.print(shown)
        for case, peer, why in table.missing(part):
            console.print(f"not measured: {case}, {peer}: {why}", markup=False, highlight=False)
