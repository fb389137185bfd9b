"""The rules of elementwise derivatives: the slope where there is one, what is documented where there is none.

Every derivative takes its own from these rules, and so do the references that the kernels are compared with.
"""

from itertools import product

import mpmath
import pytest
import sympy
from sympy import Rational, exp, log, sqrt, tanh

from bnsym.functions import Abs, maximum, minimum, sign, step
from bnsym.language import erf

X, Y = sympy.symbols("x y", real=True)

OWN = {
    "Abs": abs,
    "sign": mpmath.sign,
    "step": lambda x: 1 if x > 0 else 0,
    "maximum": max,
    "minimum": min,
}
"""What each of the project's own functions is."""

AT_THE_KINK = {Abs(X): [0], sign(X): [0], step(X): [0], maximum(X, Y): [0, 1], minimum(X, Y): [0, 1]}
"""The documented derivatives, by each argument: 0 at 0; a tie goes to the second."""

SMOOTH = [
    exp(X),
    log(X**2 + 1),
    tanh(X),
    erf(X),
    sqrt(X**2 + Y**2),
    1 / sqrt(X**2 + Y**2),
    sqrt(sqrt(X**4 + 1)),
    X**3 * Y**2,
    1 / (X**2 + Y),
    X / (1 + exp(-X)),
    X * erf(X * Y),
    exp(X) * tanh(Y),
]
"""What definitions take of SymPy, alone and of each other."""

COMPOSED = [
    Abs(X**3 - Y),
    sign(X - Y) * X**2,
    step(X) * exp(X),
    tanh(Abs(X)),
    X * maximum(X**2, Y),
    minimum(X * Y, Y**2),
    maximum(minimum(X, Y), X**2 * Y),
]

POINTS = [(Rational(n, 8), Rational(k, 8)) for n, k in product((-13, -3, 5, 14), (1, 11))]
"""Away from every kink above."""
H = mpmath.mpf("1e-12")


def number(e):
    """An expression as a function of x and y, in as many digits as mpmath works with."""
    return sympy.lambdify((X, Y), e, modules=[OWN, "mpmath"])


def assert_slopes(e):
    """The derivative by each argument is the slope, at every point."""
    function = number(e)
    for by in (X, Y):
        derivative, (dx, dy) = number(sympy.diff(e, by)), (H * (by == X), H * (by == Y))
        for at in POINTS:
            with mpmath.workdps(50):
                x, y = (mpmath.mpf(v.p) / v.q for v in at)
                slope = (function(x + dx, y + dy) - function(x - dx, y - dy)) / (2 * H)
                assert abs(derivative(x, y) - slope) <= 1e-18 * (1 + abs(slope)), f"{e} by {by} at {at}"


@pytest.mark.parametrize("e", [*AT_THE_KINK, *SMOOTH, *COMPOSED], ids=str)
def test_derivatives_are_slopes(e):
    """Of first order and of second: what `diff` gave is differentiated again."""
    for function in (e, sympy.diff(e, X), sympy.diff(e, Y)):
        assert_slopes(function)


@pytest.mark.parametrize("e", AT_THE_KINK, ids=str)
def test_at_a_kink_derivatives_are_the_documented_ones(e):
    """And those of second order are 0: no Dirac delta."""
    for at, (by, documented) in product((0.0, 0.375), zip((X, Y), AT_THE_KINK[e], strict=False)):
        x, y = (at, at) if e.has(Y) else (0.0, 0.0)
        first = sympy.diff(e, by)
        assert number(first)(x, y) == documented, by
        assert [number(sympy.diff(first, other))(x, y) for other in (X, Y)] == [0, 0], by
