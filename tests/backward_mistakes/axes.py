"""Sums over other axes, and shapes."""

from tests.backward_mistakes.sentences import dx
from tests.backward_mistakes.texts import CLOSED, STAGED

AXES = {
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
