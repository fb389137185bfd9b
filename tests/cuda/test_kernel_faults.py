"""Faults planted in a generated .cu, each of which what holds kernels to account must see.

It shows as an error of a launch, as results that differ between orders of blocks and threads, or as not NumPy's.
"""

import shutil

import numpy as np
import pytest

from tests.cuda.calls import Calls, bits
from tests.cuda.cpu_module import LaunchError
from tests.cuda.generated import FOLDER, choosing, divided, go, load
from tests.cuda.launching import NEEDS_COMPILER
from tests.kernels.forms import form

pytestmark = NEEDS_COMPILER

ORDERS = [("forward", 0), ("reverse", 0), ("shuffled", 1), ("shuffled", 2)]
LARGE, EVEN, ODD, DENSE, WIDE, LONG = (2, 3, 520), (6, 4, 16), (5, 3, 7), (60, 9), (21, 37), (3, 2, 2744)
FAULTS = {  # what stands there once, what stands there instead; function, way, shape; how it shows
    "merged, no barrier before": (
        ("parts[team.rank / 32][value++] = x; });\n    __syncthreads();", "parts[team.rank / 32][value++] = x; });"),
        *("forward", "slab-along", LARGE, "error"),
    ),
    "merged, no barrier after": (
        ("else s.add(other);\n    }\n    __syncthreads();", "else s.add(other);\n    }"),
        *("forward", "slab-along", LARGE, "error"),
    ),
    "merged_down, no barrier before": (
        ("parts[value++][at] = x; });\n        __syncthreads();", "parts[value++][at] = x; });"),
        *("backward", "split-across", DENSE, "numpy"),
    ),
    "merged_down, no barrier after": (
        ("s.add(other);\n        }\n        __syncthreads();", "s.add(other);\n        }"),
        *("forward", "slab-across", DENSE, "order"),
    ),
    "a block does not wait for its sums": (
        ("if (team.size > 32) __syncthreads();", "if (team.size > 32) return;"),
        *("backward", "slab-along", LARGE, "order"),
    ),
    "a warp does not wait for its sums": (
        ("else __syncwarp();", "else return;"),
        *("backward", "slab-along", EVEN, "order"),
    ),
    "columns do not wait for their sums": (
        ("column, sums[0]);\n        __syncthreads();", "column, sums[0]);"),
        *("backward", "slab-across", DENSE, "order"),
    ),
    "reads and writes past the end of a channel": (
        ("there[p] = at < length;", "there[p] = at <= length;"),
        *("inference", "split-along", ODD, "error"),
    ),
    "reads past the end of a channel": (
        ("if (!there || f.in[n] == nullptr) return;", "if (f.in[n] == nullptr) return;"),
        *("forward", "slab-along", ODD, "error"),
    ),
    "reads a row too many": (
        ("column, 0}, o < end, f.a.packed, in[j][n]);", "column, 0}, o <= end, f.a.packed, in[j][n]);"),
        *("forward", "slab-across", DENSE, "error"),
    ),
    "writes a row too many": (
        ("column, 0}, o < end, f.a.packed, out[n]);", "column, 0}, o <= end, f.a.packed, out[n]);"),
        *("forward", "slab-across", DENSE, "error"),
    ),
    "adds up a row too many": (
        ("ok[e][j] = o < end &&", "ok[e][j] = o <= end &&"),
        *("forward", "slab-across", DENSE, "numpy"),
    ),
    "reads columns too many": (
        ("if (column < columns) across(", "if (columns > 0) across("),
        *("inference", "split-across", WIDE, "error"),
    ),
    "a channel too many": (
        ("const bool inside = column < f.kept();", "const bool inside = column <= f.kept();"),
        *("forward", "slab-across", WIDE, "error"),
    ),
    "rows of a block that nobody adds up": (
        ("while (half >= stand.rows) half /= 2;", "while (half > stand.rows / 2) half /= 2;"),
        *("forward", "slab-across", DENSE, "numpy"),
    ),
    "a cluster that does not wait for its shares": (
        ("mine[value++] = x; });\n    wait_for_cluster();", "mine[value++] = x; });"),
        *("backward", "cluster-along", LARGE, "numpy"),
    ),
    "a cluster that does not wait for its sums": (
        (
            "settle(f, Team{team.rank, 32}, k, all);\n    }\n    wait_for_cluster();",
            "settle(f, Team{team.rank, 32}, k, all);\n    }",
        ),
        *("forward", "cluster-along", LARGE, "error"),
    ),
    "copies that nobody waits for": (
        ("shim::copies_arrive();", ""),
        *("backward", "cluster-along", LARGE, "numpy"),
    ),
    "copies of the first packs alone": (
        ("at < end - begin; at += step) {", "at < step && at < end - begin; at += step) {"),
        *("backward", "cluster-along", LONG, "numpy"),
    ),
    "copies that do not go on to the next run": (
        ("i += wraps ? more - inner : more;", "i += more;"),
        *("backward", "cluster-along", LONG, "error"),
    ),
    "copies that do not skip the other channels": (
        ("run += (runs + wraps) * from_run_to_run;", "run += (runs + wraps) * inner;"),
        *("backward", "cluster-along", LONG, "numpy"),
    ),
    "a share left out": (
        ("if (team.rank < CLUSTER) {", "if (team.rank < CLUSTER - 1) {"),
        *("backward", "cluster-along", LARGE, "numpy"),
    ),
    "another array's share": (
        ("room + m * size + p.before", "room + (1 - m) * size + p.before"),
        *("backward", "cluster-along", LARGE, "numpy"),
    ),
    "copies past the end of a channel": (
        (
            "const int64 end = begin + f.a.part < count ? begin + f.a.part : count;\n    const Share",
            "const int64 end = begin + f.a.part;\n    const Share",
        ),
        *("forward", "cluster-along", LARGE, "error"),
    ),
    "a moment about the means alone": (
        (" + apart[F::first(m)] * apart[F::second(m)] * (count * share)", ""),
        *("forward", "slab-along", EVEN, "numpy"),
    ),
    "elements that are not counted": (("        count = both;\n", ""), *("forward", "slab-along", EVEN, "numpy")),
    "half of a warp left out": (
        ("for (int lanes = 16; lanes > 0; lanes /= 2) {", "for (int lanes = 8; lanes > 0; lanes /= 2) {"),
        *("forward", "slab-along", LARGE, "numpy"),
    ),
    "a part left out": (
        ("p < f.a.parts * span; p +=", "p < (f.a.parts - 1) * span; p +="),
        *("forward", "split-along", LARGE, "numpy"),
    ),
    "columns of a channel left out": (
        (
            "int(blockDim.x)}, k, f.a.span);",
            "int(blockDim.x)}, k, 1);",
        ),
        *("forward", "split-across", EVEN, "numpy"),
    ),
    "partial sums of another channel": (
        ("f.a.partials + part * kept + k;", "f.a.partials + part * kept + (k + 1) % kept;"),
        *("forward", "split-along", EVEN, "numpy"),
    ),
    "partial sums over another's": (
        ("at += f.a.parts * kept; });", "at += kept; });"),
        *("backward", "split-along", LARGE, "numpy"),
    ),
    "results of another channel": (
        ("if (team.rank == 0) f.settle(sums, k, unit);", "if (team.rank == 0) f.settle(sums, k ^ 1, unit);"),
        *("forward", "split-across", EVEN, "numpy"),
    ),
    "writes into another channel": (
        ("place[p].offset = (place[p].o * f.kept() + k) *", "place[p].offset = (place[p].o * f.kept() + k / 2) *"),
        *("inference", "split-along", EVEN, "numpy"),
    ),
    "a part's first run forgotten": (
        ("place[p].o += outer_first;", ""),
        *("inference", "split-along", LARGE, "numpy"),
    ),
    "packs where runs are odd": (
        ("const bool packed = data.packed(f);", "const bool packed = true;"),
        *("inference", "split-along", ODD, "error"),
    ),
    "a ticket that does not wait": (
        ("if (ticket.sweep > 0) wait_until(f.a.parts + 1, done", "if (false) wait_until(f.a.parts + 1, done"),
        *("backward", "ticket-along", LARGE, "order"),
    ),
    "a ticket that waits for the parts, not for what they give": (
        ("wait_until(f.a.parts + 1, done", "wait_until(f.a.parts, done"),
        *("backward", "ticket-across", DENSE, "order"),
    ),
    "a group that is settled by its first part": (
        ("if (!is_last_of(f.a.parts, done", "if (!is_last_of(1, done"),
        *("backward", "ticket-along", LARGE, "numpy"),
    ),
    "a block that draws before all of it is done": (
        ("__shared__ Ticket ticket;\n    __syncthreads();", "__shared__ Ticket ticket;"),
        *("backward", "ticket-along", LARGE, "error"),
    ),
    "a block that works before it has drawn": (
        ("sweep : -1};\n    }\n    __syncthreads();", "sweep : -1};\n    }"),
        *("backward", "ticket-along", LARGE, "error"),
    ),
    "columns of a tile that nobody settles": (
        ("end = (ticket.group + 1) * width;", "end = ticket.group * width + 8;"),
        *("forward", "ticket-across", DENSE, "numpy"),
    ),
    "columns that do not wait for their rows": (
        ("wait_until(some, a.tickets + 1 + ticket.group);", ""),
        *("layer_norm.backward", "ticket-along", DENSE, "order"),
    ),
    "rows that no ticket takes": (
        ("if (from < a.part && k < rows.kept())", "if (from + 1 < a.part && k < rows.kept())"),
        *("layer_norm.backward", "ticket-along", DENSE, "numpy"),
    ),
    "rows of another group": (
        ("k = ticket.group * a.part + from;", "k = ticket.group * a.part + from % 2;"),
        *("layer_norm.backward", "ticket-along", DENSE, "numpy"),
    ),
    "the pivot left out of a total": (
        ("return double(pivot[t]) + totals[t]; }", "return totals[t]; }"),
        *("backward", "slab-along", EVEN, "numpy"),
    ),
    "the pivot left out of an offset": (
        ("count * ((double(pivot[t]) - shift) + totals[t])", "count * (totals[t] - shift)"),
        *("forward", "slab-across", DENSE, "numpy"),
    ),
}


