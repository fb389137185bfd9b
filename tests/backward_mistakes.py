"""Backwards as people write them, and what they get wrong in them: each mistake is one change to a right text."""

STAGED = """
import numpy as np

def backward(dy, x, gamma, eps):
    m = x.shape[0]
    mean = x.mean(axis=0)
    var = x.var(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    dbeta = dy.sum(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    dx_hat = dy * gamma
    dvar = (dx_hat * (x - mean)).sum(axis=0) * -0.5 * inv_std**3
    dmean = -(dx_hat * inv_std).sum(axis=0) + dvar * (-2 * (x - mean)).mean(axis=0)
    dx = dx_hat * inv_std + dvar * 2 * (x - mean) / m + dmean / m
    return dx, dgamma, dbeta
"""
"""Equation by equation, as the paper has it."""

CLOSED = """
import numpy as np

def backward(dout, x, gamma, eps=1e-5):
    N, D = x.shape
    mu = x.mean(axis=0)
    ivar = 1.0 / np.sqrt(x.var(axis=0) + eps)
    xhat = (x - mu) * ivar
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dx = gamma * ivar / N * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta
"""
"""Put together, as a course asks for at the end."""

GRAPH = """
import numpy as np

def forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    mu = x.mean(axis=0)
    xmu = x - mu
    var = np.mean(xmu**2, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    out = gamma * xhat + beta
    return out, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)

def backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / sqrtvar**2 * divar
    dvar = 0.5 / np.sqrt(var + eps) * dsqrtvar
    dsq = np.ones((N, D)) / N * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = np.ones((N, D)) / N * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta
"""
"""Gate by gate through the computational graph, with a cache, as blogs have it."""

LAYER = """
import numpy as np

def backward(dout, x, gamma, eps):
    D = x.shape[-1]
    mu = x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    xhat = (x - mu) * rstd
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = rstd * (dxhat - dxhat.mean(axis=-1, keepdims=True) - xhat * (dxhat * xhat).mean(axis=-1, keepdims=True))
    return dx, dgamma, dbeta
"""

RMS = """
import numpy as np

def backward(grad_output, x, weight, eps):
    rstd = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    xhat = x * rstd
    dweight = (grad_output * xhat).sum(axis=0)
    wdy = grad_output * weight
    dx = rstd * (wdy - xhat * (wdy * xhat).mean(axis=-1, keepdims=True))
    return dx, dweight
"""

DY, MEAN, PRODUCT = "gamma inv_std dy", "gamma inv_std mean(dy)", "gamma inv_std x_hat mean(dy x_hat)"


def dx(*sentences):
    return "dx: " + "; ".join(sentences)


def term(name, words):
    return dx(f"the term {name} {words}")


