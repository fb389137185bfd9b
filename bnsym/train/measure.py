"""The cost of a training step of the paper's network, against the matrix products that it cannot do without."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bnsym.train.data import CLASSES, Dataset
from bnsym.train.kernels import Kernels
from bnsym.train.layers import Linear
from bnsym.train.network import Network
from bnsym.train.options import Options, options_for
from bnsym.train.parameters import Array
from bnsym.train.threads import limited
from bnsym.train.training import Trainer

__all__ = ["StepCost", "cost_table", "measure_step", "products"]

PIXELS, EXAMPLES = 784, 60_000  # MNIST's: the images do not fit into the processor's cache
Product = tuple[Array, Array, Array]


@dataclass(frozen=True)
class StepCost:
    """Medians in microseconds: a step, its matrix products alone, and the share of each kernel, by name."""

    step: float
    products: float
    kernels: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """How many times its own products a step takes."""
        return self.step / self.products

    @property
    def rest(self) -> float:
        """What a step spends outside of kernels: drawing the mini-batch, subtracting the gradient, calling."""
        return self.step - sum(self.kernels.values())


def measure_step(rounds: int = 1000, batch_norm: bool = True, threads: int = 1, examples: int = EXAMPLES) -> StepCost:
    """Time steps and their products in turn, on random images of MNIST's size; then the kernels within a step."""
    options = options_for("mnist", batch_norm=batch_norm, threads=threads)
    dataset = _random_images(examples)
    with limited(threads):
        trainer = Trainer(dataset, options)
        trainer.step()
        factors = products(trainer.network)
        steps, alone = _in_turn([trainer.step, lambda: _multiply(factors)], rounds)
        return StepCost(median(steps), median(alone), _per_kernel(dataset, options, rounds))


def products(network: Network) -> list[Product]:
    """The matrix products of the network's last step as (a, b, out).

    Each dense layer has one for its output and one for the gradient of its weights; all but the first have one for the
    gradient of their input.
    """
    layers = [layer for layer in network.layers if isinstance(layer, Linear)]
    forward = [(layer.x, layer.w.value, layer.x @ layer.w.value) for layer in layers]
    backward: list[Product] = []
    for x, w, z in reversed(forward):
        if x is not layers[0].x:  # the first takes no gradient to the data
            backward.append((z, w.T, np.empty_like(x)))
        backward.append((x.T, z, np.empty_like(w)))
    return forward + backward


def cost_table(cost: StepCost) -> Table:
    """The figures as a table, the kernels from the dearest to the cheapest."""
    table = Table("Part of a training step", title="Where a step's time goes")
    table.add_column("Microseconds", justify="right")
    for name, value in sorted(cost.kernels.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{value:.0f}")
    table.add_row("mini-batch, SGD, calls", f"{cost.rest:.0f}", end_section=True)
    table.add_row("the step", f"{cost.step:.0f}")
    table.add_row("its matrix products alone", f"{cost.products:.0f}")
    table.add_row("the step over its products", f"{cost.ratio:.2f}")
    return table


def _random_images(examples: int) -> Dataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, (examples, PIXELS), np.uint8).astype(np.float32)
    labels = rng.integers(0, CLASSES, examples)
    return Dataset("random images", images, labels, images[:1], labels[:1])


def _multiply(factors: list[Product]) -> None:
    for a, b, out in factors:
        np.matmul(a, b, out=out)


def _in_turn(calls: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """The microseconds of each call in each round; a tenth of the rounds more go before, unmeasured."""
    times: list[list[float]] = [[] for _ in calls]
    for number in range(-(rounds // 10), rounds):
        for call, durations in zip(calls, times, strict=True):
            start = time.perf_counter_ns()
            call()
            if number >= 0:
                durations.append((time.perf_counter_ns() - start) / 1000)
    return times


def _per_kernel(dataset: Dataset, options: Options, rounds: int) -> dict[str, float]:
    """The median microseconds a step spends in each kernel."""
    spent: dict[str, float] = defaultdict(float)
    trainer = Trainer(dataset, options, _timed(Kernels.load(), spent))
    steps: list[dict[str, float]] = []
    for _ in range(rounds):
        spent.clear()
        trainer.step()
        steps.append(dict(spent))
    return {name: median(step[name] for step in steps) for name in steps[0]}


def _timed(kernels: Kernels, spent: dict[str, float]) -> Kernels:
    """Kernels that add the microseconds of each call to `spent`, under "module.function"."""
    modules = {}
    for field in fields(kernels):
        module, timed = getattr(kernels, field.name), ModuleType(field.name)
        for name in module.__all__:
            setattr(timed, name, _timed_call(getattr(module, name), f"{field.name}.{name}", spent))
        modules[field.name] = timed
    return Kernels(**modules)


def _timed_call(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def call(*args: Any, **settings: Any) -> Any:
        start = time.perf_counter_ns()
        result = function(*args, **settings)
        spent[name] += (time.perf_counter_ns() - start) / 1000
        return result

    return call


def main() -> None:
    """Print what a step of the paper's network with batch normalization costs here."""
    Console().print(cost_table(measure_step()))


if __name__ == "__main__":
    main()
