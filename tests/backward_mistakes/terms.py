"""Terms that are left out, and signs."""

from tests.backward_mistakes.sentences import DY, MEAN, PRODUCT, dx, term
from tests.backward_mistakes.texts import CLOSED, GRAPH, STAGED

TERMS = {
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
}