MISTAKES = {
    # terms left out
    "the mean is held constant": (STAGED, "+ dmean / m", "", [term(MEAN, "is missing")]),
    "the variance is held constant": (STAGED, "+ dvar * 2 * (x - mean) / m", "", [term(PRODUCT, "is missing")]),
    "both are held constant": (
        CLOSED,
        "(N * dout - dbeta - xhat * dgamma)",
        "(N * dout)",
        [dx(f"the term {MEAN} is missing", f"the term {PRODUCT} is missing")],
    ),
    "dmean's first term is left out": (
        STAGED,
        "-(dx_hat * inv_std).sum(axis=0) + dvar",
        "dvar",
        [term(MEAN, "is missing")],
    ),
    "the direct path is left out": (STAGED, "dx_hat * inv_std + dvar * 2", "dvar * 2", [term(DY, "is missing")]),
    "the closed form without its last term": (CLOSED, " - xhat * dgamma", "", [term(PRODUCT, "is missing")]),
    "the graph without what comes through the variance": (
        GRAPH,
        "dx1 = dxmu1 + dxmu2",
        "dx1 = dxmu1",
        [term(PRODUCT, "is missing")],
    ),
    # signs
    "dvar without its minus": (STAGED, "* -0.5 *", "* 0.5 *", [term(PRODUCT, "has the wrong sign")]),
    "dmean without its minus": (STAGED, "dmean = -(", "dmean = (", [term(MEAN, "has the wrong sign")]),
    "a plus in the closed form": (CLOSED, "- xhat * dgamma", "+ xhat * dgamma", [term(PRODUCT, "has the wrong sign")]),
    "both signs in the closed form": (
        CLOSED,
        "- dbeta - xhat",
        "+ dbeta + xhat",
        [dx(f"the term {MEAN} has the wrong sign", f"the term {PRODUCT} has the wrong sign")],
    ),
    "descent instead of the gradient": (CLOSED, "dx = gamma", "dx = -gamma", ["dx has the wrong sign"]),
    "the graph: dsqrtvar's sign": (
        GRAPH,
        "-1.0 / sqrtvar**2",
        "1.0 / sqrtvar**2",
        [term(PRODUCT, "has the wrong sign")],
    ),
    # factors
    "dvar without one half": (STAGED, "* -0.5 *", "* -1 *", [term(PRODUCT, "is twice what it must be")]),
    "the square's 2 forgotten": (STAGED, "dvar * 2 * (x", "dvar * (x", [term(PRODUCT, "is half of what it must be")]),
    "dvar to the power -1/2": (STAGED, "inv_std**3", "inv_std", [term(PRODUCT, "is short of a factor inv_std^2")]),
    "dvar to the power -1": (STAGED, "inv_std**3", "inv_std**2", [dx(f"inv_std is missing in the term {PRODUCT}")]),
    "dvar with the variance's power": (
        STAGED,
        "inv_std**3",
        "(var + eps)**-3",
        [term(PRODUCT, "has a factor inv_std^3 too many")],
    ),
    "the graph: 1/sqrt(var) forgotten in dvar": (
        GRAPH,
        "0.5 / np.sqrt(var + eps) *",
        "0.5 *",
        [dx(f"inv_std is missing in the term {PRODUCT}")],
    ),
    "the graph: sqrtvar not squared": (
        GRAPH,
        "-1.0 / sqrtvar**2",
        "-1.0 / sqrtvar",
        [dx(f"inv_std is missing in the term {PRODUCT}")],
    ),
    "inv_std forgotten in dmean": (
        STAGED,
        "-(dx_hat * inv_std).sum",
        "-dx_hat.sum",
        [dx(f"inv_std is missing in the term {MEAN}")],
    ),
    "inv_std forgotten in the direct path": (
        STAGED,
        "dx = dx_hat * inv_std +",
        "dx = dx_hat +",
        [dx(f"inv_std is missing in the term {DY}")],
    ),
    "inv_std forgotten in the closed form": (CLOSED, "gamma * ivar / N", "gamma / N", [dx("inv_std is missing")]),
    "x - mean for x_hat in the closed form": (
        CLOSED,
        "- xhat * dgamma",
        "- (x - mu) * dgamma",
        [dx(f"inv_std is missing in the term {PRODUCT}")],
    ),
    "gamma forgotten": (STAGED, "dx_hat = dy * gamma", "dx_hat = dy", [dx("gamma is missing")]),
    "gamma forgotten in the closed form": (CLOSED, "dx = gamma * ivar", "dx = ivar", [dx("gamma is missing")]),
    "gamma forgotten in one path": (
        STAGED,
        "dx = dx_hat * inv_std +",
        "dx = dy * inv_std +",
        [dx(f"gamma is missing in the term {DY}")],
    ),
    "divided by gamma": (
        STAGED,
        "dx_hat = dy * gamma",
        "dx_hat = dy / gamma",
        ["dx is divided by gamma where it must be multiplied"],
    ),
    "gamma twice": (CLOSED, "gamma * ivar", "gamma**2 * ivar", ["dx is multiplied by gamma twice"]),
    # m
    "m - 1 in the variance's path": (
        STAGED,
        "(x - mean) / m + dmean",
        "(x - mean) / (m - 1) + dmean",
        [term(PRODUCT, "divides by m - 1 where m is meant")],
    ),
    "m - 1 in the mean's path": (
        STAGED,
        "dmean / m",
        "dmean / (m - 1)",
        [term(MEAN, "divides by m - 1 where m is meant")],
    ),
    "not divided by m": (STAGED, "+ dmean / m", "+ dmean", [term(MEAN, "is not divided by m")]),
    "not divided by m, in the variance's path": (
        STAGED,
        "2 * (x - mean) / m",
        "2 * (x - mean)",
        [term(PRODUCT, "is not divided by m")],
    ),
    "1/m forgotten in the closed form": (CLOSED, "ivar / N *", "ivar *", ["dx is multiplied by m"]),
    "m forgotten before dy": (CLOSED, "(N * dout", "(dout", [term(DY, "is divided by m")]),
    "m typed in": (STAGED, "dmean / m", "dmean / 64", [term(MEAN, "divides by 64 where m is meant")]),
    "the number of features for m": (
        STAGED,
        "dmean / m",
        "dmean / x.shape[1]",
        [term(MEAN, "divides by the size along c where m is meant")],
    ),
    # statistics
    "the unbiased variance": (
        STAGED,
        "x.var(axis=0)",
        "x.var(axis=0, ddof=1)",
        [dx("var divides by m - 1 where m is meant"), "dgamma: var divides by m - 1 where m is meant"],
    ),
    "eps outside the root": (
        CLOSED,
        "1.0 / np.sqrt(x.var(axis=0) + eps)",
        "1.0 / (np.sqrt(x.var(axis=0)) + eps)",
        [dx("eps is outside the root"), "dgamma: eps is outside the root"],
    ),
    "eps forgotten": (CLOSED, "x.var(axis=0) + eps", "x.var(axis=0)", [dx("eps is missing"), "dgamma: eps is missing"]),
    "the root forgotten": (
        CLOSED,
        "np.sqrt(x.var(axis=0) + eps)",
        "(x.var(axis=0) + eps)",
        [dx("the root is forgotten"), "dgamma: the root is forgotten"],
    ),
    "eps outside the root, in the backward alone": (
        GRAPH,
        "    dxhat = dout * gamma",
        "    dxhat = dout * gamma\n    ivar = 1 / (np.sqrt(var) + eps)",
        [dx(f"eps is outside the root in the term {DY}", f"eps is outside the root in the term {MEAN}")],
    ),
    "eps forgotten in dvar": (
        GRAPH,
        "0.5 / np.sqrt(var + eps)",
        "0.5 / np.sqrt(var)",
        [dx(f"eps is missing in the term {PRODUCT}")],
    ),
    "x not centred in x_hat": (
        CLOSED,
        "xhat = (x - mu) * ivar",
        "xhat = x * ivar",
        [dx("x_hat is not centred"), "dgamma uses x_hat without the mean subtracted"],
    ),
    # axes
    "the mean of dy over the features": (
        CLOSED,
        "(N * dout - dbeta",
        "(N * dout - N * dout.mean(axis=1, keepdims=True)",
        [dx("mean(dy) is taken over the wrong axis")],
    ),
    "the mean of dy over everything": (
        CLOSED,
        "(N * dout - dbeta",
        "(N * dout - N * dout.mean()",
        [dx("mean(dy) is taken over all axes")],
    ),
    "dmean summed over the features": (
        STAGED,
        "-(dx_hat * inv_std).sum(axis=0)",
        "-(dx_hat * inv_std).sum(axis=1, keepdims=True)",
        [dx("mean(dy) is taken over the wrong axis")],
    ),
    "dvar summed over the features": (
        STAGED,
        "(dx_hat * (x - mean)).sum(axis=0)",
        "(dx_hat * (x - mean)).sum(axis=1, keepdims=True)",
        [dx("mean(dy x_hat) is taken over the wrong axis")],
    ),
    "dvar summed over everything": (
        STAGED,
        "(dx_hat * (x - mean)).sum(axis=0)",
        "(dx_hat * (x - mean)).sum()",
        [dx("mean(dy x_hat) is taken over all axes")],
    ),
    "the mean over everything": (
        CLOSED,
        "mu = x.mean(axis=0)",
        "mu = x.mean()",
        [dx("mean is taken over all axes"), "dgamma: mean is taken over all axes"],
    ),
    "the variance over everything": (
        CLOSED,
        "x.var(axis=0)",
        "x.var()",
        [dx("var is taken over all axes"), "dgamma: var is taken over all axes"],
    ),
    "a layer's statistics": (
        CLOSED,
        "mu = x.mean(axis=0)\n    ivar = 1.0 / np.sqrt(x.var(axis=0) + eps)",
        "mu = x.mean(axis=1, keepdims=True)\n    ivar = 1.0 / np.sqrt(x.var(axis=1, keepdims=True) + eps)",
        [dx("mean and var are taken over the wrong axis"), "dgamma: mean and var are taken over the wrong axis"],
    ),
    "a sum over the features, which fits a square alone": (
        STAGED,
        "(dx_hat * (x - mean)).sum(axis=0)",
        "(dx_hat * (x - mean)).sum(axis=1)",
        [
            "it raises ValueError in line 13: operands could not be broadcast together with shapes (5,) (4,), where x "
            "has the shape (5, 4), and not where all sizes are equal: a sum or a mean is taken over the wrong axis"
        ],
    ),
    # gradients to the parameters
    "dbeta averaged": (STAGED, "dbeta = dy.sum", "dbeta = dy.mean", ["dbeta is averaged where it must be summed"]),
    "dgamma averaged": (
        STAGED,
        "(dy * x_hat).sum",
        "(dy * x_hat).mean",
        ["dgamma is averaged where it must be summed"],
    ),
    "dgamma with x": (STAGED, "(dy * x_hat).sum", "(dy * x).sum", ["dgamma uses x where x_hat is meant"]),
    "dgamma with x - mean": (
        STAGED,
        "(dy * x_hat).sum",
        "(dy * (x - mean)).sum",
        ["dgamma uses x - mean where x_hat is meant"],
    ),
    "dgamma uncentred": (
        STAGED,
        "(dy * x_hat).sum",
        "(dy * x * inv_std).sum",
        ["dgamma uses x_hat without the mean subtracted"],
    ),
    "dgamma with gamma": (STAGED, "(dy * x_hat).sum", "(gamma * dy * x_hat).sum", ["dgamma is multiplied by gamma"]),
    "dbeta with gamma": (STAGED, "dbeta = dy.sum", "dbeta = (dy * gamma).sum", ["dbeta is multiplied by gamma"]),
    "swapped": (STAGED, "return dx, dgamma, dbeta", "return dx, dbeta, dgamma", ["dgamma and dbeta are swapped"]),
    "dgamma with the wrong sign": (STAGED, "dgamma = (", "dgamma = -(", ["dgamma has the wrong sign"]),
    "dgamma averaged, and used": (
        CLOSED,
        "dgamma = np.sum(",
        "dgamma = np.mean(",
        ["dgamma is averaged where it must be summed"],
    ),
    "dgamma with x, and used": (
        CLOSED,
        "np.sum(dout * xhat",
        "np.sum(dout * x",
        ["dgamma uses x where x_hat is meant"],
    ),
    "dbeta averaged, and used": (
        CLOSED,
        "dbeta = np.sum(",
        "dbeta = np.mean(",
        ["dbeta is averaged where it must be summed"],
    ),
    "two mistakes": (
        STAGED,
        "dvar * 2 * (x - mean) / m + dmean / m",
        "dvar * (x - mean) / m + dmean / (m - 1)",
        [dx(f"the term {MEAN} divides by m - 1 where m is meant", f"the term {PRODUCT} is half of what it must be")],
    ),
    "a mistake in dx, and one in dbeta": (
        STAGED,
        "dbeta = dy.sum(axis=0)\n",
        "dbeta = dy.mean(axis=0)\n    gamma = 1\n",
        [dx("gamma is missing"), "dbeta is averaged where it must be summed"],
    ),
    "no name for it": (CLOSED, "- xhat * dgamma", "- np.tanh(xhat) * dgamma", None),
    "a blend of two axes": (CLOSED, "N * dout - dbeta", "N * dout - 0.3 * dbeta - 0.7 * N * dout.mean()", None),
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
    # shapes
    "dbeta summed over the features": (
        STAGED,
        "dy.sum(axis=0)",
        "dy.sum(axis=1)",
        ["dbeta has the shape (5,) where (4,) is needed, for x of the shape (5, 4): it is summed over the wrong axis"],
    ),
    "dbeta summed over everything": (
        STAGED,
        "dy.sum(axis=0)",
        "dy.sum()",
        ["dbeta has the shape () where (4,) is needed, for x of the shape (5, 4): it is summed over all axes"],
    ),
    "dgamma not summed": (
        STAGED,
        "(dy * x_hat).sum(axis=0)",
        "dy * x_hat",
        ["dgamma has the shape (5, 4) where (4,) is needed, for x of the shape (5, 4): it is not summed"],
    ),
    "dgamma with an axis kept": (
        STAGED,
        "(dy * x_hat).sum(axis=0)",
        "(dy * x_hat).sum(axis=0, keepdims=True)",
        ["dgamma has the shape (1, 4) where (4,) is needed, for x of the shape (5, 4): an axis of length 1 is kept"],
    ),
    "dx transposed": (
        STAGED,
        "return dx,",
        "return dx.T,",
        ["dx has the shape (4, 5) where (5, 4) is needed, for x of the shape (5, 4): it is transposed"],
    ),
}
"""Each mistake: the right text, what is replaced in it and by what, and the lines that name it; None: no name."""
