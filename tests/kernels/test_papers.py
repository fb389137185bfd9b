"""What the papers write, once more, in plain NumPy: the one truth here that is not the definition itself.

Every other reference is made of the definition, so that a wrong definition would agree with itself.
"""

import math

import numpy as np

from bnsym.definitions import NAMES

from .forms import medium
from .problems import medium_problem
from .subjects import over

erf = np.vectorize(math.erf, otypes=[float])


def standardized(x, axes, eps):
    """Ioffe & Szegedy 2015, Algorithm 1, lines 1 to 3; the others differ in what they take the averages over."""
    mean = x.mean(axes, keepdims=True)
    var = ((x - mean) ** 2).mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps)


def others(x, channel_axis):
    return tuple(a for a in range(x.ndim) if a != channel_axis % x.ndim)


def channels(vector, x, channel_axis):
    return np.expand_dims(vector, others(x, channel_axis))


def batch_norm(x, gamma, beta, eps, channel_axis):
    """Ioffe & Szegedy 2015, Algorithm 1."""
    gamma, beta = (channels(v, x, channel_axis) for v in (gamma, beta))
    return gamma * standardized(x, others(x, channel_axis), eps) + beta


def layer_norm(x, gamma, beta, eps):
    """Ba, Kiros & Hinton 2016, equations 3 and 4."""
    return gamma * standardized(x, tuple(range(-gamma.ndim, 0)), eps) + beta


def rms_norm(x, gamma, eps):
    """Zhang & Sennrich 2019, equation 4."""
    return gamma * x / np.sqrt((x**2).mean(tuple(range(-gamma.ndim, 0)), keepdims=True) + eps)


def group_norm(x, gamma, beta, num_groups, eps):
    """Wu & He 2018, Figure 3."""
    n, c, *rest = x.shape
    x_hat = standardized(x.reshape(n, num_groups, -1), (2,), eps).reshape(n, c, *rest)
    return channels(gamma, x, 1) * x_hat + channels(beta, x, 1)


def instance_norm(x, gamma, beta, eps):
    """Ulyanov, Vedaldi & Lempitsky 2016, equation 3."""
    return channels(gamma, x, 1) * standardized(x, tuple(range(2, x.ndim)), eps) + channels(beta, x, 1)


def masked_batch_norm(x, mask, gamma, beta, eps, channel_axis):
    """Algorithm 1 on what the mask leaves of each channel, one at a time; 0 elsewhere."""
    y = np.zeros_like(x)
    rows, taken, out = (np.moveaxis(a, channel_axis, 0) for a in (x, mask > 0, y))
    for c in range(len(rows)):
        out[c][taken[c]] = gamma[c] * standardized(rows[c][taken[c]], (0,), eps) + beta[c]
    return y


def batch_renorm(x, r, d, gamma, beta, eps, channel_axis):
    """Ioffe 2017, Algorithm 1."""
    r, d, gamma, beta = (channels(v, x, channel_axis) for v in (r, d, gamma, beta))
    return gamma * (standardized(x, others(x, channel_axis), eps) * r + d) + beta


def renorm_correction(saved, running_mean, running_var, r_max, d_max, eps):
    """Ioffe 2017, Algorithm 1: r and d, by which a mini-batch's sigma and mean stand for the moving ones."""
    sigma, running_sigma = np.sqrt(saved.var + eps), np.sqrt(running_var + eps)
    r = np.clip(sigma / running_sigma, 1 / r_max, r_max)
    return r, np.clip((saved.mean - running_mean) / running_sigma, -d_max, d_max)


def softmax_cross_entropy(z, t):
    e = np.exp(z)
    return -np.sum(t * np.log(e / e.sum(1, keepdims=True))) / len(z)


def followed(norm, function):
    return lambda **given: function(norm(**given))


ACTIVATIONS = {
    "relu": lambda x: np.where(x > 0, x, 0),  # Nair & Hinton 2010
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "gelu": lambda x: x / 2 * (1 + erf(x / math.sqrt(2))),  # Hendrycks & Gimpel 2016, Section 2, and its approximation
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + np.exp(-x)),  # Elfwing, Uchibe & Doya 2017, equation 6
}
PAPERS = {
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "masked_batch_norm": masked_batch_norm,
    "batch_renorm": batch_renorm,
    **ACTIVATIONS,
    **{f"batch_norm_{name}": followed(batch_norm, function) for name, function in ACTIVATIONS.items()},
    "batch_norm_add_relu": lambda residual, **given: np.maximum(batch_norm(**given) + residual, 0),
    "add_layer_norm": lambda x, residual, **given: layer_norm(x + residual, **given),
    "add_rms_norm": lambda x, residual, **given: rms_norm(x + residual, **given),
    "dense": lambda x, w, b: x @ w + b,
    "linear": lambda x, w: x @ w,
    "softmax_cross_entropy": softmax_cross_entropy,
}
"""A definition's forward pass, from forward's arguments; a new definition needs its line."""

CORRECTIONS = {"batch_renorm": renorm_correction}

DEFAULTS = {"eps": 1e-5, "momentum": 0.1, "channel_axis": 1, "normalized_ndim": None}
"""What the contract says of a keyword that is not given, and what some norms say instead."""
SMALLER = {"rms_norm": {"eps": 1e-6}, "add_rms_norm": {"eps": 1e-6}}

ABSENT = {"gamma": 1.0, "beta": 0.0, "b": 0.0, "r": 1.0, "d": 0.0}
"""What None stands for: no scale, no shift."""


def assert_equal(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_the_table_covers_every_definition():
    assert set(NAMES) <= set(PAPERS), "each definition needs a line in PAPERS"


def test_forward_is_what_the_paper_writes(subject):
    for at in range(len(medium(subject))):
        problem = medium_problem(subject, at)
        assert_equal(problem.call("forward")[subject.output.name], PAPERS[subject.name](**problem.keywords("forward")))


@over(lambda s: s.optional)
def test_what_is_left_out_stands_for_no_scale_and_no_shift(subject):
    problem = medium_problem(subject)
    full = {q.name: np.full(problem.shapes.shape(q), ABSENT[q.name]) for q in subject.optional}
    got = problem.replace(**dict.fromkeys(full)).call("forward")
    assert_equal(got[subject.output.name], PAPERS[subject.name](**problem.keywords("forward") | full))


@over(lambda s: s.corrected)
def test_correction_is_what_the_paper_writes(subject):
    for limits in ({"r_max": 1.0, "d_max": 0.0}, {"r_max": 1.5, "d_max": 0.5}, {"r_max": 1e3, "d_max": 1e3}):
        given = medium_problem(subject).replace(**limits).keywords("correction")
        assert_equal(subject.kernels.correction(**given), CORRECTIONS[subject.name](**given))


def defaults(subject):
    """(function, keyword, its default) wherever the contract has one."""
    for function in subject.functions:
        for p in subject.parameters(function).values():
            if p.kind is p.KEYWORD_ONLY and p.name not in ("out", "threads"):
                yield function, p.name, p.default


@over(lambda s: any(defaults(s)))
def test_defaults_are_the_contract_s(subject):
    wanted = DEFAULTS | SMALLER.get(subject.name, {})
    for function, name, default in defaults(subject):
        assert default == wanted[name], f"{function}: {name}"