def module(folder, name="batch_norm", **how):
    made = divided(load(f"cupy_{name}_with_a_fault", folder / f"{name}.py", **how))
    made._lag = lambda blocks, tickets: 0
    return made


def shows(calls, function, way, modules):
    """How a fault shows."""
    found, results = set(), []
    for one in modules:
        try:
            results.append(calls.got(go(one, way), function))
        except LaunchError:
            found.add("error")
    if len({tuple(bits(r).items()) for r in results}) > 1:
        found.add("order")
    for result in results:
        try:
            calls.check(function, result)
        except AssertionError:
            found.add("numpy")
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_shows(fault, tmp_path):
    (there, instead), function, way, shape, how = FAULTS[fault]
    name, function = function.split(".") if "." in function else ("batch_norm", function)
    source = (FOLDER / f"{name}.cu").read_text()
    assert source.count(there) == 1, f"{source.count(there)} times in {name}.cu: {there}"
    shutil.copy(FOLDER / f"{name}.py", tmp_path)
    (tmp_path / f"{name}.cu").write_text(source.replace(there, instead))
    calls = Calls(name, form("channels" if name == "batch_norm" else "trailing", shape, 1))
    if fault == "merged, no barrier after":  # sums are asked for once more where a square overflows, here in one warp
        x = calls.problem.arrays["x"].copy()
        x[1, :, 500] = 1e30
        calls = Calls("batch_norm", form("channels", shape, 1), x=x)
    modules = [module(tmp_path, name, schedule=schedule, seed=seed) for schedule, seed in ORDERS]
    assert how in shows(calls, function, way, modules)
    assert not shows(calls, function, way, [module(FOLDER, name)])


