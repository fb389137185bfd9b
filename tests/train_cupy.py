"""The trainer on the stand-in for CuPy, for tests without a GPU."""

import sys
from dataclasses import fields

from bnsym.train.kernels import Kernels
from bnsym.train.options import Options
from tests.cuda.fake_graphs import graph_cupy
from tests.cuda.generated import FOLDER, load

SMALL = Options(steps=8, lr=0.5, std=0.5, batch=9, hidden=(7, 5), population_batches=3, eval_every=4)


def stand_in(monkeypatch, **how):
    """CuPy's stand-in in its place, and the generated kernels on it."""
    cupy = graph_cupy(**how)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    names = [field.name for field in fields(Kernels)]
    return cupy, Kernels(*(load(f"train_{name}", FOLDER / f"{name}.py", cupy=cupy) for name in names))
