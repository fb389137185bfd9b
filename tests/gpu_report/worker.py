"""One peer in a process of its own: reads what to do from stdin, a line of JSON each, and answers likewise.

python -m tests.gpu_report.worker PEER [--dry]
"""

import importlib
import json
import os
import sys
import warnings

from .cases import case_of
from .measuring import MODES, median, on_the_device

PEERS = {  # by name: where, and which class
    "copy": ("ours", "Copies"),
    "bnsym": ("ours", "Ours"),
    "bnsym, split": ("ours", "Split"),
    "bnsym, tickets": ("ours", "Tickets"),
    "bnsym, clusters": ("ours", "Clusters"),
    "torch": ("torches", "Torch"),
    "torch cuDNN": ("torches", "Cudnn"),
    "torch.compile": ("torches", "Compiled"),
    "torch.compile tuned": ("torches", "Tuned"),
}
NETWORKS = {  # those that train a network
    "bnsym, in a graph": ("networks", "Ours"),
    "torch, eager": ("networks", "Eager"),
    "torch, in a graph": ("networks", "Graphed"),
}
OURS = "bnsym"
WAYS = tuple(name for name in PEERS if name.startswith(f"{OURS}, "))
"""bnsym where it goes another way than it would choose: no peers, but to choose better by."""


def made(name, is_dry):
    where, kind = {**PEERS, **NETWORKS}[name]
    module = importlib.import_module(f".{where}", __package__)
    if is_dry and where == "ours":
        module.stand_in()
    return getattr(module, kind)(is_dry)


def answer(peer, asked):
    """What one request gives."""
    if asked["do"] == "prepare":
        return peer.prepare(case_of(asked["case"]))
    if asked["do"] == "ceiling":
        peer.of_bytes(asked["bytes"])
        return {"microseconds": median(on_the_device(peer.clock, peer.forward, peer.sets, 200.0))}
    how = asked.get("how", {})
    times = MODES[asked["mode"]](peer.clock, getattr(peer, asked["direction"]), peer.sets, **how)
    return {"microseconds": median(times), "runs": len(times)}


def safely(work):
    """The result, or what went wrong, in one line."""
    try:
        return work()
    except Exception as error:
        text = " ".join(str(error).split())
        return {"failed": text if type(error).__name__ == "Missing" else f"{type(error).__name__}: {text:.300}"}


def main(arguments):
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is not an answer
    warnings.simplefilter("ignore")
    found = []
    start = safely(lambda: found.append(made(arguments[0], "--dry" in arguments)) or {})
    for line in sys.stdin:
        asked = json.loads(line)
        got = start if start else safely(lambda asked=asked: answer(found[0], asked))
        answers.write(json.dumps(got) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