def test_packs_of_arrays_that_are_not_aligned():
    made, calls = module(FOLDER), Calls("batch_norm", form("channels", EVEN, 1))
    made._Kernels._packed = lambda *_: True
    for way in ("split-along", "split-across", "slab-along", "ticket-along"):
        calls.check("forward", calls.got(go(made, way), "forward"))
        with pytest.raises(LaunchError, match="not aligned"):
            calls.got(made, "forward", moved=1)


@pytest.mark.parametrize("fault", [False, True])
def test_threads_that_are_left_over_do_nothing(fault, tmp_path):
    """What they would read and write is another's: in place, it would be normalized twice."""
    there = "if (skip || stand.row == stand.rows) return;"
    source = (FOLDER / "batch_norm.cu").read_text()
    assert source.count(there) == 1
    shutil.copy(FOLDER / "batch_norm.py", tmp_path)
    (tmp_path / "batch_norm.cu").write_text(source.replace(there, "if (skip) return;") if fault else source)
    made, calls = go(module(tmp_path), "slab-across"), Calls("batch_norm", form("channels", DENSE, 1))
    given = calls.keywords(made, "forward")
    made.forward(**given, out=given["x"])
    assert np.allclose(given["x"], calls.expected("forward")["0.0"], 1e-4, 1e-4) != fault


def test_a_slab_across_takes_one_column_of_a_channel():
    """The one way that is not open to every shape."""
    made, calls = go(module(FOLDER), "slab-across"), Calls("batch_norm", form("channels", EVEN, 1))
    assert shows(calls, "forward", "slab-across", [made]) == set()  # `go` keeps it from that
    choosing(made, lambda *_: False, lambda *_: True, lambda *_: False, lambda *_: False)
    with pytest.raises(AssertionError):
        calls.check("forward", calls.got(made, "forward"))
