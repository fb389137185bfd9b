"""From times to what is said of them: bytes a second, the part of a copy's, and the ratio to the best peer.

Nothing here is filled in: what was not measured is absent.
"""

import re

from .measuring import median

PASSES = {"forward": (3, 2), "backward": (5, 3)}
"""How often x's bytes are moved: gone through twice, and where one launch keeps what it has read."""


def passes(direction, launches):
    """x is read (and dy), then read again and written, unless the launch that read it did. None where it is not known.

    A kernel whose name begins with a number above 1 goes through the data again.
    """
    if launches is None:
        return None
    split, fused = PASSES[direction]
    return split if any(re.match(r"[2-9]_(?!settle)", name) for name in launches) else fused


def rate(nbytes, count, microseconds):
    """GB/s of `count` times x's bytes."""
    return count * nbytes / microseconds / 1e3


def spread(rounds):
    """How far the rounds are apart, as a part of their median."""
    return (max(rounds) - min(rounds)) / median(rounds) if len(rounds) > 1 else None


def rows(part):
    """One row for each case, direction and mode that anything was measured of."""
    found = []
    for record in part["records"]:
        keys = dict.fromkeys((t["direction"], t["mode"]) for t in record["times"])
        found += [_row(part, record, *key) for key in keys]
    return found


def _row(part, record, direction, mode):
    times = {
        t["peer"]: t
        for t in record["times"]
        if (t["direction"], t["mode"]) == (direction, mode) and "microseconds" in t
    }
    micros = {name: t["microseconds"] for name, t in times.items()}
    copy = micros.pop("copy", None)
    own = micros.get(part["ours"])
    others = {name: t for name, t in micros.items() if not name.startswith(part["ours"])}
    row = {"case": record["name"], "direction": direction, "mode": mode, "microseconds": micros}
    if copy is not None:
        row["copy of x, microseconds"] = copy
    if own is not None:
        row |= _of_ours(part, record, direction, mode, own)
        if (apart := spread(times[part["ours"]]["rounds"])) is not None:
            row["spread"] = apart
    if own is not None and others:
        best = min(others, key=others.get)
        row |= {"best peer": best, "ratio": others[best] / own}
    return row


def _of_ours(part, record, direction, mode, own):
    prepared = record["prepared"][part["ours"]]
    count = passes(direction, (prepared.get("launches") or {}).get(direction))
    if count is None or mode == "call":
        return {}
    found = {"passes": count, "GB/s": rate(record["nbytes"], count, own)}
    if "bandwidth" in part.get("copy", {}):
        found["of copy"] = found["GB/s"] * 1e9 / part["copy"]["bandwidth"]
    return found


def missing(part):
    """(case, peer, why) of all that was asked for and not measured."""
    found = [(m["name"], "every peer", m["why"]) for m in part["not measured"]]
    if "failed" in part.get("copy", {}):
        found.append(("the large copy", "copy", part["copy"]["failed"]))
    for record in part["records"]:
        found += [(record["name"], peer, p["failed"]) for peer, p in record["prepared"].items() if "failed" in p]
        unprepared = {peer for peer, p in record["prepared"].items() if "failed" in p}
        found += [
            (f"{record['name']}, {t['direction']}, {t['mode']}", t["peer"], t["failed"])
            for t in record["times"]
            if "failed" in t and t["peer"] not in unprepared
        ]
    return found
