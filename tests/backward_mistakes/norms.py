"""Norms other than batch norm, and what was found by changing right texts at random."""

from tests.backward_mistakes.sentences import MEAN, PRODUCT, dx, term
from tests.backward_mistakes.texts import CLOSED, LAYER, RMS, STAGED

NORMS = {
    # other norms
    "layer norm: gamma forgotten": (LAYER, "dxhat = dout * gamma", "dxhat = dout", [dx("gamma is missing")]),
    "layer norm: batch norm's axes": (
        LAYER,
        "dxhat.mean(axis=-1, keepdims=True) -",
        "dxhat.mean(axis=0) -",
        [dx("mean(dx_hat) is taken over the wrong axis")],
    ),
    "layer norm: the mean's path left out": (
        LAYER,
        "dxhat - dxhat.mean(axis=-1, keepdims=True) -",
        "dxhat -",
        [term("inv_std mean(dx_hat)", "is missing")],
    ),
    "layer norm: a sum for the mean": (
        LAYER,
        "dxhat.mean(axis=-1, keepdims=True) -",
        "dxhat.sum(axis=-1, keepdims=True) -",
        [term("inv_std mean(dx_hat)", "is not divided by features")],
    ),
    "layer norm: gamma forgotten in a mean": (
        LAYER,
        "dxhat - dxhat.mean(",
        "dxhat - dout.mean(",
        [term("inv_std mean(dx_hat)", "lacks gamma")],
    ),
    "layer norm: dgamma summed over the features": (
        LAYER,
        "(dout * xhat).sum(axis=0)",
        "(dout * xhat).sum(axis=1)",
        ["dgamma has the shape (4,) where (5,) is needed, for x of the shape (4, 5): it is summed over the wrong axis"],
    ),
    "layer norm: D - 1": (
        LAYER,
        "x.var(axis=-1, keepdims=True)",
        "x.var(axis=-1, keepdims=True, ddof=1)",
        [
            dx("var divides by features - 1 where features is meant"),
            "dgamma: var divides by features - 1 where features is meant",
        ],
    ),
    "RMS norm: a wrong sign": (
        RMS,
        "wdy - xhat",
        "wdy + xhat",
        [term("inv_rms x_hat mean(dx_hat x_hat)", "has the wrong sign")],
    ),
    "RMS norm: the product left out": (
        RMS,
        " - xhat * (wdy * xhat).mean(axis=-1, keepdims=True)",
        "",
        [term("inv_rms x_hat mean(dx_hat x_hat)", "is missing")],
    ),
    "RMS norm: the weight forgotten": (RMS, "grad_output * weight", "grad_output", [dx("gamma is missing")]),
    "RMS norm: eps outside the root": (
        RMS,
        "np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)",
        "(np.sqrt((x * x).mean(axis=-1, keepdims=True)) + eps)",
        [dx("eps is outside the root"), "dgamma: eps is outside the root"],
    ),
    "RMS norm: dweight with x": (
        RMS,
        "(grad_output * xhat).sum",
        "(grad_output * x).sum",
        ["dgamma uses x where x_hat is meant"],
    ),
    # found by changing the right texts at random
    "inv_std is 0": (
        CLOSED,
        "ivar = 1.0 /",
        "ivar = 0 /",
        ["dx is 0 everywhere", "dgamma is 0 everywhere"],
    ),
    "inv_std is not inverted": (
        CLOSED,
        "ivar = 1.0 / np",
        "ivar = np",
        [dx("inv_std is not inverted"), "dgamma: inv_std is not inverted"],
    ),
    "the variance's path without x - mean": (
        STAGED,
        "dvar * 2 * (x - mean) / m",
        "dvar * 2 / m",
        [term(PRODUCT, "lacks x - mean")],
    ),
    "multiplied by m": (STAGED, "dmean / m", "dmean * m", [term(MEAN, "is multiplied by m where it must be divided")]),
    "divided by one half": (STAGED, "* -0.5 *", "/ -0.5 *", [term(PRODUCT, "is four times what it must be")]),
    "layer norm: divided by gamma": (
        LAYER,
        "dout * gamma",
        "dout / gamma",
        [dx("gamma divides where it must multiply")],
    ),
}
