"""The Gaussian error linear unit with a hyperbolic tangent for the distribution function: Hendrycks & Gimpel (2016)."""

from sympy import Rational, pi

from bnsym.language import Definition, Eq, axes, data, sqrt, tanh, values

i = axes("i")  # any element

x = data("x", i)
t, y = values("t y", i)

gelu_tanh = Definition(
    "gelu_tanh",
    source="Hendrycks & Gimpel 2016, Section 2: the approximation",
    layout="elementwise",
    equations=[Eq(t, tanh(sqrt(2 / pi) * (x + Rational(44715, 10**6) * x**3))), Eq(y, x * (1 + t) / 2)],
)
