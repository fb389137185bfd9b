"""The time of a training step of the paper's network, as a training loop sees it, on every peer in turn."""

from .cases import Case
from .measuring import median
from .peer import Peer
from .worker import NETWORKS

ROUNDS = 3
PREPARING, MEASURING = 90.0, 60.0  # seconds
NETWORK = Case("network", (60, 784), "float32")
STEPS = 10  # of a run, each on a mini-batch of its own
RUNS = 200


def run(report, budget, *, is_dry=False):
    """Measure into the report, by peer: microseconds a step, or why there are none."""
    running = {name: Peer(name, is_dry) for name in NETWORKS}
    part = report.data["step"] = {}
    try:
        for peer in running.values():
            peer.ask(do="prepare", case=NETWORK.asdict())
        for name, peer in running.items():
            part[name] = {"rounds": [], **peer.told(min(PREPARING, max(budget.left, 5.0)))}
        for _ in range(ROUNDS):
            for name, peer in running.items():
                if "failed" not in part[name]:
                    _round(part[name], peer, min(MEASURING, max(budget.left, 5.0)), 2 if is_dry else RUNS)
    finally:
        for peer in running.values():
            peer.stop()
    report.save()


def _round(found, peer, seconds, runs):
    peer.ask(do="round", direction="step", mode="call", how={"count": runs})
    got = peer.told(seconds)
    if "failed" in got:
        found["failed"] = got["failed"]
        return
    found["rounds"].append(got["microseconds"] / STEPS)
    found["microseconds"] = median(found["rounds"])
