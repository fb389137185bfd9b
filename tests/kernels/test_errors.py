"""Wrong arguments: which exception, one line, naming the argument and what it got; and nothing written to `out`."""

import re

import numpy as np
import pytest

SHAPE, C = (6, 4, 3), 4
ARGUMENTS = {
    "forward": ("x", "gamma", "beta"),
    "backward": ("dy", "x", "gamma", "saved"),
    "inference": ("x", "gamma", "beta", "mean", "var"),
    "inference_backward": ("dy", "x", "gamma", "mean", "var"),
    "fold": ("gamma", "beta", "mean", "var"),
    "population": ("means", "variances", "count"),
    "update_running": ("mean", "var", "saved"),
}
PLACES = [(f, a) for f, names in ARGUMENTS.items() for a in names if a not in ("saved", "count")]
TAKES_OUT = ("forward", "backward", "inference", "inference_backward")


@pytest.fixture(scope="module")
def good(bn):
    """Arguments with which every function succeeds, by name."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, *SHAPE))
    vectors = dict(zip(("gamma", "beta", "mean", "var"), rng.uniform(1, 2, (4, C)), strict=True))
    means, variances = rng.uniform(1, 2, (2, 5, C))
    saved = bn.forward(x, None, None)[1]
    return {"x": x, "dy": dy, **vectors, "saved": saved, "means": means, "variances": variances, "count": 18}


def assert_refused(bn, good, function, kind, named, got="", /, **bad):
    """Assert that the call is refused in one line that names `named` and matches `got`, and `out` is left alone."""
    arguments = {name: good[name] for name in ARGUMENTS[function]} | bad
    out = None
    if function in TAKES_OUT and "out" not in bad:
        out = arguments["out"] = np.full(SHAPE, 7.0)
    with pytest.raises(kind) as error:
        getattr(bn, function)(**arguments)
    message = str(error.value)
    assert "\n" not in message
    assert re.search(rf"\b{named}\b", message), message
    assert re.search(got, message, re.IGNORECASE), message
    assert out is None or (out == 7).all()


def test_good_arguments_are_accepted(bn, good):
    for function, names in ARGUMENTS.items():
        assert getattr(bn, function)(**{name: good[name] for name in names}) is not None


NOT_FLOATING = {
    "list": (lambda a: a.tolist(), "list"),
    "number": (lambda a: 1.5, "float"),
    "numpy number": (lambda a: np.float64(1.5), "float64"),
    "string": (lambda a: "x", "str"),
    "int": (lambda a: a.astype(np.int64), "int64"),
    "bool": (lambda a: a > 0, "bool"),
    "complex": (lambda a: a.astype(complex), "complex"),
    "longdouble": (lambda a: a.astype(np.longdouble), "longdouble|float128|float96|float64"),
    "object": (lambda a: a.astype(object), "object"),
    "text": (lambda a: a.astype(str), "str|<U"),
    "masked": (np.ma.array, "mask"),
    "matrix": (lambda a: np.asmatrix(a.reshape(a.shape[0], -1)), "matrix"),
    "record": (lambda a: np.zeros(a.shape, [("value", float)]), "value|void|record|structured"),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(("function", "name"), PLACES)
@pytest.mark.parametrize("kind", NOT_FLOATING)
def test_not_a_floating_array(bn, good, function, name, kind):
    spoil, got = NOT_FLOATING[kind]
    with np.errstate(all="ignore"):
        bad = spoil(good[name])
    assert_refused(bn, good, function, TypeError, name, got, **{name: bad})


@pytest.mark.parametrize(("function", "name"), [p for p in PLACES if p[1] not in ("gamma", "beta")])
def test_none_is_only_for_parameters(bn, good, function, name):
    assert_refused(bn, good, function, TypeError, name, "None", **{name: None})


@pytest.mark.parametrize(("function", "name"), PLACES)
def test_big_endian_is_refused_or_right(bn, good, function, name):
    arguments = {a: good[a] for a in ARGUMENTS[function]}
    want = getattr(bn, function)(**arguments)
    arguments[name] = good[name].astype(">f8")
    try:
        got = getattr(bn, function)(**arguments)
    except (TypeError, ValueError) as error:
        assert re.search(rf"\b{name}\b", str(error))  # noqa: PT017
        return
    want, got = (v if isinstance(v, tuple) else (v,) for v in (want, got))
    for w, g in zip(want, got, strict=True):
        assert np.allclose(*(np.hstack([np.ravel(p) for p in v]) if isinstance(v, tuple) else v for v in (g, w)))


@pytest.mark.parametrize("function", TAKES_OUT)
@pytest.mark.parametrize("shape", [(), (5,)])
def test_too_few_axes(bn, good, function, shape):
    x = np.zeros(shape)
    bad = {"x": x, "dy": x} if "backward" in function else {"x": x}
    assert_refused(bn, good, function, ValueError, "x|dy", re.escape(str(shape)) + f"|{len(shape)}", **bad)


@pytest.mark.parametrize("function", TAKES_OUT)
@pytest.mark.parametrize("axis", [3, -4, 100, -100])
def test_axis_out_of_range(bn, good, function, axis):
    assert_refused(bn, good, function, ValueError, "channel_axis", str(axis), channel_axis=axis)


@pytest.mark.parametrize("function", TAKES_OUT)
@pytest.mark.parametrize("axis", [1.0, "1", None, (1,), [1], np.float64(1)])
def test_axis_that_is_no_integer(bn, good, function, axis):
    assert_refused(bn, good, function, (TypeError, ValueError), "channel_axis", channel_axis=axis)


@pytest.mark.parametrize("function", ["backward", "inference_backward"])
@pytest.mark.parametrize("shape", [(6, 4), (1, 4, 1), (6, 4, 1), (6, 4, 2), (7, 4, 3), (4, 6, 3), (6, 4, 3, 1), (72,)])
def test_dy_of_another_shape(bn, good, function, shape):
    assert_refused(bn, good, function, ValueError, "dy", re.escape(str(shape)), dy=np.zeros(shape))


@pytest.mark.parametrize("function", ["backward", "inference_backward"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_dy_of_another_dtype(bn, good, function, dtype):
    assert_refused(bn, good, function, ValueError, "dy", np.dtype(dtype).name, dy=good["dy"].astype(dtype))


VECTORS = [(f, a) for f, a in PLACES if a in ("gamma", "beta", "mean", "var")]


@pytest.mark.parametrize(("function", "name"), VECTORS)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (5,), (4, 1), (1, 4), (0,)])
def test_vector_of_another_shape(bn, good, function, name, shape):
    """Shapes that would broadcast are refused as well."""
    named = "mean|var|gamma|beta" if function == "fold" else "mean|var|saved" if function == "update_running" else name
    assert_refused(bn, good, function, ValueError, named, re.escape(str(shape)), **{name: np.ones(shape)})


@pytest.mark.parametrize("name", ["means", "variances"])
@pytest.mark.parametrize("shape", [(), (4,), (5, 3), (4, 4), (5, 1), (1, 4), (5, 4, 1)])
def test_population_of_unlike_shapes(bn, good, name, shape):
    assert_refused(
        bn, good, "population", ValueError, "means|variances", re.escape(str(shape)), **{name: np.ones(shape)}
    )


@pytest.mark.parametrize("count", [2.5, "2", None, [2]])
def test_population_count_is_an_int(bn, good, count):
    assert_refused(bn, good, "population", (TypeError, ValueError), "count", count=count)


@pytest.mark.parametrize("function", ["forward", "inference", "inference_backward", "fold"])
@pytest.mark.parametrize(("eps", "got"), [(-0.5, "-0.5"), (-1, "-1"), (float("nan"), "nan"), (-np.inf, "-inf")])
def test_eps_that_is_negative_or_nan(bn, good, function, eps, got):
    assert_refused(bn, good, function, ValueError, "eps", got, eps=eps)


@pytest.mark.parametrize("function", ["forward", "inference", "inference_backward", "fold"])
@pytest.mark.parametrize("eps", ["small", None, [1e-5], 1e-5j])
def test_eps_that_is_no_number(bn, good, function, eps):
    assert_refused(bn, good, function, (TypeError, ValueError), "eps", eps=eps)


@pytest.mark.parametrize(
    ("function", "field"),
    [("backward", "mean"), ("backward", "inv_std"), ("update_running", "mean"), ("update_running", "var")],
)
@pytest.mark.parametrize("shape", [(3,), (5,), (1,), (), (4, 1)])
def test_saved_of_another_shape(bn, good, function, field, shape):
    """Of what the function reads."""
    saved = good["saved"]._replace(**{field: np.ones(shape)})
    named = "saved" if function == "backward" else "saved|mean|var"
    assert_refused(bn, good, function, ValueError, named, re.escape(str(shape)), saved=saved)


@pytest.mark.parametrize("channels", [3, 5, 1])
def test_saved_of_another_batch(bn, good, channels):
    saved = bn.forward(np.random.default_rng(0).standard_normal((6, channels, 3)), None, None)[1]
    assert_refused(bn, good, "backward", ValueError, "saved", rf"\b{channels}\b", saved=saved)
    assert_refused(bn, good, "update_running", ValueError, "saved|mean|var", rf"\b{channels}\b", saved=saved)


@pytest.mark.parametrize("function", ["backward", "update_running"])
@pytest.mark.parametrize("saved", [None, 3.0, "saved", [], (), np.zeros((3, 4))])
def test_saved_that_is_none(bn, good, function, saved):
    assert_refused(bn, good, function, (TypeError, ValueError), "saved", saved=saved)


@pytest.mark.parametrize("channel_axis", [0, 2, -1])
def test_parameters_follow_the_axis(bn, good, channel_axis):
    """Right for axis 1, wrong for the others."""
    n = SHAPE[channel_axis]
    assert_refused(bn, good, "forward", ValueError, "gamma|beta", rf"\b{n}\b", channel_axis=channel_axis)
    assert_refused(bn, good, "backward", ValueError, "gamma|saved", rf"\b{n}\b", channel_axis=channel_axis)
