"""A training step's normalization captured in a CUDA graph, and replayed on other numbers."""

import pytest

from .modules import bits, module, normal

CASES = [
    ("batch_norm", (60, 100), "float32"),
    ("batch_norm", (4096, 1024), "float32"),
    ("batch_norm", (64, 64, 28, 28), "float16"),
    ("batch_norm", (256, 64, 7, 7), "float16"),
    ("layer_norm", (512, 1024), "float32"),
    ("rms_norm", (512, 1024), "float16"),
]


def step(cp, name, shape, dtype):
    """The arrays that a step reads, and the step."""
    norm = module(name)
    x, dy = normal(cp, 1, shape, dtype, 3, 2), normal(cp, 2, shape, dtype)
    gamma = normal(cp, 3, shape[1])
    given = (gamma,) if name == "rms_norm" else (gamma, normal(cp, 4, shape[1]))
    y, dx = cp.empty_like(x), cp.empty_like(x)

    def run():
        _, saved = norm.forward(x, *given, out=y)
        others = norm.backward(dy, x, gamma, saved, out=(dx, *(None for _ in given)))
        return y, saved, *others

    return (x, dy), run


@pytest.mark.parametrize(("name", "shape", "dtype"), CASES, ids=str)
def test_capture_and_replay(cp, stream, name, shape, dtype):
    (x, dy), run = step(cp, name, shape, dtype)
    fresh = [(normal(cp, 10 + n, shape, dtype, -1, 0.5), normal(cp, 20 + n, shape, dtype)) for n in range(3)]
    run()  # compiled, and the pool has memory of this stream's
    wanted = []
    for other_x, other_dy in fresh:
        x[...], dy[...] = other_x, other_dy
        wanted.append(bits(*run()))
    stream.synchronize()
    stream.begin_capture()
    try:
        results = run()
    finally:
        graph = stream.end_capture()
    for (other_x, other_dy), want in zip(fresh, wanted, strict=True):
        x[...], dy[...] = other_x, other_dy
        for r in results[:1]:
            r.fill(float("nan"))
        graph.launch(stream)
        stream.synchronize()
        assert bits(*results) == want
