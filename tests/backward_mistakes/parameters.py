"""Gradients to the parameters, and what of them reaches dx."""

from tests.backward_mistakes.sentences import MEAN, PRODUCT, dx
from tests.backward_mistakes.texts import CLOSED, STAGED

PARAMETERS = {
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
}
