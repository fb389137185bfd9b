"""Factors of a term: powers, counts, statistics."""

from tests.backward_mistakes.sentences import DY, MEAN, PRODUCT, dx, term
from tests.backward_mistakes.texts import CLOSED, GRAPH, STAGED

FACTORS = {
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
}
