"""Training steps of the paper's network on MNIST's sizes, as each peer does them: held against NumPy's, then run."""

import os
import sys
from dataclasses import replace

import numpy as np

from tests.gpu.device import cupy

from .clock import CupyClock, WallClock
from .running import environment
from .step import STEPS
from .torches import Torch

sys.path[:0] = environment()["PYTHONPATH"].split(os.pathsep)  # the trainer is bnsym's, which need not be installed

from bnsym.train.options import options_for  # noqa: E402
from bnsym.train.training import Trainer  # noqa: E402
from tests.train_data import made_up  # noqa: E402

TOLERANCE = 1e-3  # of a loss, relative


class Wrong(Exception):
    """What is not to be timed."""


class Checked:
    """What a peer is asked for: one run, which nobody waits for, once its losses were found right."""

    sets = 1

    def prepare(self, case):
        """NumPy gives the parameters, the mini-batches, and what the losses should be; dry, of a small network."""
        is_dry = isinstance(self.clock, WallClock)
        data = made_up(6000, 100, case.shape[1] // (16 if is_dry else 1))
        self.options = options_for("mnist", hidden=(8, 8, 8) if is_dry else None)
        theirs, drawing = Trainer(data, self.options), Trainer(data, self.options)
        self.drawn = np.stack([next(drawing._drawn) for _ in range(STEPS)])
        self.begin(data, theirs.network.parameters)
        want, got = np.array(theirs.steps(STEPS)), np.array(self.losses())
        error = float(np.max(np.abs(got - want) / want))
        if not error <= TOLERANCE:
            raise Wrong(f"losses differ from NumPy's by {error:.0e}")
        return {"error": error}


class Ours(Checked):
    """The trainer itself."""

    def __init__(self, is_dry=False):
        if is_dry:
            from tests.cuda.fake_graphs import graph_cupy

            sys.modules["cupy"] = graph_cupy()
        self.clock = WallClock() if is_dry else CupyClock(cupy())

    def begin(self, data, parameters):
        self.trainer = Trainer(data, replace(self.options, backend="cupy"))

    def losses(self):
        return self.trainer.steps(STEPS)

    def step(self, k):
        with self.trainer._library.stream:
            self.trainer._steps.launch(self.drawn)


class Eager(Checked, Torch):
    """PyTorch, operation by operation: parameters are stepped all at once, and mini-batches taken on the device."""

    cudnn = True

    def begin(self, data, parameters):
        torch = self.torch
        if self.device == "cpu":
            torch.set_num_threads(1)  # a dry run: threads would wait for each other
        there = lambda values: torch.tensor(values, device=self.device)  # noqa: E731
        self.images, self.labels, self.batches = map(there, (data.train_images, data.train_labels, self.drawn))
        self.number = there([0])
        self.parameters = {name: there(value).requires_grad_() for name, (value, _) in parameters.items()}

    def one(self):
        """One step; the loss before it."""
        torch, p, f = self.torch, self.parameters, self.torch.nn.functional
        lr, eps, last = self.options.lr, self.options.eps, len(self.options.hidden) + 1
        (indices,) = self.batches.index_select(0, self.number)
        x = self.images.index_select(0, indices)
        for n in range(1, last):
            x = f.batch_norm(
                x @ p[f"w{n}"], None, None, p[f"gamma{n}"], p[f"beta{n}"], training=True, eps=eps
            ).sigmoid()
        loss = f.cross_entropy(torch.addmm(p[f"b{last}"], x, p[f"w{last}"]), self.labels.index_select(0, indices))
        gradients = torch.autograd.grad(loss, list(p.values()))
        with torch.no_grad():
            torch._foreach_add_(list(p.values()), gradients, alpha=-lr)
        self.number.add_(1).remainder_(STEPS)
        return loss.detach()

    def losses(self):
        return [self.one().item() for _ in range(STEPS)]

    def step(self, k):
        for _ in range(STEPS):
            self.one()


class Graphed(Eager):
    """PyTorch, each step replayed from a graph."""

    def begin(self, data, parameters):
        super().begin(data, parameters)
        self.replay = self.clock.graph(lambda k: self.one(), 1)
        with self.torch.no_grad():  # as they were before the warm-up
            for name, (value, _) in parameters.items():
                self.parameters[name].copy_(self.torch.from_numpy(value))
        self.number.zero_()

    def losses(self):
        return [self.replay()[0].item() for _ in range(STEPS)]

    def step(self, k):
        for _ in range(STEPS):
            self.replay()
