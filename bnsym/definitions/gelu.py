"""The Gaussian error linear unit: Hendrycks & Gimpel (2016): x times the normal distribution function of x."""

from bnsym.language import Definition, Eq, axes, data, erf, sqrt, values

i = axes("i")  # any element

x = data("x", i)
cdf, y = values("cdf y", i)

gelu = Definition(
    "gelu",
    source="Hendrycks & Gimpel 2016, Section 2",
    layout="elementwise",
    equations=[Eq(cdf, (1 + erf(x / sqrt(2))) / 2), Eq(y, x * cdf)],
)
