"""Softmax followed by cross-entropy against one-hot targets, averaged over the examples.

The shift is subtracted so that no exponential overflows; the loss does not depend on it.
"""

from bnsym.language import Definition, Eq, Max, Sum, axes, data, exp, log, mask, premise, size, stop_gradient, values

n, k = axes("n k")  # example, class
examples = size(n)

z = data("z", n, k)
t = mask("t", n, k)  # one-hot: 1 for the example's class
shift, total = values("shift total", n)
shifted, e, p = values("shifted e p", n, k)
loss = values("loss")

softmax_cross_entropy = Definition(
    "softmax_cross_entropy",
    source="Ioffe & Szegedy 2015, Section 4.1: the cross-entropy loss",
    layout="arrays",
    equations=[
        Eq(shift, stop_gradient(Max(z, k))),
        Eq(shifted, z - shift),
        Eq(e, exp(shifted)),
        Eq(total, Sum(e, k)),
        Eq(p, e / total),
        Eq(loss, Sum(t * (log(total) - shifted), n, k) / examples),
    ],
    saved=[p],
    premises=[premise(Sum(t, k), 1)],
)
