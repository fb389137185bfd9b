"""Every case on every peer, in rounds that take turns; one record each time something was measured or was missing."""

from .cases import DIRECTIONS, every, tiny
from .measuring import median
from .peer import Peer
from .worker import OURS, PEERS, WAYS

ROUNDS = 3
CEILING = 2 << 30  # bytes, copied once to learn what the memory gives
COMPILED = ("torch.compile", "torch.compile tuned")
PREPARING = 60.0  # seconds; compiling is given so long too
MEASURING = 30.0


def peers(compiled):
    """Those that are asked: `compiled` is "none", "headline" or "all", with "+tuned" for both kinds."""
    wanted = [] if compiled == "none" else COMPILED if compiled.endswith("+tuned") else COMPILED[:1]
    return [name for name in PEERS if name not in COMPILED or name in wanted]


def modes(case):
    """How a case is timed: a small one also as a caller sees it, and in a graph."""
    return ("device", "call", "graph") if case.small else ("device",)


def ceiling(peer, is_dry):
    """Bytes a second of a large copy, read and written, and how it was found; or why it is not known."""
    size = CEILING >> (16 if is_dry else 0)
    peer.ask(do="ceiling", bytes=size)
    got = peer.told(PREPARING)
    if "failed" in got:
        return {"failed": got["failed"]}
    return {"bytes": size, "microseconds": got["microseconds"], "bandwidth": 2 * size / got["microseconds"] * 1e6}


def _prepared(case, running, budget):
    """What each peer says to a case; they prepare at the same time, since nothing is timed."""
    for peer in running.values():
        peer.ask(do="prepare", case=case.asdict())
    return {name: peer.told(min(PREPARING, max(budget.left, 5.0))) for name, peer in running.items()}


def _rounds(case, running, told, budget):
    """The times of the rounds, by direction, mode and peer; a peer that fails is not asked again."""
    times, failed = {}, {}
    for mode in modes(case):
        for direction in DIRECTIONS:
            for _ in range(ROUNDS):
                for name, peer in running.items():
                    key = (direction, mode, name)
                    if "failed" in told[name] or key in failed or (name == "copy" and mode != "device"):
                        continue
                    peer.ask(do="round", direction=direction, mode=mode)
                    got = peer.told(min(MEASURING, max(budget.left, 5.0)))
                    if "failed" in got:
                        failed[key] = got["failed"]
                        if peer.process is None:  # what it had prepared is gone
                            told[name] = got
                    else:
                        times.setdefault(key, []).append(got["microseconds"])
    return times, failed


def measured(case, running, budget):
    """One record: what each peer said, and its times."""
    told = _prepared(case, running, budget)
    times, failed = _rounds(case, running, dict(told), budget)
    record = {"case": case.asdict(), "name": case.name, "nbytes": case.nbytes, "prepared": told, "times": []}
    for direction, mode, name in dict.fromkeys([*times, *failed]):
        key = (direction, mode, name)
        found = times.get(key, [])
        row = {"direction": direction, "mode": mode, "peer": name, "rounds": found, "microseconds": median(found)}
        record["times"].append({k: v for k, v in row.items() if v is not None} | _said(failed.get(key)))
    return record


def _is_asked(name, case, compiled):
    """Whether a peer is asked for a case: what takes long, or is asked for another reason, is for the headlines."""
    return case.headline or not (name in WAYS or (name in COMPILED and not compiled.startswith("all")))


def _said(why):
    return {"failed": why} if why else {}


def run(report, budget, *, is_dry=False, compiled="headline", cases=None):
    """Measure case after case into the report, which is saved after each; what there is no time for is said so."""
    running = {name: Peer(name, is_dry) for name in peers(compiled)}
    cases = cases if cases is not None else tiny() if is_dry else every()
    part = report.data["bandwidth"] = {"peers": list(running), "ours": OURS, "records": [], "not measured": []}
    try:
        part["copy"] = ceiling(running["copy"], is_dry)
        for case in cases:
            if budget.left < 5:
                part["not measured"].append({"name": case.name, "why": "no time was left"})
                continue
            asked = {name: peer for name, peer in running.items() if _is_asked(name, case, compiled)}
            part["records"].append(measured(case, asked, budget))
            report.save()
    finally:
        for peer in running.values():
            peer.stop()
    report.save()
