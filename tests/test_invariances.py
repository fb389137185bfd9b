"""Which changes of its data a normalization does not see: what is claimed is what numbers say, no less and no more."""

import re

import numpy as np
import pytest

from bnsym.calculus.derive import derive
from bnsym.calculus.elements import evaluate
from bnsym.claims.general import invariances
from bnsym.definitions import NAMES, definition
from tests.definitions import written
from tests.test_claims import proved, texts

POWERS = (1, 2, 3, 4)
"""Of the scale, by which constants may have to go along."""


class Numbers:
    """Random inputs of a definition, and whether its outputs are the same for others."""

    def __init__(self, name):
        self.program, rng = definition(name).program, np.random.default_rng(0)
        self.sizes = {a: 4 + n for n, a in enumerate(self.program.axes)}
        self.x = self.program.inputs[0]
        self.statistics = [e.left for e in self.program.equations if e.left.role == "statistic"]
        self.kept = [a for a in self.x.axes if all(a in s.axes for s in self.statistics)]
        self.values = {q: self.drawn(q, rng) for q in self.program.inputs}
        shape = [self.sizes[a] if a in self.kept else 1 for a in self.x.axes]
        self.shift = rng.standard_normal(shape)

    def drawn(self, q, rng):
        if q.role == "constant":
            return 0.1
        value = rng.standard_normal([self.sizes[a] for a in q.axes])
        return (value > -0.5) * 1.0 if q.role == "mask" else value

    def same(self, changed):
        before, after = (evaluate(self.program, v) for v in (self.values, self.values | changed))
        return all(np.allclose(before[y], after[y], rtol=1e-9, atol=1e-9) for y in self.program.outputs)

    def unseen_shift(self):
        """Whether one number for each statistic may be added to x."""
        return self.same({self.x: self.values[self.x] + self.shift})

    def unseen_scale(self):
        """With which power of a scale of what is normalized the constants must go along; None where it is seen."""
        of = self.program.needed(tuple(self.statistics)).inputs
        constants = [q for q in self.program.inputs if q.role == "constant"]
        data = {q: 2.5 * self.values[q] for q in of if q.role == "data"}
        for p in POWERS if data else ():
            if self.same(data | {q: 2.5**p * self.values[q] for q in constants}):
                return p
        return None


@pytest.mark.parametrize("name", NAMES)
def test_the_invariances_of_each_definition_are_found_and_no_others(name):
    found, numbers = texts(proved(name)), Numbers(name)
    x, (y,) = numbers.x, numbers.program.outputs
    each = ", ".join(a.name for a in numbers.kept)
    shift = [t for t in found if re.match(rf"forward: {y} is unchanged when b\[.*\] is added to {x}", t)]
    scale = [t for t in found if re.match(rf"forward: {y} is unchanged when .* multiplied by a\[.*\] > 0", t)]
    assert len(shift) == numbers.unseen_shift()
    assert all(f"b[{each}]" in t for t in shift)
    power = numbers.unseen_scale()
    assert len(scale) == 2 * (power is not None)
    assert all(f"a[{each}] > 0" in t for t in scale)
    assert [t for t in scale if "at eps = 0" in t] == scale[1:]
    along = f"and eps by a[{each}]" + (f"^{power}" if power != 1 else "")
    assert [t for t in scale if along in t] == scale[:1]


@pytest.mark.parametrize("name", [n for n in NAMES if Numbers(n).unseen_scale() == 2])
def test_what_is_left_for_a_fixed_eps_is_stated(name):
    """Of norms by a root of squares."""
    found = texts(proved(name))
    statistic = Numbers(name).statistics[-1]
    assert [t for t in found if f"s^2 = a^2 ({statistic} + eps) / (a^2 {statistic} + eps): 1 only at eps = 0" in t]
    assert [t for t in found if re.match(r"backward: the sum of x dx.* is -2 eps d/deps of the sum of dy y over", t)]


def test_both_summands_of_a_residual_are_scaled_together():
    assert "forward: y is unchanged when x and residual are multiplied by a[n] > 0 and eps by a[n]^2" in texts(
        proved("add_layer_norm")
    )


def test_what_is_held_fixed_is_said_to_be():
    assert all(
        t.endswith(", for fixed r and d")
        for t in texts(proved("batch_renorm"))
        if t.startswith("forward: y is unchanged")
    )


@pytest.mark.parametrize(
    ("name", "shifts", "scales"), [("layer_norm", 2, 7), ("three_sums", 2, 0), ("soft_sums", 0, 0), ("l1_norm", 2, 6)]
)
def test_a_norm_of_the_user_s_own_has_its_invariances_found(name, shifts, scales, tmp_path):
    """Of sums of several powers, or of functions of x, no scale is claimed."""
    proofs = [*invariances(derive(definition(written(tmp_path, name))))]
    assert all(p.holds for p in proofs)
    assert (
        len([p for p in proofs if "multiplied" in p.claim or "x dx" in p.claim or "unchanged when x" in p.claim])
        == scales
    )
    assert len(proofs) == shifts + scales
