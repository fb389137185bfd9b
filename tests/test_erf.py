"""erf as generated modules have it: accuracy over a million points, special values, layouts, and the text itself."""

import math
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bnsym.backends import erf as backend
from bnsym.render import environment

ROOT = Path(__file__).parents[1]
DTYPES = (np.float64, np.float32)
WORST = {np.float64: 2, np.float32: 1}  # units in the last place

HEAD = '''"""What stands before erf in a generated module."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


'''


@cache
def text():
    return HEAD + environment().get_template("numpy/erf.py.j2").render(erf=backend.erf_numbers())


def executed(code):
    """erf of such a module, under what every generated function runs under."""
    module = {}
    exec(compile(code, "erf.py", "exec"), module)
    return np.errstate(all="ignore")(module["_erf"])


@pytest.fixture(scope="module")
def erf():
    return executed(text())


@cache
def points():
    """A million: everywhere, tiny ones down to the smallest, and both sides of every node and of every border."""
    rng = np.random.default_rng(0)
    borders = np.arange(-52, 53) / 8
    near = borders[:, None] * (1 + np.arange(-1000, 1001) * 2.0**-52)
    tiny = np.geomspace(5e-324, 1.0, 100_000)
    beside = (borders[:, None] + rng.uniform(-1e-6, 1e-6, (105, 500))).ravel()
    uniform = rng.uniform(-6.5, 6.5, 1_000_000 - near.size - 2 * tiny.size - beside.size)
    found = np.concatenate([uniform, near.ravel(), tiny, -tiny, beside])
    assert found.size == 1_000_000
    return found


@cache
def expected(dtype):
    """Points in a dtype and their erf: in float64 what `math.erf` says, in float32 that, rounded."""
    x = points().astype(dtype)
    return x, np.array(list(map(math.erf, x.tolist()))).astype(dtype)


def worst(erf, dtype):
    """The largest difference, in units in the last place."""
    x, right = expected(dtype)
    return float(np.max(np.abs(erf(x) - right) / np.spacing(np.abs(right))))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_million_points(erf, dtype):
    assert worst(erf, dtype) <= WORST[dtype]


def with_wrong(place, node=3):
    """erf from a table in which one number of one node is wrong by one part in a hundred."""
    table = "\n".join(backend.erf_numbers().lines)
    numbers, at = table.split(), node * backend.TERMS + place
    numbers[at] = repr(float(numbers[at]) * 1.01)
    return executed(text().replace(table, " ".join(numbers)))


@pytest.mark.parametrize("place", range(backend.TERMS))
def test_a_wrong_number_is_seen(place):
    assert worst(with_wrong(place), np.float64) > WORST[np.float64]


@pytest.mark.parametrize("place", range(5))
def test_a_wrong_number_is_seen_in_float32(place):
    """Of powers above the fourth, float32 does not see one part in a hundred."""
    assert worst(with_wrong(place), np.float32) > WORST[np.float32]


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(erf, dtype):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, np.finfo(dtype).max, -7.0], dtype)
    right = np.array([np.nan, 1.0, -1.0, 0.0, -0.0, 1.0, -1.0], dtype)
    found = erf(x)
    np.testing.assert_array_equal(found, right)
    np.testing.assert_array_equal(np.signbit(found[1:]), np.signbit(right[1:]))
    with np.errstate(all="raise"):  # nothing is invalid on the way either
        np.testing.assert_array_equal(erf.__wrapped__(x), right)
    smallest = np.nextafter(dtype(0), dtype(1))
    np.testing.assert_array_equal(erf(np.array([smallest, -smallest])), [smallest, -smallest])


@pytest.mark.parametrize("dtype", DTYPES)
def test_odd_bit_for_bit(erf, dtype):
    x = expected(dtype)[0]
    assert erf(-x).tobytes() == (-erf(x)).tobytes()


@pytest.mark.parametrize(("dtype", "last"), [(np.float64, 5.95), (np.float32, 4.0)])
def test_saturates_from_below(erf, dtype, last):
    x = np.linspace(3.0 if dtype is np.float32 else 5.0, 8.0, 100_000, dtype=dtype)
    y = erf(x)
    assert y.max() == 1.0
    assert (y[x >= last] == 1.0).all()
    assert np.diff(y).min() >= -np.spacing(dtype(0.75))  # a unit in the last place, where neighbours round apart


def layouts(dtype=np.float64):
    """Arrays of every layout, in several blocks where it matters, by name."""
    big = (np.random.default_rng(1).normal(size=(24, 40, 50)) * 2).astype(dtype)
    return {
        "blocks": big.ravel(),
        "three axes": big,
        "fortran": np.asfortranarray(big),
        "transposed": big.transpose(1, 2, 0),
        "strided": big[::2, :, ::3],
        "backwards": big[::-1, ::-1, ::-1],
        "broadcast": np.broadcast_to(big[:, :1], big.shape),
        "no axes": np.array(0.7, dtype),
        "empty": np.empty((3, 0, 2), dtype),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", layouts())
def test_layouts_and_out(erf, name, dtype):
    x = layouts(dtype)[name]
    found, right = erf(x), np.array([erf(v) for v in x.ravel()[:300]], dtype)
    assert type(found) is np.ndarray
    assert (found.dtype, found.shape) == (x.dtype, x.shape)
    np.testing.assert_array_equal(found.ravel()[:300], right)
    spaced = np.zeros((*x.shape, 2), dtype)
    for out in (np.empty(x.shape, dtype), np.empty(x.shape, dtype, order="F"), spaced[..., 0]):
        assert erf(x, out=out) is out
        np.testing.assert_array_equal(out, found)
    assert not spaced[..., 1].any()
    own = np.array(x, order="K")
    assert erf(own, own) is own
    np.testing.assert_array_equal(own, found)


@pytest.mark.parametrize("dtype", DTYPES)
def test_out_that_overlaps(erf, dtype):
    room = np.random.default_rng(2).normal(size=50_001).astype(dtype)
    for x, out in ((room[:-1], room[1:]), (room[1:], room[:-1]), (room, room[::-1])):
        np.testing.assert_array_equal(erf(x.copy()), erf(x, out=out))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_scalar_and_what_does_not_lie_at_its_alignment(erf, dtype):
    assert erf(dtype(0.5)) == dtype(math.erf(0.5))
    assert erf(dtype(0.5)).dtype == dtype
    x = np.linspace(-3, 3, 40_000, dtype=dtype)
    shifted = np.frombuffer(b"\0" + x.tobytes(), dtype, offset=1)
    np.testing.assert_array_equal(erf(shifted), erf(x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_value_depends_on_its_neighbours(erf, dtype):
    x = np.random.default_rng(3).normal(size=40_000).astype(dtype)
    for start in (1, 7, 8_191):
        np.testing.assert_array_equal(erf(x)[start:], erf(x[start:]))


def test_numbers_are_the_same_with_more_digits(monkeypatch):
    monkeypatch.setattr(backend, "DIGITS", 60)
    assert backend.erf_numbers.__wrapped__() == backend.erf_numbers()


def test_the_text_is_as_ruff_leaves_it():
    ruff = shutil.which("ruff", path=f"{Path(sys.executable).parent}") or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    settings = ["--config", str(ROOT / "pyproject.toml"), "--stdin-filename", "erf.py", "-"]
    for command in (["format", "--diff"], ["check", "--quiet"]):
        done = subprocess.run([ruff, *command, *settings], input=text(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
