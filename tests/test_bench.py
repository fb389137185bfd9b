"""The bench without its processes: settings, arithmetic, tables, and the reference that all are held against."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from bnsym.bench import commands, figures, options, table
from bnsym.bench.arrays import Given, Missing
from bnsym.bench.cases import DATA, BenchError, Case, case_of, parse_shape
from bnsym.bench.modules import functions_of, load
from bnsym.bench.options import options_for
from bnsym.bench.plot import picture
from bnsym.bench.reference import WrongResult, checked, references, relative

CASE = Case("batch_norm", (60, 100))
H = 1e-20


# the reference: complex steps of a plain forward pass give the same gradients


def plain(x, gamma, beta, eps=1e-5):
    axes, shape = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    centred = x - x.mean(axes, keepdims=True)
    y = centred / np.sqrt((centred * centred).mean(axes, keepdims=True) + eps)
    return y * gamma.reshape(shape) + beta.reshape(shape)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("shape", [(7, 3), (2, 3, 4, 5)])
def test_the_reference_is_the_slope_of_a_plain_forward_pass(shape, data):
    given = Given(Case("batch_norm", shape), DATA[data])
    right, wide = references(["forward", "backward"], given), given.widened()
    arguments = [wide(name) for name in ("x", "gamma", "beta")]
    np.testing.assert_allclose(right["forward"][0], plain(*arguments), rtol=1e-9, atol=1e-12)
    for n, (argument, gradient) in enumerate(zip(arguments, right["backward"], strict=True)):
        along = np.random.default_rng(n).standard_normal(argument.shape)
        stepped = [a + 1j * H * along if k == n else a for k, a in enumerate(arguments)]
        slope = (wide("dy") * plain(*stepped).imag / H).sum()
        assert slope == pytest.approx((gradient * along).sum(), rel=1e-9)


def test_every_term_of_the_gradient_counts_in_the_check():
    """A gradient that lacks one of its terms is refused, however large the data are."""
    given = Given(Case("batch_norm", (40_000, 2)), 3.0)
    right, wide = references(["backward"], given)["backward"], given.widened()
    x, dy, gamma = (wide(name) for name in ("x", "dy", "gamma"))
    scale = gamma / x.std(axis=0)
    x_hat = (x - x.mean(axis=0)) / x.std(axis=0)
    terms = (dy, -dy.mean(axis=0), -x_hat * (dy * x_hat).mean(axis=0))
    assert checked([scale * sum(terms)], right[:1], "float32")[0] < 1e-4
    for left_out in range(3):
        wrong = scale * sum(t for n, t in enumerate(terms) if n != left_out)
        assert relative(wrong, right[0]) > 0.1
        with pytest.raises(WrongResult, match="result 1 by"):
            checked([wrong], right[:1], "float32")


def test_what_is_wrong():
    one = np.ones(3)
    assert relative(one, one) == 0
    assert relative(one, np.zeros(3)) == math.inf
    for got in ([], [np.ones(4)], [np.array([1, np.nan, 1])]):
        with pytest.raises(WrongResult):
            checked(got, [one], "float32")


NORMS = ("batch_norm", "layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_norm_add_relu", "relu")


@pytest.mark.parametrize("norm", [*NORMS, "masked_batch_norm", "batch_renorm", "add_layer_norm"])
def test_every_function_of_a_norm_has_its_arguments(norm):
    names = functions_of(load("numpy", norm))
    assert names[:2] == ["forward", "backward"]
    found = references(names, Given(Case(norm, (4, 6, 5), groups=2), 3.0))
    assert all(arrays and all(np.isfinite(a).all() for a in arrays) for arrays in found.values())


def test_an_argument_that_is_not_known_is_named():
    with pytest.raises(Missing, match="what w is"):
        Given(CASE, 0.0)("w")


# settings


def test_settings():
    found = options_for(shapes=("8,3", "2x3x4"), dtype="float64", threads=3, quick=True)
    assert found.cases == (Case("batch_norm", (8, 3), "float64"), Case("batch_norm", (2, 3, 4), "float64"))
    assert found.functions == ("forward", "backward")
    assert "numpy" in found.backends
    assert "cupy" not in found.backends
    assert {"numpy", "numpy plan", "naive", "roof"} <= set(found.names)
    assert len(options_for().cases) == 9
    assert options_for("group_norm").cases[0].groups == 32
    assert "double_backward" in options_for(everything=True).functions
    assert options_for(peers=False).peers == ()
    assert case_of(json.loads(json.dumps(CASE.asdict()))) == CASE


@pytest.mark.parametrize("text", ["", "8", "8,", "0,3", "-1,3", "8;3", "8,three", "1e3,4"])
def test_a_malformed_shape(text):
    with pytest.raises(BenchError, match="--shape takes sizes"):
        parse_shape(text)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"backends": ("fortran",)}, "--backend is one of numpy, numba, cupy"),
        ({"backends": ("numpy", "cupy")}, "--backend cupy"),
        ({"dtype": "int8"}, "--dtype is one of"),
        ({"threads": 0}, "--threads is at least 1"),
        ({"norm": "no_norm"}, "there is no generated numpy module of no_norm"),
        ({"norm": "dense"}, "dense is no normalization"),
        ({"norm": "instance_norm", "shapes": ("8,3",)}, "needs axes after the channels"),
    ],
)
def test_what_cannot_be_measured_is_said(settings, sentence):
    with pytest.raises(BenchError, match=sentence):
        options_for(**settings)


def test_a_backend_that_is_not_here(monkeypatch):
    monkeypatch.setattr(options, "why_not", lambda backend, norm: "" if backend == "numpy" else "it is not installed")
    with pytest.raises(BenchError, match="--backend numba: it is not installed"):
        options_for(backends=("numba",))
    assert options_for().backends == ("numpy",)


@pytest.mark.parametrize("name", ["a.txt", "folder", "file/a.png"])
def test_what_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(BenchError):
        commands.check_targets(tmp_path / name if name != "a.txt" else None, tmp_path / name)


# arithmetic and tables, of made-up results


def record(function, data, shape=(60, 100), **microseconds):
    peers = {n: {"rounds": [t * 1e-6], **figures.spread([t * 1e-6])} for n, t in microseconds.items()}
    peers["numpy"] |= {"memory": 3_000_000, "way": "out="}
    peers["jax"] = {"failed": "wrong: result 1 by 1.0e+00", "rounds": []}
    name, nbytes = ",".join(map(str, shape)), 4 * math.prod(shape)
    return {"name": name, "nbytes": nbytes, "function": function, "data": data, "peers": peers}


def result():
    records = [
        record("forward", "centred", numpy=10, naive=30, torch=5, roof=2),
        record("forward", "mean 3", numpy=12, naive=24, torch=6, roof=2),
        record("backward", "centred", (65536, 256), numpy=40, naive=80, torch=20, roof=10),
        record("backward", "centred", numpy=15, naive=60, torch=30, roof=3),
    ]
    return {
        "norm": "batch_norm",
        "dtype": "float32",
        "rounds": 1,
        "conditions": "threads sleep",
        "machine": {"processor": "Made-Up", "cores": "2", "threads": "2", "system": "S", "python": "3"},
        "load": [0.1, 0.2],
        "names": ["numpy", "numpy plan", "naive", "torch", "jax", "roof"],
        "ours": ["numpy", "numpy plan"],
        "peers": {"numpy": {"versions": {"numpy": "2"}}, "jax": {"versions": {"jax": "1"}}},
        "first calls": {"numpy": {"nothing cached": {"seconds": 0.5}, "cached": {"failed": "it did not"}}},
        "records": records,
        "summary": {own: figures.summary(records, own) for own in ("numpy", "numpy plan")},
    }


def test_medians_and_means():
    assert figures.spread([3.0, 1.0, 2.0, 5.0, 4.0]) == {"median": 3.0, "low": 2.0, "high": 4.0}
    assert figures.spread([2.0]) == {"median": 2.0, "low": 2.0, "high": 2.0}
    assert figures.spread([]) == {}
    assert figures.geometric_mean([2.0, 8.0]) == pytest.approx(4)
    assert figures.geometric_mean([]) is None


def test_ratios():
    first = result()["records"][0]
    assert figures.ratios(first, "numpy") == pytest.approx({"naive": 3, "torch": 0.5, "fastest": 0.5, "roof": 5})
    assert figures.ratios(first, "numpy plan") == {}
    assert "jax" not in figures.times(first)


def test_the_summary():
    found = result()["summary"]["numpy"]
    assert found["naive, least"] == pytest.approx(2)
    assert found["naive, mean"] == pytest.approx((3 * 2 * 2 * 4) ** 0.25)
    assert found["torch, mean"] == pytest.approx((0.5 * 0.5 * 0.5 * 2) ** 0.25)
    assert found["roof from 16 MiB, mean"] == pytest.approx(4)  # of the one large shape
    assert found["mean 3 / centred, mean"] == pytest.approx(1.2)
    assert found["small, microseconds"] == pytest.approx(25)
    assert found["memory"] == 3_000_000
    assert result()["summary"]["numpy plan"] == {}


def shown(made):
    console = Console(file=io.StringIO())
    table.show(made, console)
    return console.file.getvalue()


def test_the_table():
    text = shown(result())
    assert "│ 60,100    │ forward  │ centred │    10 │    30 │     5 │    2 │" in text
    assert "│             2 │           0.5 │             0.5 │            6 │                     1.2 │" in text
    assert "numpy plan" not in text  # of which nothing was measured
    assert "not measured: jax: wrong: result 1 by 1.0e+00" in text
    assert "rough" not in text
    assert "rough" in shown(result() | {"load": [1.5, 1.5]})


def test_what_a_peer_has_nothing_for_is_one_line():
    made = result()
    for record in made["records"]:
        record["peers"]["numpy plan"] = {"failed": "the numpy module has no plan", "missing": True}
        if record["function"] == "backward":
            record["peers"]["naive"] = {"failed": "nobody has it", "missing": True}
    assert table.missing(made)[1:] == [
        "numpy plan: the numpy module has no plan",
        "naive: has nothing for backward",
    ]


def test_the_picture(tmp_path):
    assert picture(result(), tmp_path / "a.png").startswith(b"\x89PNG")
    assert b"torch" in picture(result(), tmp_path / "a.svg") or b"<svg" in picture(result(), tmp_path / "a.svg")
