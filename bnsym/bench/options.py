"""What a comparison is asked for, and what of it can be done here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec

from bnsym.bench.cases import DIRECTIONS, DTYPES, BenchError, Case, groups_of, parse_shape, shapes_of
from bnsym.bench.modules import BACKENDS, functions_of, layout_of, load, why_not

__all__ = ["Options", "options_for"]

PEERS = {"naive": "numpy", "torch": "torch", "torch.compile": "torch", "jax": "jax"}  # by name: what it needs


@dataclass(frozen=True)
class Options:
    """What is measured."""

    backends: tuple[str, ...]
    peers: tuple[str, ...]
    cases: tuple[Case, ...]
    functions: tuple[str, ...]
    threads: int
    rounds: int

    @property
    def is_on_gpu(self) -> bool:
        """Whether all of it runs on a GPU."""
        return self.backends == ("cupy",)

    @property
    def ours(self) -> tuple[str, ...]:
        """bnsym's columns: each backend's functions, and its plan."""
        return tuple(name for backend in self.backends for name in (backend, f"{backend} plan"))

    @property
    def names(self) -> tuple[str, ...]:
        """All that is measured, in the order of columns."""
        return (*self.ours, *self.peers, "roof")


def options_for(
    norm: str = "batch_norm",
    backends: tuple[str, ...] = (),
    shapes: tuple[str, ...] = (),
    dtype: str = "float32",
    threads: int | None = None,
    *,
    everything: bool = False,
    quick: bool = False,
    peers: bool = True,
) -> Options:
    """What these settings mean here. Raises BenchError for what cannot be."""
    if dtype not in DTYPES:
        raise BenchError(f"--dtype is one of {', '.join(DTYPES)}, and got {dtype!r}")
    if threads is not None and threads < 1:
        raise BenchError(f"--threads is at least 1, and got {threads}")
    if why := why_not("numpy", norm):
        raise BenchError(f"--norm: {why}")
    module = load("numpy", norm)
    layout = layout_of(module)
    chosen = _backends(norm, backends)
    is_on_gpu = chosen == ("cupy",)
    wanted = tuple(map(parse_shape, shapes)) or shapes_of(layout, is_quick=quick, is_on_gpu=is_on_gpu)
    known = {name: needs for name, needs in PEERS.items() if needs == "torch" or not is_on_gpu}
    return Options(
        backends=chosen,
        peers=tuple(name for name, needs in known.items() if find_spec(needs)) if peers else (),
        cases=tuple(_case(norm, layout, shape, dtype) for shape in wanted),
        functions=tuple(functions_of(module)) if everything else DIRECTIONS,
        threads=threads or (os.cpu_count() or 1),
        rounds=5 if quick else 11,
    )


def _case(norm: str, layout: str, shape: tuple[int, ...], dtype: str) -> Case:
    if layout == "instance" and len(shape) < 3:
        raise BenchError(f"--shape: {norm} needs axes after the channels, as 32,64,56,56, and got {shape}")
    return Case(norm, shape, dtype, groups_of(shape[1]) if layout == "groups" else 1)


def _backends(norm: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Those that were asked for, or all that are here but for the GPU's, which is measured by itself."""
    for name in asked:
        if name not in BACKENDS:
            raise BenchError(f"--backend is one of {', '.join(BACKENDS)}, and got {name!r}")
        if why := why_not(name, norm):
            raise BenchError(f"--backend {name}: {why}")
    if "cupy" in asked:
        if set(asked) != {"cupy"}:
            raise BenchError("--backend cupy is measured by itself: its peers and its copy are on the GPU")
        return ("cupy",)
    return tuple(dict.fromkeys(asked)) or tuple(b for b in BACKENDS if b != "cupy" and not why_not(b, norm))
