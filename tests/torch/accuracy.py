"""The README's table of accuracy: float32 kernels and PyTorch against float64 ones on the same numbers, in one run.

python -m tests.torch.accuracy
"""

from __future__ import annotations

import numpy as np
import torch
from bnsym.generated.numpy import batch_norm, layer_norm
from rich.console import Console
from rich.table import Table

SHAPE = (256, 64)
WHAT = ("y", "dx", "dgamma", "ty", "g_x")
"""Of forward, backward (2), jvp and double_backward."""


def kernels(norm, x, dy, ddx, tx, gamma, beta):
    """What the generated kernels give."""
    y, saved = norm.forward(x, gamma, beta)
    dx, dgamma, _ = norm.backward(dy, x, gamma, saved)
    _, ty = norm.jvp(x, gamma, beta, tx, None, None)
    _, g_x, _ = norm.double_backward(ddx, None, None, dy, x, gamma, saved)
    return dict(zip(WHAT, (y, dx, dgamma, ty, g_x), strict=True))


def frameworks(norm, x, dy, ddx, tx, gamma, beta):
    """What PyTorch gives, by its own derivatives."""
    x, dy, ddx, tx, gamma, beta = (torch.tensor(a) for a in (x, dy, ddx, tx, gamma, beta))
    x.requires_grad_()
    gamma.requires_grad_()

    def forward(data):
        if norm is batch_norm:
            return torch.nn.functional.batch_norm(data, None, None, gamma, beta, training=True)
        return torch.nn.functional.layer_norm(data, data.shape[1:], gamma, beta)

    y = forward(x)
    dx, dgamma = torch.autograd.grad(y, (x, gamma), dy, create_graph=True)
    (g_x,) = torch.autograd.grad(dx, x, ddx)
    _, ty = torch.func.jvp(forward, (x.detach(),), (tx,))
    return {name: value.detach().numpy() for name, value in zip(WHAT, (y, dx, dgamma, ty, g_x), strict=True)}


def error(got, want):
    """Root mean square, relative to that of what is right."""
    return np.sqrt(np.mean((got.astype(float) - want) ** 2) / np.mean(want**2))


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    table = Table("norm", "mean / std", *(f"{name}{by}" for name in WHAT for by in ("", " PyTorch")))
    for norm in (batch_norm, layer_norm):
        for far in (0.0, 1e4, 1e6):
            rng = np.random.default_rng(0)
            arrays = [rng.normal(size=SHAPE) + far * (n == 0) for n in range(4)] + list(rng.normal(size=(2, SHAPE[1])))
            low = [a.astype(np.float32) for a in arrays]
            right = kernels(norm, *(a.astype(np.float64) for a in low))
            ours, theirs = kernels(norm, *low), frameworks(norm, *low)
            cells = [f"{error(found[name], right[name]):.0e}" for name in WHAT for found in (ours, theirs)]
            table.add_row(norm.__name__.rpartition(".")[2], f"{far:g}", *cells)
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
