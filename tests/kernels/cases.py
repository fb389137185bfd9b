"""Inputs: what Hypothesis draws (shape, axis, dtype, layout, scale, eps), filled with seeded random numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

DTYPES = (np.float16, np.float32, np.float64)
LAYOUTS = ("C", "F", "rolled", "channels_last", "strided", "reversed", "broadcast", "readonly", "unaligned")


@dataclass(frozen=True)
class Case:
    x: np.ndarray
    dy: np.ndarray
    gamma: Any
    beta: Any
    eps: float
    channel_axis: int

    @property
    def options(self):
        return {"eps": self.eps, "channel_axis": self.channel_axis}

    @property
    def axis(self):
        return {"channel_axis": self.channel_axis}

    @property
    def channels(self):
        return self.x.shape[self.channel_axis]


def _permuted(a, source, target):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, source, target)), target, source)


def _strided(a):
    base = np.full([2 * n for n in a.shape], np.nan, a.dtype)
    view = base[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def _readonly(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def _unaligned(a):
    raw = np.zeros(a.nbytes + 1, np.uint8)[1:]
    view = raw.view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def lay(a, layout, channel_axis=0):
    """The same values in another arrangement of memory; 'broadcast' repeats the first entry of axis 0 by stride 0."""
    backwards = tuple(slice(None, None, -1) for _ in a.shape)
    arrange = {
        "C": np.copy,
        "F": np.asfortranarray,
        "rolled": lambda a: _permuted(a, 0, -1),
        "channels_last": lambda a: _permuted(a, channel_axis, -1),
        "strided": _strided,
        "reversed": lambda a: a[backwards].copy()[backwards],
        "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
        "readonly": _readonly,
        "unaligned": _unaligned,
    }
    return arrange[layout](a)


def along(vector, shape, channel_axis):
    """A (C,) array shaped so that it broadcasts over x."""
    return vector.reshape([-1 if a == channel_axis % len(shape) else 1 for a in range(len(shape))])


def make(shape, channel_axis=1, *, dtype=np.float64, scale=1.0, offset=0.0, eps=1e-5, seed=0, parameters=(None, None)):
    """A case in C order: scale and offset differ somewhat from channel to channel, dy is random and not centred.

    `parameters` are the dtypes of gamma and beta: None is x's own, "absent" leaves the parameter out.
    """
    rng = np.random.default_rng(seed)
    channels = shape[channel_axis]
    spread = along(rng.uniform(0.5, 2, channels), shape, channel_axis)
    x = offset * np.sqrt(spread) + scale * spread * rng.standard_normal(shape)
    dy = 0.7 + rng.standard_normal(shape)
    gamma = rng.uniform(0.5, 2, channels) * rng.choice([-1, 1], channels)
    beta = rng.standard_normal(channels)
    gamma, beta = (
        None if kind == "absent" else v.astype(kind or dtype) for v, kind in zip((gamma, beta), parameters, strict=True)
    )
    return Case(x.astype(dtype), dy.astype(dtype), gamma, beta, eps, channel_axis)


@st.composite
def shapes(draw, most=120):
    """Two to five axes, any of them the channel, m >= 2."""
    ndim = draw(st.integers(2, 5))
    channel_axis = draw(st.integers(-ndim, ndim - 1))
    shape, m = [1] * ndim, 1
    free = [a for a in range(ndim) if a != channel_axis % ndim]
    for a in draw(st.permutations(free)):
        shape[a] = draw(st.integers(1, max(1, min(most // m, 40))))
        m *= shape[a]
    if m == 1:
        shape[free[0]] = draw(st.integers(2, most))
    shape[channel_axis] = draw(st.integers(1, 5))
    return tuple(shape), channel_axis


@st.composite
def cases(draw, dtypes=DTYPES, most=120, layouts=LAYOUTS, offsets=(0.0, -3.0, 100.0, 1e4)):
    shape, channel_axis = draw(shapes(most))
    dtype = draw(st.sampled_from(dtypes))
    base = make(
        shape,
        channel_axis,
        dtype=dtype,
        scale=draw(st.sampled_from((1.0, 1e-3, 1e3))),
        offset=draw(st.sampled_from(offsets)),
        seed=draw(st.integers(0, 2**32 - 1)),
        parameters=draw(st.tuples(*2 * [st.sampled_from((*DTYPES, "absent"))])),
    )

    def vector(a):
        return None if a is None else lay(a, draw(st.sampled_from(("C", "strided", "reversed", "readonly"))))

    x, dy = (lay(a, draw(st.sampled_from(layouts)), channel_axis) for a in (base.x, base.dy))
    eps = draw(st.sampled_from((1e-5, 1e-3, 1.0, 1e-12, 0.0)))
    if eps == 0 and not np.ptp(np.moveaxis(x, channel_axis, 0).reshape(shape[channel_axis], -1), axis=1).all():
        eps = 1e-5  # var + eps = 0 is an edge of its own, see test_edges.py
    return Case(x, dy, vector(base.gamma), vector(base.beta), eps, channel_axis)
